package io.gabion.operator.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.gabion.api.condition.ConditionStatus;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.v1alpha1.DiskState;
import io.gabion.api.v1alpha1.NodeDisk;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.operator.fake.Objects;
import io.gabion.operator.node.NodeConditions.Evidence;
import io.gabion.operator.view.Finding;
import io.gabion.operator.view.NodeView;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NodeConditionsTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Optional<Node> MACHINE = Optional.of(Objects.machine("n"));

    private final StorageNode node = Objects.storageNode("n", NOW);

    private Finding finding(ConditionType type, Evidence evidence) {
        return NodeConditions.of(node, evidence).stream()
                .filter(f -> f.type() == type)
                .findFirst()
                .orElseThrow();
    }

    private Finding ready(Evidence evidence) {
        return finding(ConditionType.READY, evidence);
    }

    private static Evidence seen(boolean answers, String silence) {
        return new Evidence(MACHINE, pod(true), answers, silence.isEmpty() ? Optional.empty() : Optional.of(silence));
    }

    private static Optional<Pod> pod(boolean ready) {
        return Optional.of(new PodBuilder()
                .withNewMetadata()
                .withName("data-plane-n")
                .endMetadata()
                .withNewStatus()
                .addNewCondition()
                .withType("Ready")
                .withStatus(ready ? "True" : "False")
                .endCondition()
                .endStatus()
                .build());
    }

    @Test
    void aNodeThatAnswersServesWhateverKubernetesThinks() {
        assertThat(ready(new Evidence(Optional.empty(), Optional.empty(), true, Optional.empty()))
                        .status())
                .isEqualTo(ConditionStatus.TRUE);
    }

    @Test
    void aSilentNodeIsLostWithTheReason() {
        Finding ready = ready(seen(false, "connection refused"));
        assertThat(ready.reason()).isEqualTo(HealthCode.NodeLost);
        assertThat(ready.message()).isEqualTo("connection refused");
    }

    @Test
    void withoutItsMachineOrPodANodeIsLost() {
        assertThat(ready(new Evidence(Optional.empty(), Optional.empty(), false, Optional.empty()))
                        .message())
                .isEqualTo("the Node object does not exist");
        assertThat(ready(new Evidence(MACHINE, Optional.empty(), false, Optional.empty()))
                        .message())
                .isEqualTo("there is no data-plane pod on the node");
    }

    @Test
    void aNewLeaderKeepsWhatIsKnownUntilItHasAsked() {
        Objects.setReady(node.getStatus(), false, NOW);
        assertThat(ready(seen(false, "")).status()).isEqualTo(ConditionStatus.FALSE);
        Objects.setReady(node.getStatus(), true, NOW);
        assertThat(ready(seen(false, "")).status()).isEqualTo(ConditionStatus.TRUE);
    }

    @Test
    void aNodeThatNeverServedIsStarting() {
        node.getStatus().setAddress(null);
        node.getStatus().setConditions(List.of());
        assertThat(ready(seen(false, "")).reason()).isEqualTo(HealthCode.NodeStarting);
        assertThat(ready(new Evidence(MACHINE, pod(false), false, Optional.empty()))
                        .message())
                .isEqualTo("the pod data-plane-n is starting");
    }

    @Test
    void aBrokenDiskIsNamed() {
        NodeDisk disk = new NodeDisk();
        disk.setPool(Objects.POOL);
        disk.setDirectory("/var/lib/gabion/fast");
        assertThat(finding(ConditionType.DISKS_HEALTHY, seen(true, "")).reason())
                .isEqualTo(HealthCode.NoDisks);
        node.getSpec().setDisks(List.of(disk));
        assertThat(finding(ConditionType.DISKS_HEALTHY, seen(true, "")).status())
                .isEqualTo(ConditionStatus.TRUE);
        node.getStatus().getDisks().getFirst().setState(DiskState.FAILED);
        node.getStatus().getDisks().getFirst().setReason("input/output error");
        assertThat(finding(ConditionType.DISKS_HEALTHY, seen(true, "")).message())
                .isEqualTo("/var/lib/gabion/fast: input/output error");
    }

    @Test
    void aCordonedOrDrainedNodeTakesNothingNew() {
        assertThat(finding(ConditionType.SCHEDULABLE, seen(true, "")).status()).isEqualTo(ConditionStatus.TRUE);
        node.getMetadata().setAnnotations(Map.of(NodeView.DRAIN_ANNOTATION, "true"));
        assertThat(finding(ConditionType.SCHEDULABLE, seen(true, "")).message()).contains("its copies are to leave it");
        Node cordoned = Objects.machine("n");
        cordoned.getSpec().setUnschedulable(true);
        node.getMetadata().setAnnotations(Map.of());
        assertThat(finding(
                                ConditionType.SCHEDULABLE,
                                new Evidence(Optional.of(cordoned), pod(true), true, Optional.empty()))
                        .message())
                .isEqualTo("the node is cordoned");
    }
}
