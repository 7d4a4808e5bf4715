package io.gabion.operator.node;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.gabion.api.condition.ConditionStatus;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.v1alpha1.DiskReport;
import io.gabion.api.v1alpha1.DiskState;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.operator.view.Finding;
import io.gabion.operator.view.NodeView;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What is said of a storage node. A node cannot report its own death, so the operator gathers the evidence. Pure. */
final class NodeConditions {
    private NodeConditions() {}

    /**
     * The evidence.
     *
     * @param machine the node of Kubernetes
     * @param pod its data-plane pod
     * @param answers it answered when asked last
     * @param silence why it does not answer; empty when it does or was not asked
     */
    record Evidence(Optional<Node> machine, Optional<Pod> pod, boolean answers, Optional<String> silence) {}

    static List<Finding> of(StorageNode node, Evidence evidence) {
        return List.of(ready(node, evidence), disksHealthy(node), schedulable(node, evidence.machine()));
    }

    private static Finding ready(StorageNode node, Evidence evidence) {
        if (evidence.answers()) {
            // It serves, whatever Kubernetes thinks of the machine: nothing needs a new copy.
            return Finding.of(ConditionType.READY, true, HealthCode.Ready, "the storage node answers");
        }
        if (evidence.machine().isEmpty()) {
            return lost("the Node object does not exist");
        }
        if (evidence.silence().isPresent()) {
            return lost(evidence.silence().get());
        }
        if (!isReady(evidence.machine().get())) {
            return lost("the node is not Ready in Kubernetes");
        }
        if (evidence.pod().isEmpty()) {
            return lost("there is no data-plane pod on the node");
        }
        boolean started = node.getStatus().getAddress() != null;
        Optional<Finding> standing = standing(node);
        if (started && standing.isPresent()) {
            // Not asked often enough yet, perhaps by a new leader: what is known stays, and since when.
            return standing.get();
        }
        if (!isReady(evidence.pod().get())) {
            String pod = evidence.pod().get().getMetadata().getName();
            return started
                    ? lost("the pod " + pod + " is not Ready")
                    : Finding.of(
                            ConditionType.READY, false, HealthCode.NodeStarting, "the pod " + pod + " is starting");
        }
        return started
                ? Finding.of(ConditionType.READY, true, HealthCode.Ready, "the data-plane pod is Ready")
                : Finding.of(
                        ConditionType.READY, false, HealthCode.NodeStarting, "the node has not told its address yet");
    }

    private static Optional<Finding> standing(StorageNode node) {
        Optional<Condition> ready = Finding.find(node.getStatus().getConditions(), ConditionType.READY);
        return ready.flatMap(c -> Stream.of(ConditionStatus.TRUE, ConditionStatus.FALSE)
                .filter(s -> s.text().equals(c.getStatus()))
                .flatMap(s -> Stream.of(HealthCode.values())
                        .filter(code -> code.name().equals(c.getReason()))
                        .map(code -> new Finding(ConditionType.READY, s, code, c.getMessage())))
                .findFirst());
    }

    private static Finding lost(String why) {
        return Finding.of(ConditionType.READY, false, HealthCode.NodeLost, why);
    }

    static boolean isReady(Node machine) {
        return machine.getStatus() != null
                && machine.getStatus().getConditions() != null
                && machine.getStatus().getConditions().stream().anyMatch(NodeConditions::isReady);
    }

    private static boolean isReady(NodeCondition condition) {
        return "Ready".equals(condition.getType()) && "True".equals(condition.getStatus());
    }

    static boolean isReady(Pod pod) {
        return pod.getMetadata().getDeletionTimestamp() == null
                && pod.getStatus() != null
                && pod.getStatus().getConditions() != null
                && pod.getStatus().getConditions().stream().anyMatch(NodeConditions::isReady);
    }

    private static boolean isReady(PodCondition condition) {
        return "Ready".equals(condition.getType()) && "True".equals(condition.getStatus());
    }

    private static Finding disksHealthy(StorageNode node) {
        if (node.getSpec().getDisks().isEmpty()) {
            return Finding.of(ConditionType.DISKS_HEALTHY, false, HealthCode.NoDisks, "no pool gives this node a disk");
        }
        List<DiskReport> disks = node.getStatus().getDisks();
        for (DiskState bad : List.of(DiskState.FAILED, DiskState.FULL)) {
            Optional<DiskReport> found =
                    disks.stream().filter(d -> d.getState() == bad).findFirst();
            if (found.isPresent()) {
                String reason = found.get().getReason();
                return Finding.of(
                        ConditionType.DISKS_HEALTHY,
                        false,
                        bad == DiskState.FAILED ? HealthCode.DiskFailed : HealthCode.DiskFull,
                        found.get().getDirectory() + (reason == null ? "" : ": " + reason));
            }
        }
        long online =
                disks.stream().filter(d -> d.getState() == DiskState.ONLINE).count();
        int wanted = node.getSpec().getDisks().size();
        return online >= wanted
                ? Finding.of(ConditionType.DISKS_HEALTHY, true, HealthCode.DisksHealthy, online + " online")
                : Finding.of(
                        ConditionType.DISKS_HEALTHY,
                        false,
                        HealthCode.NodeStarting,
                        online + " of " + wanted + " disks are online");
    }

    private static Finding schedulable(StorageNode node, Optional<Node> machine) {
        if (node.getSpec().isUnschedulable()) {
            return Finding.of(ConditionType.SCHEDULABLE, false, HealthCode.Unschedulable, "spec.unschedulable is true");
        }
        if (NodeView.isDraining(node)) {
            return Finding.of(
                    ConditionType.SCHEDULABLE,
                    false,
                    HealthCode.Unschedulable,
                    "its copies are to leave it (annotation " + NodeView.DRAIN_ANNOTATION + ")");
        }
        boolean cordoned = machine.filter(m ->
                        m.getSpec() != null && Boolean.TRUE.equals(m.getSpec().getUnschedulable()))
                .isPresent();
        return cordoned
                ? Finding.of(ConditionType.SCHEDULABLE, false, HealthCode.Unschedulable, "the node is cordoned")
                : Finding.of(ConditionType.SCHEDULABLE, true, HealthCode.Schedulable, "");
    }
}
