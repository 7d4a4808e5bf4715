package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.RegionState;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.log.BatchBuilder.Item;
import io.gabion.store.log.StoredRecord;
import io.gabion.store.log.StoredRecord.Cloned;
import io.gabion.store.log.StoredRecord.SnapshotDeleted;
import io.gabion.store.log.StoredRecord.SnapshotTaken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotTest {
    private static final VolumeId VOLUME = new VolumeId(new UUID(5, 1));
    private static final VolumeId CLONE = new VolumeId(new UUID(5, 2));
    private static final long SIZE = 4L << 20;
    private static final ByteRange FIRST_8 = ByteRange.ofBlocks(0, 8);

    @TempDir
    Path directory;

    private long seq;

    private StoreRig open() throws IOException {
        return StoreRig.open(StoreRig.options(directory));
    }

    /** Eight blocks of 1s under snapshot 1. */
    private StoreRig openWithSnapshot() throws IOException {
        StoreRig rig = open();
        rig.appendNow(VOLUME, StoreRig.created(VOLUME, SIZE));
        write(rig, 0, StoreRig.filled(8, 1));
        snapshot(rig, 1);
        return rig;
    }

    private void write(StoreRig rig, long block, byte[] content) {
        rig.appendNow(VOLUME, StoreRig.written(1, ++seq, block, content));
    }

    private Lsn snapshot(StoreRig rig, long number) {
        Lsn lsn = new Lsn(1, ++seq);
        rig.appendNow(new SnapshotTaken(VOLUME, lsn, number));
        return lsn;
    }

    private void delete(StoreRig rig, long number) {
        rig.appendNow(new SnapshotDeleted(VOLUME, new Lsn(1, ++seq), number));
    }

    private static StoredRecord.SnapshotRecord clone(VolumeId clone, VolumeId parent, Lsn at) {
        return new Cloned(clone, StoreRig.record(clone, SIZE, 2, 0, new Lsn(2, 0)), parent, at);
    }

    private static <T> T ask(StoreRig rig, java.util.concurrent.Callable<CompletionStage<T>> question) {
        return StoreRig.get(rig.onLoop(() -> question.call().toCompletableFuture()));
    }

    private static void checkSound(Path directory) throws IOException {
        assertThat(StoreCheck.run(directory).findings()).isEmpty();
    }

    @Test
    void aSnapshotReadsAsItWasWhateverIsWrittenAndTrimmedLater() throws IOException {
        try (StoreRig rig = openWithSnapshot()) {
            write(rig, 2, StoreRig.filled(2, 2));
            rig.appendNow(VOLUME, StoreRig.trimmed(1, ++seq, 5, 2));
            write(rig, 20, StoreRig.filled(1, 3));
            assertThat(rig.readAt(VOLUME, 1, FIRST_8)).isEqualTo(StoreRig.filled(8, 1));
            assertThat(rig.readAt(VOLUME, 1, ByteRange.ofBlocks(20, 1))).isEqualTo(new byte[4096]);
            assertThat(rig.read(VOLUME, ByteRange.ofBlocks(2, 1))).isEqualTo(StoreRig.filled(1, 2));
            assertThat(rig.read(VOLUME, ByteRange.ofBlocks(5, 2))).isEqualTo(new byte[2 * 4096]);
        }
        checkSound(directory);
        try (StoreRig rig = open()) {
            assertThat(rig.onLoop(() -> rig.store.snapshots(VOLUME))).containsOnlyKeys(1L);
            assertThat(rig.readAt(VOLUME, 1, FIRST_8)).isEqualTo(StoreRig.filled(8, 1));
        }
    }

    @Test
    void aCopyWinsOverAHoleThatOnlyADeletedSnapshotSaw() throws IOException {
        byte[] copy = StoreRig.filled(1, 7);
        try (StoreRig rig = openWithSnapshot()) {
            rig.appendNow(VOLUME, StoreRig.trimmed(1, ++seq, 3, 1));
            snapshot(rig, 2);
            rig.appendNow(VOLUME, StoreRig.trimmed(1, ++seq, 3, 1));
            delete(rig, 1);
            rig.settle();
            // In one turn: nothing is collected between the deletion and the copy.
            CompletableFuture<Event> copied = rig.onLoop(() -> {
                var unused = rig.appendHere(new Item.Ready(new SnapshotDeleted(VOLUME, new Lsn(1, ++seq), 2)));
                return rig.appendHere(new Item.Change(
                        VOLUME,
                        new LogRecord.Copied(
                                2, List.of(new BlockRun(3, 1, new Lsn(1, 1), Optional.of(HeapPayload.of(copy)))))));
            });
            assertThat(StoreRig.get(copied)).isInstanceOf(Event.Appended.class);
            snapshot(rig, 3);
            assertThat(rig.readAt(VOLUME, 3, ByteRange.ofBlocks(3, 1))).isEqualTo(copy);
            rig.settle();
            assertThat(rig.readAt(VOLUME, 3, ByteRange.ofBlocks(3, 1))).isEqualTo(copy);
        }
        checkSound(directory);
        try (StoreRig rig = open()) {
            assertThat(rig.read(VOLUME, ByteRange.ofBlocks(3, 1))).isEqualTo(copy);
        }
    }

    @Test
    void aSnapshotTakesOnlyWhatIsOverwrittenAndItsDeletionGivesExactlyThatBack() throws IOException {
        try (StoreRig rig = openWithSnapshot()) {
            rig.settle();
            long before = rig.space().live();
            write(rig, 2, StoreRig.filled(3, 2));
            assertThat(rig.space().live() - before).isEqualTo(3 * 4096);
            assertThat(ask(rig, () -> rig.store.snapshotUsage(VOLUME)).get(1L))
                    .isEqualTo(new SnapshotUsage(8 * 4096, 3 * 4096));
            delete(rig, 1);
            rig.settle();
            assertThat(rig.space().live()).isEqualTo(before);
            assertThat(rig.onLoop(() -> rig.store.usedBytes(VOLUME))).isEqualTo(8 * 4096);
            Event answer = rig.askAt(VOLUME, 1, ticket -> new Effect.Read(ticket, FIRST_8));
            assertThat(answer).isInstanceOf(Event.ReadFailed.class);
        }
        checkSound(directory);
    }

    @Test
    void whatTwoSnapshotsShareStaysUntilBothAreGone() throws IOException {
        try (StoreRig rig = openWithSnapshot()) {
            snapshot(rig, 2);
            write(rig, 0, StoreRig.filled(8, 2));
            delete(rig, 1);
            rig.settle();
            assertThat(rig.readAt(VOLUME, 2, FIRST_8)).isEqualTo(StoreRig.filled(8, 1));
            assertThat(rig.onLoop(() -> rig.store.usedBytes(VOLUME))).isEqualTo(16 * 4096);
            delete(rig, 2);
            rig.settle();
            assertThat(rig.onLoop(() -> rig.store.usedBytes(VOLUME))).isEqualTo(8 * 4096);
        }
        checkSound(directory);
    }

    @Test
    void aNumberIsTakenOnceAndTheHighestIsRememberedWhenItIsDeleted() throws IOException {
        try (StoreRig rig = openWithSnapshot()) {
            Lsn at = rig.onLoop(() -> rig.store.snapshots(VOLUME).get(1L));
            snapshot(rig, 1);
            snapshot(rig, 2);
            delete(rig, 2);
            delete(rig, 7);
            assertThat(rig.onLoop(() -> rig.store.snapshots(VOLUME))).containsExactly(Map.entry(1L, at));
        }
        try (StoreRig rig = open()) {
            assertThat(rig.store.replicas().getFirst().snapshots().highest()).isEqualTo(7);
        }
    }

    @Test
    void aCloneStartsAsTheSnapshotAndGoesItsOwnWay() throws IOException {
        try (StoreRig rig = openWithSnapshot()) {
            Lsn at = rig.onLoop(() -> rig.store.snapshots(VOLUME).get(1L));
            write(rig, 0, StoreRig.filled(2, 2));
            rig.appendNow(clone(CLONE, VOLUME, at));
            assertThat(rig.read(CLONE, FIRST_8)).isEqualTo(StoreRig.filled(8, 1));
            rig.appendNow(CLONE, StoreRig.written(2, 1, 4, StoreRig.filled(1, 7)));
            rig.appendNow(CLONE, StoreRig.trimmed(2, 2, 5, 1));
            assertThat(rig.read(CLONE, ByteRange.ofBlocks(4, 1))).isEqualTo(StoreRig.filled(1, 7));
            assertThat(rig.read(CLONE, ByteRange.ofBlocks(5, 1))).isEqualTo(new byte[4096]);
            assertThat(rig.read(VOLUME, ByteRange.ofBlocks(4, 2))).isEqualTo(StoreRig.filled(2, 1));
            assertThat(rig.onLoop(() -> rig.store.usedBytes(CLONE))).isEqualTo(4096);
            assertThat(StoreRig.get(rig.verify(CLONE, 9, new Lsn(2, 2))).failure())
                    .isEmpty();
        }
        checkSound(directory);
        ByteArrayOutputStream dump = new ByteArrayOutputStream();
        StoreDump.raw(directory, CLONE, dump);
        assertThat(dump.toByteArray()).startsWith(StoreRig.filled(4, 1));
    }

    @Test
    void aCloneOutlivesSnapshotAndVolumeAndItsDeletionGivesAllBack() throws IOException {
        long empty;
        try (StoreRig rig = open()) {
            empty = rig.space().live();
            rig.appendNow(VOLUME, StoreRig.created(VOLUME, SIZE));
            write(rig, 0, StoreRig.filled(8, 1));
            Lsn at = snapshot(rig, 1);
            rig.appendNow(clone(CLONE, VOLUME, at));
            write(rig, 0, StoreRig.filled(4, 2));
            delete(rig, 1);
            rig.appendNow(VOLUME, new LogRecord.ReplicaDeleted());
            rig.settle();
            assertThat(rig.space().live() - empty).isEqualTo(8 * 4096);
            assertThat(rig.read(CLONE, FIRST_8)).isEqualTo(StoreRig.filled(8, 1));
        }
        checkSound(directory);
        try (StoreRig rig = open()) {
            assertThat(rig.read(CLONE, FIRST_8)).isEqualTo(StoreRig.filled(8, 1));
            rig.appendNow(CLONE, new LogRecord.ReplicaDeleted());
            rig.settle();
            assertThat(rig.space().live()).isEqualTo(empty);
        }
        checkSound(directory);
    }

    @Test
    void aChainOfAHundredClonesReadsThroughToItsBeginning() throws IOException {
        try (StoreRig rig = openWithSnapshot()) {
            VolumeId parent = VOLUME;
            Lsn at = new Lsn(1, seq);
            for (int n = 2; n <= 101; n++) {
                VolumeId id = new VolumeId(new UUID(5, n));
                rig.appendNow(new Cloned(id, StoreRig.record(id, SIZE, n, 0, new Lsn(n, 0)), parent, at));
                rig.appendNow(id, StoreRig.written(n, 1, n, StoreRig.filled(1, n)));
                parent = id;
                at = new Lsn(n, 1);
            }
            assertThat(rig.read(parent, ByteRange.ofBlocks(0, 2))).isEqualTo(StoreRig.filled(2, 1));
            for (int n = 8; n <= 101; n++) {
                assertThat(rig.read(parent, ByteRange.ofBlocks(n, 1))).isEqualTo(StoreRig.filled(1, n));
            }
        }
        checkSound(directory);
    }

    @Test
    void aCloneOfWhatIsNotPinnedAndNotTheNewestIsNotMade() throws IOException {
        try (StoreRig rig = openWithSnapshot()) {
            write(rig, 0, StoreRig.filled(1, 2));
            write(rig, 0, StoreRig.filled(1, 3));
            rig.appendNow(clone(CLONE, VOLUME, new Lsn(1, seq - 1)));
            assertThat(rig.onLoop(() -> rig.store.isPresent(CLONE))).isFalse();
        }
    }

    @Test
    void changedBlocksAreThoseWrittenOrTrimmedBetweenTheSnapshots() throws IOException {
        try (StoreRig rig = openWithSnapshot()) {
            Lsn first = new Lsn(1, seq);
            write(rig, 3, StoreRig.filled(2, 2));
            rig.appendNow(VOLUME, StoreRig.trimmed(1, ++seq, 100, 1));
            Lsn second = snapshot(rig, 2);
            write(rig, 6, StoreRig.filled(2, 2));
            ChangedBlocks changed = ask(rig, () -> rig.store.changedBlocks(VOLUME, first, second, 0));
            assertThat(changed.ranges()).isEqualTo(List.of(ByteRange.ofBlocks(3, 2), ByteRange.ofBlocks(100, 1)));
            assertThat(changed.next()).isEqualTo(OptionalLong.empty());
            assertThat(ask(rig, () -> rig.store.changedBlocks(VOLUME, second, new Lsn(1, seq), 0))
                            .ranges())
                    .isEqualTo(List.of(ByteRange.ofBlocks(6, 2)));
        }
    }

    @Test
    void aHundredSnapshotsUnderRandomOverwritesReturnAllTheirSpace() throws IOException {
        try (StoreRig rig = openWithSnapshot()) {
            for (int n = 2; n <= 101; n++) {
                write(rig, n % 8, StoreRig.filled(1, n));
                snapshot(rig, n);
            }
            assertThat(rig.readAt(VOLUME, 50, ByteRange.ofBlocks(2, 1))).isEqualTo(StoreRig.filled(1, 50));
            assertThat(rig.readAt(VOLUME, 57, ByteRange.ofBlocks(2, 1))).isEqualTo(StoreRig.filled(1, 50));
            for (int n = 1; n <= 101; n++) {
                delete(rig, n);
            }
            rig.settle();
            assertThat(rig.onLoop(() -> rig.store.usedBytes(VOLUME))).isEqualTo(8 * 4096);
        }
        checkSound(directory);
    }

    private static BlockRun run(long block, int blocks, Lsn lsn, int value) {
        return new BlockRun(
                block,
                blocks,
                lsn,
                value == 0 ? Optional.empty() : Optional.of(HeapPayload.of(StoreRig.filled(blocks, value))));
    }

    private static List<RegionState> regionsAt(StoreRig rig, long snapshot) {
        Event answer = rig.ask(VOLUME, ticket -> new Effect.AtSnapshot(snapshot, new Effect.ReadRegionTable(ticket)));
        return ((Event.RegionTableRead) answer).regions();
    }

    /** A replica that was away: 1s are at 1.1, 9s of its own at 1.3, and the live stream wrote 4s at 2.5. */
    @Test
    void aCopyUnderASnapshotReplacesWhatAReaderThereFindsAndNothingElse() throws IOException {
        try (StoreRig rig = open()) {
            rig.appendNow(VOLUME, StoreRig.created(VOLUME, SIZE));
            write(rig, 0, StoreRig.filled(8, 1));
            snapshot(rig, 1);
            write(rig, 0, StoreRig.filled(4, 9));
            rig.appendNow(VOLUME, StoreRig.written(2, 5, 2, StoreRig.filled(1, 4)));
            Lsn at = new Lsn(2, 3);
            rig.appendNow(VOLUME, new LogRecord.SnapshotTaken(at, 2));
            List<BlockRun> runs =
                    List.of(run(0, 1, new Lsn(1, 1), 1), run(1, 2, new Lsn(2, 2), 2), run(3, 1, new Lsn(2, 1), 0));
            rig.appendNow(VOLUME, new LogRecord.CopiedUnder(2, at, runs));
            check(rig);
            List<RegionState> before = regionsAt(rig, 2);
            assertThat(before).isNotEmpty();
            rig.settle();
        }
        checkSound(directory);
        try (StoreRig rig = open()) {
            check(rig);
            delete(rig, 2);
            delete(rig, 1);
            rig.settle();
            assertThat(rig.onLoop(() -> rig.store.usedBytes(VOLUME))).isEqualTo(7 * 4096);
        }
        checkSound(directory);
    }

    private static void check(StoreRig rig) {
        assertThat(rig.readAt(VOLUME, 1, FIRST_8)).isEqualTo(StoreRig.filled(8, 1));
        byte[] wanted = StoreRig.filled(8, 1);
        System.arraycopy(StoreRig.filled(2, 2), 0, wanted, 4096, 2 * 4096);
        System.arraycopy(new byte[4096], 0, wanted, 3 * 4096, 4096);
        assertThat(rig.readAt(VOLUME, 2, FIRST_8)).isEqualTo(wanted);
        System.arraycopy(StoreRig.filled(1, 4), 0, wanted, 2 * 4096, 4096);
        assertThat(rig.read(VOLUME, FIRST_8)).isEqualTo(wanted);
    }

    @Test
    void theRegionTableOfASnapshotIsThatOfTheHeadWhenItWasTaken() throws IOException {
        try (StoreRig rig = openWithSnapshot()) {
            List<RegionState> then = rig.regions(VOLUME);
            write(rig, 2, StoreRig.filled(2, 2));
            rig.appendNow(VOLUME, StoreRig.trimmed(1, ++seq, 5, 2));
            assertThat(regionsAt(rig, 1)).isEqualTo(then).isNotEqualTo(rig.regions(VOLUME));
        }
    }
}
