package io.gabion.configstore;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.ClusterId;
import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeOrigin;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.PeerIdentity;
import io.gabion.protocol.control.PoolRecord;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SwapRulesTest {
    private final SwapRules rules = new SwapRules(TestRecords.CLUSTER);
    private final Records records = new Records();

    @Test
    void aVolumeIsCreatedOnceAndItsNameBelongsToIt() {
        VolumeRecord volume = TestRecords.volume("data", "n1", "n2");
        assertThat(swap(0, volume, TestRecords.OPERATOR)).isInstanceOf(Decision.Won.class);
        assertThat(swap(0, volume, TestRecords.OPERATOR)).isInstanceOf(Decision.AlreadyDone.class);
        assertThat(swap(0, volume.withConfig(volume.config().withNextVersion("x")), TestRecords.OPERATOR))
                .isInstanceOf(Decision.Lost.class);
        assertThat(violations(swap(0, TestRecords.volume("data", "n1"), TestRecords.OPERATOR)))
                .singleElement()
                .asString()
                .contains("\"data\"", volume.id().toString());
    }

    @Test
    void onlyTheExpectedVersionIsReplaced() {
        VolumeRecord first = TestRecords.volume("data", "n1");
        swap(0, first, TestRecords.OPERATOR);
        VolumeRecord second = first.withConfig(first.config().withNextVersion("n1/1"));
        VolumeRecord rival = first.withConfig(first.config().withNextVersion("n2/1"));
        assertThat(swap(1, second, TestRecords.OPERATOR)).isInstanceOf(Decision.Won.class);
        assertThat(swap(1, second, TestRecords.OPERATOR)).isInstanceOf(Decision.AlreadyDone.class);
        assertThat(swap(1, rival, TestRecords.OPERATOR))
                .isEqualTo(new Decision.Lost(java.util.Optional.of(new Change.VolumePut(second))));
        assertThat(swap(7, TestRecords.volume("none", "n1"), TestRecords.OPERATOR))
                .isEqualTo(new Decision.Lost(java.util.Optional.empty()));
    }

    @Test
    void forbiddenTransitionsAreRefusedInWords() {
        VolumeRecord first = TestRecords.volume("data", "n1", "n2");
        swap(0, first, TestRecords.OPERATOR);
        VolumeRecord shrunk = first.withConfig(first.config().withSizeBytes(4096, "x"));
        assertThat(violations(swap(1, shrunk, TestRecords.OPERATOR))).contains("size never shrinks");
    }

    @Test
    void aNodeChangesOnlyVolumesThatListItAndOnlyTheConfiguration() {
        VolumeRecord volume = TestRecords.volume("data", "n1", "n2");
        assertThat(swap(0, volume, TestRecords.node("n1"))).isInstanceOf(Decision.Denied.class);
        swap(0, volume, TestRecords.OPERATOR);
        VolumeRecord next = volume.withConfig(volume.config()
                .withMembers(volume.config().primary(), volume.config().inSync().subList(0, 1), "n1/1"));
        assertThat(swap(1, next, TestRecords.node("n3"))).isInstanceOf(Decision.Denied.class);
        assertThat(swap(1, next, TestRecords.node("n1"))).isInstanceOf(Decision.Won.class);
        assertThat(violations(
                        swap(2, next.withSpec(next.spec().withSizeBytes(2 << 20), "n1/2"), TestRecords.node("n1"))))
                .contains("a node does not change the specification");
        assertThat(violations(swap(
                        2,
                        next.withPlacement(
                                next.placement().subList(0, 1), next.placement().subList(1, 2), "n1/3"),
                        TestRecords.node("n1"))))
                .contains("a node takes only itself out of placement and removed");
    }

    @Test
    void aDeletedVolumeDisappearsWhenEveryNodeHasTakenItselfOut() {
        VolumeRecord volume = TestRecords.volume("data", "n1", "n2");
        swap(0, volume, TestRecords.OPERATOR);
        assertThat(violations(remove(volume, 1))).contains("the volume is not deleting");
        VolumeRecord deleting = volume.withDeleting("ops/1");
        swap(1, deleting, TestRecords.OPERATOR);
        assertThat(violations(remove(volume, 2))).singleElement().asString().contains("n1", "n2");
        VolumeRecord withoutFirst = deleting.withPlacement(deleting.placement().subList(1, 2), List.of(), "n1/1");
        assertThat(swap(2, withoutFirst, TestRecords.node("n1"))).isInstanceOf(Decision.Won.class);
        VolumeRecord empty = withoutFirst.withPlacement(List.of(), List.of(), "n2/1");
        assertThat(swap(3, empty, TestRecords.node("n1"))).isInstanceOf(Decision.Denied.class);
        assertThat(swap(3, empty, TestRecords.node("n2"))).isInstanceOf(Decision.Won.class);
        assertThat(remove(volume, 4)).isInstanceOf(Decision.Won.class);
        assertThat(remove(volume, 4)).isInstanceOf(Decision.Lost.class);
        assertThat(records.volumes()).isEmpty();
    }

    @Test
    void aCloneBeginsOnNodesOfItsParentAboveEverythingThatItInherits() {
        VolumeRecord parent = TestRecords.volume("data", "n1", "n2");
        swap(0, parent, TestRecords.OPERATOR);
        swap(1, parent.withConfig(parent.config().withSnapSequence(3, "ops/1")), TestRecords.OPERATOR);
        VolumeOrigin origin = new VolumeOrigin(parent.id(), 3, new Lsn(4, 17));
        assertThat(violations(swap(0, clone(TestRecords.volume("copy", "n1"), origin, 1), TestRecords.OPERATOR)))
                .containsExactly("the first epoch is 5");
        assertThat(violations(swap(0, clone(TestRecords.volume("copy", "n3"), origin, 5), TestRecords.OPERATOR)))
                .singleElement()
                .asString()
                .contains("on a node of the volume " + parent.id());
        VolumeOrigin never = new VolumeOrigin(parent.id(), 4, new Lsn(4, 17));
        assertThat(violations(swap(0, clone(TestRecords.volume("copy", "n1"), never, 5), TestRecords.OPERATOR)))
                .singleElement()
                .asString()
                .contains("never had a snapshot 4");
        VolumeRecord copy = clone(TestRecords.volume("copy", "n2"), origin, 5);
        assertThat(swap(0, copy, TestRecords.OPERATOR)).isInstanceOf(Decision.Won.class);
        VolumeRecord forgotten = new VolumeRecord(
                copy.id(),
                copy.spec(),
                copy.placement(),
                copy.removed(),
                false,
                copy.config().withNextVersion("ops/2"));
        assertThat(violations(swap(1, forgotten, TestRecords.OPERATOR)))
                .containsExactly("the origin of a clone never changes");
    }

    private static VolumeRecord clone(VolumeRecord plain, VolumeOrigin origin, long epoch) {
        VolumeConfig c = plain.config();
        VolumeConfig config = new VolumeConfig(
                1, epoch, c.primary(), c.inSync(), 0, c.sizeBytes(), 0, List.of(), 0, "test/" + UUID.randomUUID());
        return new VolumeRecord(
                plain.id(), plain.spec(), plain.placement(), List.of(), false, config, Optional.of(origin));
    }

    @Test
    void theNameOfADeletingVolumeIsFree() {
        VolumeRecord volume = TestRecords.volume("data", "n1");
        swap(0, volume, TestRecords.OPERATOR);
        swap(1, volume.withDeleting("ops/1"), TestRecords.OPERATOR);
        assertThat(swap(0, TestRecords.volume("data", "n1"), TestRecords.OPERATOR))
                .isInstanceOf(Decision.Won.class);
    }

    @Test
    void theOpenCountOfADiskNeverFallsAndTwoOpeningsNeverLookAlike() {
        DiskId id = new DiskId(UUID.randomUUID());
        PeerIdentity n1 = TestRecords.node("n1");
        assertThat(swapDisk(0, TestRecords.disk(id, "n1", 1, 1), n1)).isInstanceOf(Decision.Won.class);
        DiskRecord opened = TestRecords.disk(id, "n1", 5, 2);
        assertThat(swapDisk(1, opened, n1)).isInstanceOf(Decision.Won.class);
        assertThat(swapDisk(1, opened, n1)).isInstanceOf(Decision.Lost.class);
        assertThat(violations(swapDisk(2, TestRecords.disk(id, "n1", 4, 3), n1)))
                .singleElement()
                .asString()
                .contains("openCount never falls");
        assertThat(swapDisk(2, TestRecords.disk(id, "n2", 6, 3), TestRecords.node("n2")))
                .isInstanceOf(Decision.Denied.class);
        ClusterId other = new ClusterId(UUID.randomUUID());
        assertThat(violations(swapDisk(
                        0, new DiskRecord(new DiskId(UUID.randomUUID()), other, new NodeName("n1"), "p", 1, 1), n1)))
                .singleElement()
                .asString()
                .contains(other.toString());
    }

    @Test
    void nodesWriteTheirOwnAddressAndOperatorsThePools() {
        NodeRecord node = new NodeRecord(new NodeName("n1"), "127.0.0.1", 1, 2, 3, "0.1", 0);
        assertThat(decide(new Request.PutNode(node), TestRecords.node("n2"))).isInstanceOf(Decision.Denied.class);
        assertThat(decide(new Request.PutNode(node), TestRecords.node("n1"))).isInstanceOf(Decision.Won.class);
        assertThat(records.node(node.name()).orElseThrow().version()).isEqualTo(1);
        Request pool = new Request.SwapPool(0, new PoolRecord("fast", List.of(), 1));
        assertThat(decide(pool, TestRecords.node("n1"))).isInstanceOf(Decision.Denied.class);
        assertThat(decide(pool, TestRecords.OPERATOR)).isInstanceOf(Decision.Won.class);
        assertThat(decide(pool, TestRecords.OPERATOR)).isInstanceOf(Decision.Lost.class);
    }

    private Decision swap(long expected, VolumeRecord next, PeerIdentity caller) {
        return decide(new Request.SwapVolume(expected, next), caller);
    }

    private Decision swapDisk(long expected, DiskRecord next, PeerIdentity caller) {
        return decide(new Request.SwapDisk(expected, next), caller);
    }

    private Decision remove(VolumeRecord volume, long expected) {
        return decide(new Request.RemoveVolume(volume.id(), expected), TestRecords.OPERATOR);
    }

    private Decision decide(Request request, PeerIdentity caller) {
        Decision decision = rules.decide(records, request, caller);
        if (decision instanceof Decision.Won won) {
            records.apply(won.change());
        }
        return decision;
    }

    private static List<String> violations(Decision decision) {
        assertThat(decision).isInstanceOf(Decision.Refused.class);
        return ((Decision.Refused) decision).violations();
    }
}
