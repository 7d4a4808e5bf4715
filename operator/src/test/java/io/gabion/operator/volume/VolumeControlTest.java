package io.gabion.operator.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Quantity;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.ClaimReference;
import io.gabion.api.v1alpha1.Locality;
import io.gabion.api.v1alpha1.ReplicaOnNode;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.model.Attachment;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.failpoint.Step;
import io.gabion.operator.fake.FakeCluster;
import io.gabion.operator.fake.FakeNodes;
import io.gabion.operator.fake.Objects;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VolumeControlTest {
    private static final String NAME = "pvc-1";
    private static final Duration PAST_DELAY = Duration.ofMinutes(6);

    private static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** A cluster, its nodes and an operator that may crash once. */
    private static final class World {
        final FakeCluster cluster;
        final FakeNodes nodes;
        final Set<Step> reached = EnumSet.noneOf(Step.class);
        private Optional<Step> crashAt = Optional.empty();
        private FailPoint.Side crashSide = FailPoint.Side.BEFORE;
        boolean crashed;
        private VolumeControl control;

        World(String... names) {
            cluster = new FakeCluster(names);
            nodes = new FakeNodes(cluster, names);
            control = start();
        }

        void crashOnce(Step step, FailPoint.Side side) {
            crashAt = Optional.of(step);
            crashSide = side;
        }

        private VolumeControl start() {
            FailPoint failPoint = (step, side) -> {
                reached.add(step);
                if (!crashed && crashAt.filter(step::equals).isPresent() && side == crashSide) {
                    crashed = true;
                    throw new Crash();
                }
            };
            return new VolumeControl(
                    new VolumeControl.Surroundings(cluster, cluster, cluster, cluster, cluster, failPoint, cluster),
                    new VolumePlanner(cluster::identity));
        }

        /** Operator and nodes work until neither has anything to do. */
        void settle() {
            for (int round = 0; round < 60; round++) {
                Optional<Volume> volume = cluster.read(NAME);
                if (volume.isEmpty()) {
                    return;
                }
                String before = volume.get().getMetadata().getResourceVersion();
                try {
                    if (control.reconcile(volume.get()).forget()) {
                        cluster.forget(NAME);
                        return;
                    }
                } catch (Crash e) {
                    control = start();
                    continue;
                }
                boolean acted = nodes.act(NAME);
                boolean same = cluster.read(NAME)
                        .map(v -> v.getMetadata().getResourceVersion().equals(before))
                        .orElse(true);
                if (!acted && same && !hasFreshTombstone()) {
                    return;
                }
            }
            throw new AssertionError("does not settle: " + cluster.read(NAME));
        }

        private boolean hasFreshTombstone() {
            return cluster.read(NAME)
                    .map(v -> v.getMetadata().getDeletionTimestamp() != null
                            && cluster.storageNodes().stream()
                                    .anyMatch(n -> !n.getSpec().getTombstones().isEmpty()))
                    .orElse(false);
        }

        void kill(String node) {
            nodes.kill(node);
            cluster.setReady(node, false);
        }

        void revive(String node) {
            nodes.revive(node);
            cluster.setReady(node, true);
        }

        VolumeStatus status() {
            return cluster.read(NAME).orElseThrow().getStatus();
        }

        VolumeRecord record() {
            return VolumeRecords.record(cluster.read(NAME).orElseThrow()).orElseThrow();
        }

        Set<String> copies() {
            return status().getPlacement().stream()
                    .map(ReplicaOnNode::getNode)
                    .collect(Collectors.toCollection(TreeSet::new));
        }

        Set<String> labels() {
            return cluster.read(NAME).orElseThrow().getMetadata().getLabels().keySet().stream()
                    .map(l -> l.substring(l.indexOf('/') + 1))
                    .collect(Collectors.toCollection(TreeSet::new));
        }

        Condition condition(String type) {
            return status().getConditions().stream()
                    .filter(c -> c.getType().equals(type))
                    .findFirst()
                    .orElseThrow();
        }

        void attach(String node) {
            Volume volume = cluster.read(NAME).orElseThrow();
            VolumeRecord r = VolumeRecords.record(volume).orElseThrow();
            VolumeConfig next = r.config()
                    .withAttachments(
                            List.of(new Attachment(
                                    new NodeName(node), r.config().version(), false)),
                            r.config().sessionFloor(),
                            "csi/attach");
            cluster.swap(volume, r.withConfig(next));
        }

        void detach() {
            Volume volume = cluster.read(NAME).orElseThrow();
            VolumeRecord r = VolumeRecords.record(volume).orElseThrow();
            cluster.swap(
                    volume,
                    r.withConfig(
                            r.config().withAttachments(List.of(), r.config().sessionFloor(), "csi/detach")));
        }
    }

    @Test
    void aHandMadeVolumeIsPlacedOnThreeNodesAndServes() {
        World w = new World("a", "b", "c", "d");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        VolumeRecord record = w.record();
        assertThat(record.config().version()).isEqualTo(1);
        assertThat(record.config().epoch()).isEqualTo(1);
        assertThat(record.config().inSync()).hasSize(3).allMatch(m -> m.incarnation() == 0);
        assertThat(w.copies()).hasSize(3).isEqualTo(w.labels());
        assertThat(w.condition("Ready").getStatus()).isEqualTo("True");
        assertThat(w.condition("Redundant").getReason()).isEqualTo("Redundant");
        assertThat(w.status().getCopies()).isEqualTo("3/3");
        assertThat(w.status().getConditions()).hasSize(6);
        assertThat(w.cluster.news()).containsExactly("Volume/pvc-1 Normal Provisioned: 3/3 copies on a, b, c");
    }

    @Test
    void newsGoToTheClaimToo() {
        World w = new World("a", "b", "c");
        Volume volume = Objects.volume(NAME, 3);
        ClaimReference claim = new ClaimReference();
        claim.setNamespace("shop");
        claim.setName("data");
        volume.getSpec().setClaimRef(claim);
        w.cluster.create(volume);
        w.settle();
        assertThat(w.cluster.news())
                .contains("PersistentVolumeClaim/data Normal Provisioned: volume pvc-1: 3/3 copies on a, b, c");
        assertThat(w.status().getClaim()).isEqualTo("shop/data");
    }

    @Test
    void withTooFewNodesTheVolumeSaysWhyAndIsPlacedOnceThereAreEnough() {
        World w = new World("a", "b", "c");
        w.kill("b");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        assertThat(w.condition("Placed").getReason()).isEqualTo("NoPlacement");
        assertThat(w.condition("Stalled").getMessage()).isEqualTo("1 of 3 copies cannot be placed: b: is not ready");
        assertThat(w.cluster.news())
                .containsExactly("Volume/pvc-1 Warning NoPlacement: 1 of 3 copies cannot be placed: b: is not ready");
        w.revive("b");
        w.settle();
        assertThat(w.status().getCopies()).isEqualTo("3/3");
    }

    @Test
    void aMissingPoolIsNamed() {
        World w = new World("a");
        w.cluster.removePool();
        w.cluster.create(Objects.volume(NAME, 1));
        w.settle();
        assertThat(w.condition("Stalled").getReason()).isEqualTo("PoolNotFound");
    }

    @Test
    void scalingGoesDownAndUpAndDown() {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 2));
        w.settle();
        Set<String> first = w.copies();
        w.cluster.edit(NAME, v -> v.getSpec().setReplicas(3));
        w.settle();
        assertThat(w.copies()).containsExactly("a", "b", "c");
        assertThat(w.status().getCopies()).isEqualTo("3/3");
        w.cluster.edit(NAME, v -> v.getSpec().setReplicas(2));
        w.settle();
        assertThat(w.copies()).hasSize(2).isEqualTo(w.labels()).containsAnyElementsOf(first);
        assertThat(w.status().getCopies()).isEqualTo("2/2");
        assertThat(w.status().getRemoved()).isEmpty();
        assertThat(w.condition("Reconciling").getStatus()).isEqualTo("False");
        assertThat(w.cluster.news()).noneMatch(n -> n.contains("ReplicaLost"));
    }

    @Test
    void growthIsPassedOnAndSeen() {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        w.cluster.edit(NAME, v -> v.getSpec().setSize(new Quantity("2Gi")));
        w.settle();
        assertThat(w.record().config().sizeBytes()).isEqualTo(2 * Objects.GIB);
        assertThat(w.cluster.news()).contains("Volume/pvc-1 Normal Expanded: every copy in sync has the new size");
    }

    @Test
    void aLostCopyIsReplacedAfterTheDelayAndTheReturningOneIsErased() {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 2));
        w.settle();
        assertThat(w.copies()).containsExactly("a", "b");
        w.kill("b");
        w.settle();
        assertThat(w.condition("Redundant").getReason()).isEqualTo("ReplicaLost");
        w.cluster.pass(Duration.ofMinutes(4));
        w.settle();
        assertThat(w.copies()).containsExactly("a", "b");
        w.cluster.pass(PAST_DELAY);
        w.settle();
        assertThat(w.status().getCopies()).isEqualTo("2/2");
        assertThat(w.condition("Redundant").getStatus()).isEqualTo("True");
        assertThat(w.copies()).containsExactly("a", "c");
        assertThat(w.status().getRemoved()).extracting(ReplicaOnNode::getNode).containsExactly("b");
        assertThat(w.labels()).as("the lost node must still see its tombstone").contains("b");
        w.revive("b");
        w.settle();
        assertThat(w.copies()).containsExactly("a", "c").isEqualTo(w.labels());
        assertThat(w.status().getRemoved()).isEmpty();
    }

    @Test
    void withoutAnotherFailureDomainTheVolumeSaysSoAndNeverDoublesACopy() {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        w.kill("c");
        w.settle();
        w.cluster.pass(PAST_DELAY);
        w.settle();
        assertThat(w.copies()).containsExactly("a", "b", "c");
        assertThat(w.condition("Redundant").getReason()).isEqualTo("NoPlacement");
        assertThat(w.condition("Redundant").getMessage())
                .startsWith("2 of 3 copies in sync; c is ABSENT (NodeLost); 1 of 1 copies cannot be placed: ");
        assertThat(w.condition("Ready").getStatus()).isEqualTo("True");
        w.revive("c");
        w.settle();
        assertThat(w.condition("Redundant").getStatus()).isEqualTo("True");
        assertThat(w.condition("Stalled").getStatus()).isEqualTo("False");
    }

    @Test
    void aNodeThatReturnsDuringTheRebuildLeavesNoSurplus() {
        World w = new World("a", "b", "c", "d");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        w.kill("c");
        w.settle();
        w.cluster.pass(PAST_DELAY);
        w.nodes.kill("d");
        w.settle();
        assertThat(w.copies()).containsExactly("a", "b", "c", "d");
        w.revive("c");
        w.nodes.revive("d");
        w.settle();
        assertThat(w.copies()).hasSize(3);
        assertThat(w.status().getCopies()).isEqualTo("3/3");
    }

    @ParameterizedTest
    @CsvSource({"c, c", "gone, a", "Not A Node, a", "'', a"})
    void theFirstCopyIsWhereTheFirstPodStarts(String wish, String leader) {
        World w = new World("a", "b", "c", "d");
        Volume volume = Objects.volume(NAME, 2);
        volume.getMetadata().setAnnotations(Map.of("gabion.io/preferred-node", wish));
        w.cluster.create(volume);
        w.settle();
        assertThat(w.status().getCopies()).isEqualTo("2/2");
        assertThat(w.status().getPrimaryNode()).isEqualTo(leader);
    }

    @Test
    void deletionEndsWhenEveryNodeHasErased() {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        w.cluster.delete(NAME);
        w.settle();
        assertThat(w.cluster.read(NAME)).isEmpty();
        assertThat(w.cluster.node("a").getSpec().getTombstones()).isEmpty();
        assertThat(w.cluster.news()).noneMatch(n -> n.contains("Warning"));
    }

    @Test
    void aDeadNodeGetsATombstoneAndDoesNotHoldDeletionUp() {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        w.kill("b");
        w.cluster.delete(NAME);
        w.settle();
        assertThat(w.cluster.read(NAME)).isEmpty();
        assertThat(w.cluster.node("b").getSpec().getTombstones()).hasSize(1);
        assertThat(w.cluster.node("a").getSpec().getTombstones()).isEmpty();
    }

    @Test
    void aSilentNodeOfWhichNobodyKnowsYetHoldsDeletionUpForSecondsOnly() {
        World w = deletedWhileSilent("b");
        assertThat(w.condition("Reconciling").getMessage())
                .isEqualTo("waiting for these nodes to erase their copies: [b]");
        w.cluster.pass(Duration.ofSeconds(6));
        w.settle();
        assertThat(w.cluster.read(NAME)).isEmpty();
        assertThat(w.cluster.node("b").getSpec().getTombstones()).hasSize(1);
    }

    /** A volume with a copy on every node that waits to be erased, and one of the nodes does not answer. */
    private static World deletedWhileSilent(String silent) {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        w.nodes.kill(silent);
        w.cluster.delete(NAME);
        w.settle();
        return w;
    }

    @Test
    void aLeaderThatFollowsDuringADeletionDoesNotBeginToWaitAnew() {
        World w = deletedWhileSilent("b");
        w.cluster.pass(Duration.ofSeconds(6));
        w.control = w.start();
        w.settle();
        assertThat(w.cluster.read(NAME)).isEmpty();
        assertThat(w.cluster.node("b").getSpec().getTombstones()).hasSize(1);
    }

    @Test
    void aSilentNodeIsNotLeftATombstoneAtOnce() {
        World w = deletedWhileSilent("b");
        w.control = w.start();
        w.cluster.pass(Duration.ofSeconds(2));
        w.settle();
        assertThat(w.cluster.read(NAME)).isPresent();
        assertThat(w.cluster.node("b").getSpec().getTombstones()).isEmpty();
    }

    @Test
    void aVolumeInUseOrProtectedIsNotDeleted() {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        w.attach("b");
        w.cluster.edit(NAME, v -> v.getSpec().setDeletionProtection(true));
        w.cluster.delete(NAME);
        w.settle();
        assertThat(w.condition("Stalled").getReason()).isEqualTo("DeletionProtected");
        w.cluster.edit(NAME, v -> v.getSpec().setDeletionProtection(false));
        w.settle();
        assertThat(w.condition("Stalled").getReason()).isEqualTo("InUse");
        assertThat(w.condition("Stalled").getMessage())
                .isEqualTo("the volume is attached to [b]; delete the pods that use it first");
        ClaimReference claim = new ClaimReference();
        claim.setNamespace("shop");
        claim.setName("data");
        w.cluster.edit(NAME, v -> v.getSpec().setClaimRef(claim));
        w.settle();
        assertThat(w.condition("Stalled").getMessage()).endsWith("delete its pods [consumer-of-data] first");
        w.detach();
        w.settle();
        assertThat(w.cluster.read(NAME)).isEmpty();
    }

    @Test
    void theLeadFollowsTheConsumerWhenItsNodeHoldsACopy() {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        assertThat(w.status().getPrimaryNode()).isEqualTo("a");
        w.attach("c");
        w.settle();
        assertThat(w.status().getPrimaryNode()).isEqualTo("c");
        w.cluster.edit(NAME, v -> v.getSpec().setLocality(Locality.NONE));
        w.detach();
        w.attach("b");
        w.settle();
        assertThat(w.status().getPrimaryNode()).isEqualTo("c");
    }

    @Test
    void aDrainedNodeGivesItsCopyAndItsLeadAway() {
        World w = new World("a", "b", "c", "d");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        w.cluster.node("a").getMetadata().setAnnotations(java.util.Map.of("gabion.io/drain", "true"));
        w.settle();
        assertThat(w.copies()).containsExactly("b", "c", "d");
        assertThat(w.status().getCopies()).isEqualTo("3/3");
    }

    @Test
    void aCondemnedCopyOnANodeThatIsGoneForGoodIsForgotten() {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 2));
        w.settle();
        w.kill("b");
        w.settle();
        w.cluster.pass(PAST_DELAY);
        w.settle();
        w.cluster.removeNode("b");
        w.settle();
        assertThat(w.copies()).containsExactly("a", "c");
        assertThat(w.status().getRemoved()).isEmpty();
    }

    @Test
    void whileTheClusterIsPausedNothingIsDoneButWhatWaitsIsSaid() {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 2));
        w.settle();
        w.cluster.pause(true);
        w.settle();
        assertThat(w.condition("Stalled").getStatus()).isEqualTo("False");
        w.kill("b");
        w.settle();
        w.cluster.pass(PAST_DELAY);
        w.settle();
        assertThat(w.copies()).containsExactly("a", "b");
        assertThat(w.condition("Stalled").getReason()).isEqualTo("Paused");
        assertThat(w.condition("Stalled").getMessage())
                .isEqualTo("this waits because spec.paused of the StorageCluster is true: copies on [c]");
        w.cluster.pause(false);
        w.settle();
        assertThat(w.status().getCopies()).isEqualTo("2/2");
        assertThat(w.condition("Stalled").getStatus()).isEqualTo("False");
    }

    @Test
    void nothingIsWrittenWhenNothingChanged() {
        World w = new World("a", "b", "c");
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        String version = w.cluster.read(NAME).orElseThrow().getMetadata().getResourceVersion();
        w.cluster.pass(Duration.ofHours(1));
        w.settle();
        assertThat(w.cluster.read(NAME).orElseThrow().getMetadata().getResourceVersion())
                .isEqualTo(version);
    }

    /** The whole life of a volume; a crash at any point changes nothing about where it ends. */
    private static void live(World w) {
        w.cluster.create(Objects.volume(NAME, 3));
        w.settle();
        w.cluster.edit(NAME, v -> v.getSpec().setReplicas(2));
        w.settle();
        w.cluster.edit(NAME, v -> v.getSpec().setReplicas(3));
        w.settle();
        w.attach(w.copies().stream()
                .filter(n -> !n.equals(w.status().getPrimaryNode()))
                .findFirst()
                .orElseThrow());
        w.settle();
        w.cluster.edit(NAME, v -> v.getSpec().setSize(new Quantity("3Gi")));
        w.settle();
        String victim = w.copies().stream()
                .filter(n -> !n.equals(w.status().getPrimaryNode()))
                .findFirst()
                .orElseThrow();
        w.kill(victim);
        w.settle();
        w.cluster.pass(PAST_DELAY);
        w.settle();
        assertThat(w.status().getCopies()).isEqualTo("3/3");
        assertThat(w.record().config().sizeBytes()).isEqualTo(3 * Objects.GIB);
        w.cluster.removeNode(victim);
        w.settle();
        assertThat(w.copies()).hasSize(3).doesNotContain(victim).isEqualTo(w.labels());
        String second = w.copies().stream()
                .filter(n -> !n.equals(w.status().getPrimaryNode()))
                .findFirst()
                .orElseThrow();
        w.kill(second);
        w.settle();
        w.detach();
        w.cluster.delete(NAME);
        w.settle();
        w.cluster.pass(Duration.ofSeconds(30));
        w.settle();
        assertThat(w.cluster.read(NAME)).isEmpty();
        assertThat(w.cluster.node(second).getSpec().getTombstones()).hasSize(1);
    }

    @Test
    void aCrashBeforeOrAfterAnyStepHeals() {
        World quiet = new World("a", "b", "c", "d", "e");
        live(quiet);
        List<Step> steps = new ArrayList<>(quiet.reached);
        assertThat(steps)
                .contains(
                        Step.LABEL_VOLUME,
                        Step.UNLABEL_VOLUME,
                        Step.CREATE_RECORD,
                        Step.COPY_SPEC,
                        Step.ADD_REPLICA,
                        Step.REMOVE_REPLICA,
                        Step.RETIRE_REPLICA,
                        Step.DROP_GONE_REPLICA,
                        Step.MARK_DELETING,
                        Step.BURY_REPLICA,
                        Step.DROP_BURIED_REPLICA,
                        Step.HAND_OVER,
                        Step.REPORT_VOLUME);
        for (Step step : steps) {
            for (FailPoint.Side side : FailPoint.Side.values()) {
                World w = new World("a", "b", "c", "d", "e");
                w.crashOnce(step, side);
                live(w);
                assertThat(w.crashed).as("%s %s", step, side).isTrue();
            }
        }
    }
}
