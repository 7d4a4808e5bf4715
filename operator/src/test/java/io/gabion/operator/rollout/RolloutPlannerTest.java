package io.gabion.operator.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import io.gabion.operator.rollout.RolloutSituation.Heir;
import io.gabion.operator.rollout.RolloutSituation.NodePod;
import io.gabion.operator.rollout.RolloutSituation.VolumeState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RolloutPlannerTest {
    private static final NodeName A = new NodeName("a");
    private static final NodeName B = new NodeName("b");
    private static final NodeName C = new NodeName("c");

    private static NodePod pod(NodeName node, boolean current, boolean ready) {
        return new NodePod(node, "pod-" + node, "uid-" + node, current, ready);
    }

    private static VolumeState volume(String name, NodeName leader, NodeName... inSync) {
        Set<NodeName> members = Stream.of(inSync).collect(Collectors.toSet());
        Optional<Heir> heir = members.stream()
                .filter(n -> !n.equals(leader))
                .findFirst()
                .map(n -> new Heir(n, new ReplicaId(UUID.randomUUID())));
        return new VolumeState(
                name, new VolumeId(UUID.randomUUID()), Set.of(A, B, C), members, 3, Optional.of(leader), heir);
    }

    private static RolloutStep plan(List<NodePod> pods, VolumeState... volumes) {
        return RolloutPlanner.plan(new RolloutSituation(false, pods, Set.of(), Set.of(), List.of(volumes)));
    }

    @Test
    void withCurrentPodsNothingIsDone() {
        assertThat(plan(List.of(pod(A, true, true), pod(B, true, false)))).isEqualTo(new RolloutStep.Done());
    }

    @Test
    void theNodeThatLeadsLeastIsFirst() {
        List<NodePod> pods = List.of(pod(A, false, true), pod(B, false, true), pod(C, false, true));
        assertThat(plan(pods, volume("v", A, A, B, C), volume("w", B, A, B, C)))
                .isEqualTo(new RolloutStep.Restart(pods.get(2)));
    }

    @Test
    void aLeaderHandsOverBeforeItRestarts() {
        List<NodePod> pods = List.of(pod(A, false, true), pod(B, true, true), pod(C, true, true));
        VolumeState led = volume("v", A, A, B, C);
        assertThat(plan(pods, led)).isEqualTo(new RolloutStep.HandOver(pods.getFirst(), List.of(led)));
        assertThat(plan(pods, volume("v", B, A, B, C))).isEqualTo(new RolloutStep.Restart(pods.getFirst()));
    }

    @Test
    void aVolumeWithoutAllItsCopiesHoldsItsNodesBack() {
        List<NodePod> pods = List.of(pod(A, false, true), pod(B, false, true), pod(C, false, true));
        List<VolumeState> degraded = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            degraded.add(volume("v" + i, B, A, B));
        }
        assertThat(plan(pods, degraded.toArray(VolumeState[]::new)))
                .isEqualTo(new RolloutStep.Blocked(
                        false,
                        "a is next, but these volumes there lack copies in sync: v0 (2/3), v1 (2/3), v2 (2/3), v3 (2/3),"
                                + " v4 (2/3) and 2 more"));
    }

    @Test
    void whileARestartedNodeIsNotBackTheNextOneWaits() {
        assertThat(plan(List.of(pod(A, true, false), pod(B, false, true))))
                .isEqualTo(new RolloutStep.Waiting("for [a] to serve again"));
    }

    @Test
    void whileAnotherOutdatedNodeIsDownOnlyThatOneMayRestart() {
        List<NodePod> pods = List.of(pod(A, false, true), pod(B, false, false));
        assertThat(plan(pods)).isEqualTo(new RolloutStep.Restart(pods.get(1)));
        List<NodePod> two = List.of(pod(A, false, false), pod(B, false, false), pod(C, false, true));
        assertThat(plan(two)).isEqualTo(new RolloutStep.Blocked(false, "other storage nodes are down: [b]"));
    }

    @Test
    void aReadyNodeThatDoesNotAnswerStaysWhileVolumesCountOnItsCopyAndLackOthers() {
        List<NodePod> pods = List.of(pod(A, false, true), pod(B, false, true));
        assertThat(planWithout(B, pods, volume("v", A, A, B), volume("w", A, A, C)))
                .isEqualTo(new RolloutStep.Blocked(
                        false,
                        "b is next and does not answer, but these volumes count on its copy and lack others: v (2/3)"));
        assertThat(planWithout(B, pods, volume("v", A, A, C))).isEqualTo(new RolloutStep.Restart(pods.get(1)));
        assertThat(planWithout(B, pods, volume("v", B, A, B, C))).isEqualTo(new RolloutStep.Restart(pods.get(1)));
        List<NodePod> crashed = List.of(pod(A, false, true), pod(B, false, false));
        assertThat(planWithout(B, crashed, volume("v", A, A, B))).isEqualTo(new RolloutStep.Restart(crashed.get(1)));
    }

    private static RolloutStep planWithout(NodeName lost, List<NodePod> pods, VolumeState... volumes) {
        return RolloutPlanner.plan(new RolloutSituation(false, pods, Set.of(), Set.of(lost), List.of(volumes)));
    }

    @Test
    void aNodeWhosePodIsBeingMadeIsAwaited() {
        RolloutSituation at =
                new RolloutSituation(false, List.of(pod(A, false, true)), Set.of(B), Set.of(B), List.of());
        assertThat(RolloutPlanner.plan(at)).isEqualTo(new RolloutStep.Waiting("for [b] to serve again"));
    }

    @Test
    void pausedNothingRestarts() {
        RolloutSituation at = new RolloutSituation(true, List.of(pod(A, false, true)), Set.of(), Set.of(), List.of());
        assertThat(RolloutPlanner.plan(at))
                .isEqualTo(new RolloutStep.Blocked(true, "1 storage nodes are outdated; spec.paused is true"));
    }
}
