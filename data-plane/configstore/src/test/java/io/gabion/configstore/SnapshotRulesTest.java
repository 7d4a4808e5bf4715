package io.gabion.configstore;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.PeerIdentity;
import io.gabion.protocol.control.SnapshotRecord;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SnapshotRulesTest {
    private final SwapRules rules = new SwapRules(TestRecords.CLUSTER);
    private final Records records = new Records();
    private VolumeRecord volume = TestRecords.volume("data", "n1", "n2");

    @BeforeEach
    void aVolumeWithTwoReservedNumbers() {
        decide(new Request.SwapVolume(0, volume), TestRecords.OPERATOR);
        reserve(2);
    }

    @Test
    void aNameAndANumberBelongToOneSnapshot() {
        SnapshotRecord first = snapshot("daily", 1);
        assertThat(swap(0, first)).isInstanceOf(Decision.Won.class);
        assertThat(swap(0, first)).isInstanceOf(Decision.AlreadyDone.class);
        assertThat(swap(0, snapshot("daily", 2)))
                .isEqualTo(new Decision.Lost(Optional.of(new Change.SnapshotPut(first))));
        assertThat(violations(swap(0, snapshot("weekly", 1))))
                .singleElement()
                .asString()
                .contains("number 1", "\"daily\"");
        assertThat(swap(0, snapshot("weekly", 2))).isInstanceOf(Decision.Won.class);
        assertThat(records.snapshots(volume.id()))
                .extracting(SnapshotRecord::name)
                .containsExactly("daily", "weekly");
    }

    @Test
    void onlyAReservedNumberOfALivingVolumeIsNamed() {
        assertThat(violations(swap(0, snapshot("daily", 3))))
                .singleElement()
                .asString()
                .contains("not reserved");
        VolumeRecord stranger = TestRecords.volume("other", "n1");
        SnapshotRecord nowhere = new SnapshotRecord(stranger.id(), "s1", 1, Optional.empty(), 0, false, 1);
        assertThat(violations(swap(0, nowhere))).singleElement().asString().contains("no volume");
        change(volume.withDeleting("ops/9"));
        assertThat(violations(swap(0, snapshot("daily", 1))))
                .singleElement()
                .asString()
                .contains("being deleted");
    }

    @Test
    void whatWasTakenNeverChangesAndADeletionIsNeverTakenBack() {
        SnapshotRecord wanted = snapshot("daily", 1);
        swap(0, wanted);
        SnapshotRecord again = wanted.withNumber(2);
        assertThat(swap(1, again)).isInstanceOf(Decision.Won.class);
        SnapshotRecord taken = again.withTaken(new SnapshotRecord.Taken(new Lsn(1, 5), 4096));
        assertThat(swap(2, taken)).isInstanceOf(Decision.Won.class);
        reserve(5);
        assertThat(violations(swap(3, taken.withNumber(5))))
                .singleElement()
                .asString()
                .contains("number");
        assertThat(violations(swap(3, taken.withTaken(new SnapshotRecord.Taken(new Lsn(1, 6), 4096)))))
                .singleElement()
                .asString()
                .contains("never changes");
        assertThat(violations(remove("daily", 3))).containsExactly("the snapshot is not deleting");
        SnapshotRecord deleting = taken.withDeleting();
        assertThat(swap(3, deleting)).isInstanceOf(Decision.Won.class);
        SnapshotRecord back = new SnapshotRecord(volume.id(), "daily", 2, deleting.taken(), 0, false, 5);
        assertThat(violations(swap(4, back))).containsExactly("deletion is never taken back");
        assertThat(remove("daily", 3)).isInstanceOf(Decision.Lost.class);
        assertThat(remove("daily", 4)).isInstanceOf(Decision.Won.class);
        assertThat(remove("daily", 4)).isEqualTo(new Decision.Lost(Optional.empty()));
        assertThat(records.snapshots()).isEmpty();
    }

    @Test
    void aNodeNeitherNamesSnapshotsNorReservesTheirNumbers() {
        PeerIdentity n1 = TestRecords.node("n1");
        assertThat(decide(new Request.SwapSnapshot(0, snapshot("daily", 1)), n1))
                .isInstanceOf(Decision.Denied.class);
        assertThat(decide(new Request.RemoveSnapshot(volume.id(), "daily", 1), n1))
                .isInstanceOf(Decision.Denied.class);
        VolumeRecord next = volume.withConfig(volume.config().withSnapSequence(9, "n1/1"));
        assertThat(violations(decide(new Request.SwapVolume(volume.config().version(), next), n1)))
                .containsExactly("a node reserves no numbers for snapshots");
    }

    @Test
    void namesGoWithTheirVolume() {
        swap(0, snapshot("daily", 1));
        change(volume.withDeleting("ops/1"));
        change(volume.withPlacement(List.of(), List.of(), "ops/2"));
        decide(new Request.RemoveVolume(volume.id(), volume.config().version()), TestRecords.OPERATOR);
        assertThat(records.volumes()).isEmpty();
        assertThat(records.snapshots()).isEmpty();
    }

    @Test
    void snapshotsAreInTheLogAndInItsCompactedForm() throws Exception {
        SnapshotRecord daily = snapshot("daily", 1);
        swap(0, daily);
        assertThat(records.asChanges()).contains(new Change.SnapshotPut(daily));
        for (Change change : List.of(new Change.SnapshotPut(daily), new Change.SnapshotRemoved(daily))) {
            assertThat(Change.decode(ByteBuffer.wrap(change.encode()))).isEqualTo(change);
        }
    }

    private SnapshotRecord snapshot(String name, long number) {
        return new SnapshotRecord(volume.id(), name, number, Optional.empty(), 0, false, 1);
    }

    private void reserve(long upTo) {
        change(volume.withConfig(volume.config().withSnapSequence(upTo, "ops/" + upTo)));
    }

    private void change(VolumeRecord next) {
        assertThat(decide(new Request.SwapVolume(volume.config().version(), next), TestRecords.OPERATOR))
                .isInstanceOf(Decision.Won.class);
        volume = next;
    }

    private Decision swap(long expected, SnapshotRecord next) {
        return decide(new Request.SwapSnapshot(expected, next), TestRecords.OPERATOR);
    }

    private Decision remove(String name, long expected) {
        return decide(new Request.RemoveSnapshot(volume.id(), name, expected), TestRecords.OPERATOR);
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
