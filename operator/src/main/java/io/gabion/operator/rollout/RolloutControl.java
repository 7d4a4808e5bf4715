package io.gabion.operator.rollout;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.ControllerRevision;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.failpoint.Step;
import io.gabion.operator.node.DataPlane;
import io.gabion.operator.rollout.RolloutSituation.NodePod;
import io.gabion.operator.rollout.RolloutSituation.VolumeState;
import io.gabion.operator.view.ClusterView;
import io.gabion.operator.view.Finding;
import io.gabion.operator.view.InformerView;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Replaces the pods of the data plane's DaemonSet (updateStrategy OnDelete), one step per call. */
public final class RolloutControl {
    private static final Logger LOG = LoggerFactory.getLogger(RolloutControl.class);
    /** Name of the DaemonSet in the chart. */
    public static final String DAEMON_SET = "gabion-data-plane";

    private static final String REVISION_LABEL = "controller-revision-hash";

    private final KubernetesClient client;
    private final String namespace;
    private final ClusterView view;
    private final DataPlane dataPlane;
    private final FailPoint failPoint;

    public RolloutControl(
            KubernetesClient client, String namespace, ClusterView view, DataPlane dataPlane, FailPoint failPoint) {
        this.client = client;
        this.namespace = namespace;
        this.view = view;
        this.dataPlane = dataPlane;
        this.failPoint = failPoint;
    }

    /** Does the next step. Empty when there is no data plane to roll. */
    public Optional<RolloutStep> advance(boolean paused) {
        DaemonSet set = client.apps()
                .daemonSets()
                .inNamespace(namespace)
                .withName(DAEMON_SET)
                .get();
        if (set == null) {
            return Optional.empty();
        }
        Optional<String> revision = newestRevision(set);
        if (revision.isEmpty()) {
            return Optional.empty();
        }
        RolloutStep step = RolloutPlanner.plan(situation(paused, revision.get()));
        switch (step) {
            case RolloutStep.HandOver(NodePod pod, List<VolumeState> volumes) -> handOver(pod, volumes);
            case RolloutStep.Restart(NodePod pod) -> restart(pod);
            case RolloutStep.Done() -> {}
            case RolloutStep.Waiting waiting -> LOG.debug("rollout waits {}", waiting.forWhat());
            case RolloutStep.Blocked blocked -> LOG.debug("rollout blocked: {}", blocked.why());
        }
        return Optional.of(step);
    }

    private Optional<String> newestRevision(DaemonSet set) {
        String uid = set.getMetadata().getUid();
        return client
                .apps()
                .controllerRevisions()
                .inNamespace(namespace)
                .withLabels(InformerView.DATA_PLANE_LABELS)
                .list()
                .getItems()
                .stream()
                .filter(r -> r.getMetadata().getOwnerReferences().stream().anyMatch(o -> uid.equals(o.getUid())))
                .max(Comparator.comparing(ControllerRevision::getRevision))
                .map(r -> r.getMetadata().getLabels().get(REVISION_LABEL));
    }

    private RolloutSituation situation(boolean paused, String revision) {
        List<NodePod> pods = new ArrayList<>();
        Set<NodeName> withPod = new HashSet<>();
        for (Pod pod : view.dataPlanePods()) {
            if (pod.getSpec() == null || pod.getSpec().getNodeName() == null) {
                continue;
            }
            NodeName node = new NodeName(pod.getSpec().getNodeName());
            withPod.add(node);
            pods.add(new NodePod(
                    node,
                    pod.getMetadata().getName(),
                    pod.getMetadata().getUid(),
                    revision.equals(pod.getMetadata().getLabels().get(REVISION_LABEL)),
                    isReady(pod)));
        }
        Set<NodeName> missing = new HashSet<>();
        Set<NodeName> lost = new HashSet<>();
        for (StorageNode node : view.storageNodes()) {
            NodeName name = new NodeName(node.getMetadata().getName());
            // One that never served takes nothing away.
            boolean served = node.getStatus().getAddress() != null;
            if (served && !Finding.isTrue(node.getStatus().getConditions(), ConditionType.READY)) {
                lost.add(name);
                if (!withPod.contains(name) && view.machine(name.value()).isPresent()) {
                    missing.add(name);
                }
            }
        }
        List<VolumeState> volumes =
                view.volumes().stream().flatMap(v -> state(v).stream()).toList();
        return new RolloutSituation(paused, pods, missing, lost, volumes);
    }

    private static boolean isReady(Pod pod) {
        return pod.getMetadata().getDeletionTimestamp() == null
                && pod.getStatus() != null
                && pod.getStatus().getConditions() != null
                && pod.getStatus().getConditions().stream()
                        .anyMatch(c -> "Ready".equals(c.getType()) && "True".equals(c.getStatus()));
    }

    private static Optional<VolumeState> state(Volume volume) {
        Optional<VolumeRecord> found = VolumeRecords.record(volume).filter(r -> !r.deleting());
        return found.map(record -> {
            Set<NodeName> copies = record.placement().stream()
                    .filter(c -> !record.removed().contains(c))
                    .map(ReplicaPlacement::node)
                    .collect(Collectors.toSet());
            Set<NodeName> inSync = record.config().inSync().stream()
                    .flatMap(m -> record.nodeOf(m.replica()).stream())
                    .collect(Collectors.toSet());
            Optional<RolloutSituation.Heir> heir = record.placement().stream()
                    .filter(c -> !c.replica().equals(record.config().primary())
                            && !record.removed().contains(c)
                            && record.config().member(c.replica()).isPresent())
                    .min(Comparator.comparing(ReplicaPlacement::node))
                    .map(c -> new RolloutSituation.Heir(c.node(), c.replica()));
            return new VolumeState(
                    volume.getMetadata().getName(),
                    record.id(),
                    copies,
                    inSync,
                    record.spec().replicas(),
                    record.primaryNode(),
                    heir);
        });
    }

    private void handOver(NodePod pod, List<VolumeState> volumes) {
        LOG.info("rollout: {} hands {} volumes over before it restarts", pod.node(), volumes.size());
        for (VolumeState volume : volumes) {
            volume.heir()
                    .ifPresent(heir -> failPoint.around(Step.HAND_OVER, () -> dataPlane
                            .handOver(pod.node(), volume.id(), heir.replica())
                            .ifPresent(
                                    e -> LOG.info("volume {}: {} keeps the lead: {}", volume.name(), pod.node(), e))));
        }
    }

    private void restart(NodePod pod) {
        LOG.info("rollout: {} restarts with the new template (pod {})", pod.node(), pod.pod());
        failPoint.around(Step.RESTART_NODE, () -> {
            Pod standing =
                    client.pods().inNamespace(namespace).withName(pod.pod()).get();
            if (standing != null && pod.uid().equals(standing.getMetadata().getUid())) {
                client.resource(standing).lockResourceVersion().delete();
            }
        });
    }
}
