package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.port.LogRecord;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.log.StoredRecord.Cloned;
import io.gabion.store.log.StoredRecord.SnapshotDeleted;
import io.gabion.store.log.StoredRecord.SnapshotTaken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever happens to a volume afterwards, its clones keep what they began with. */
class CloneContentTest {
    private static final VolumeId PARENT = new VolumeId(new UUID(5, 1));
    private static final VolumeId CLONE = new VolumeId(new UUID(5, 2));
    private static final VolumeId CLONE_OF_CLONE = new VolumeId(new UUID(5, 3));
    private static final VolumeId OTHER = new VolumeId(new UUID(5, 4));
    private static final long SIZE = 4L << 20;
    private static final ByteRange BLOCK_3 = ByteRange.ofBlocks(3, 1);
    private static final byte[] FIRST = StoreRig.filled(1, 1);
    private static final byte[] ZEROS = new byte[4096];
    private static final List<BlockRun> HOLE_OF_NO_VERSION = List.of(new BlockRun(3, 1, Lsn.ZERO, Optional.empty()));

    @TempDir
    Path directory;

    private StoreRig open() throws IOException {
        return StoreRig.open(StoreRig.options(directory));
    }

    /** Eight blocks of 1s, and a clone of them whose snapshot is gone. */
    private StoreRig openWithClone() throws IOException {
        StoreRig rig = open();
        rig.appendNow(PARENT, StoreRig.created(PARENT, SIZE));
        rig.appendNow(PARENT, StoreRig.written(1, 1, 0, StoreRig.filled(8, 1)));
        rig.appendNow(new SnapshotTaken(PARENT, new Lsn(1, 2), 1));
        rig.appendNow(clone(CLONE, PARENT, new Lsn(1, 2)));
        rig.appendNow(new SnapshotDeleted(PARENT, new Lsn(1, 3), 1));
        rig.settle();
        return rig;
    }

    private static Cloned clone(VolumeId clone, VolumeId parent, Lsn at) {
        long epoch = at.epoch() + 1;
        return new Cloned(clone, StoreRig.record(clone, SIZE, epoch, 0, new Lsn(epoch, 0)), parent, at);
    }

    @Test
    void aHoleOfNoVersionInThePresentContent() throws IOException {
        try (StoreRig rig = openWithClone()) {
            rig.appendNow(PARENT, StoreRig.trimmed(1, 4, 3, 1));
            rig.appendNow(PARENT, StoreRig.written(1, 5, 3, StoreRig.filled(1, 2)));
            rig.appendNow(PARENT, new LogRecord.Copied(2, HOLE_OF_NO_VERSION));
            assertThat(rig.read(CLONE, BLOCK_3)).isEqualTo(FIRST);
            assertThat(rig.read(PARENT, BLOCK_3)).isEqualTo(ZEROS);
            rig.settle();
        }
        assertThat(StoreCheck.run(directory).findings()).isEmpty();
        try (StoreRig rig = open()) {
            assertThat(rig.read(CLONE, BLOCK_3)).isEqualTo(FIRST);
            assertThat(rig.read(PARENT, BLOCK_3)).isEqualTo(ZEROS);
        }
    }

    @Test
    void aHoleOfNoVersionUnderASnapshot() throws IOException {
        try (StoreRig rig = openWithClone()) {
            rig.appendNow(new SnapshotTaken(PARENT, new Lsn(1, 9), 2));
            rig.appendNow(PARENT, new LogRecord.CopiedUnder(2, new Lsn(1, 9), HOLE_OF_NO_VERSION));
            assertThat(rig.read(CLONE, BLOCK_3)).isEqualTo(FIRST);
            assertThat(rig.readAt(PARENT, 2, BLOCK_3)).isEqualTo(ZEROS);
            rig.settle();
            assertThat(rig.read(CLONE, BLOCK_3)).isEqualTo(FIRST);
        }
        assertThat(StoreCheck.run(directory).findings()).isEmpty();
    }

    @Test
    void aHoleOfNoVersionInACloneThatWasClonedItself() throws IOException {
        try (StoreRig rig = openWithClone()) {
            rig.appendNow(new SnapshotTaken(CLONE, new Lsn(3, 1), 1));
            rig.appendNow(clone(CLONE_OF_CLONE, CLONE, new Lsn(3, 1)));
            rig.appendNow(new SnapshotDeleted(CLONE, new Lsn(3, 2), 1));
            rig.settle();
            rig.appendNow(CLONE, new LogRecord.Copied(5, HOLE_OF_NO_VERSION));
            assertThat(rig.read(CLONE_OF_CLONE, BLOCK_3)).isEqualTo(FIRST);
            assertThat(rig.read(CLONE, BLOCK_3)).isEqualTo(ZEROS);
            assertThat(rig.read(PARENT, BLOCK_3)).isEqualTo(FIRST);
        }
        assertThat(StoreCheck.run(directory).findings()).isEmpty();
    }

    @Test
    void aRepairThroughACloneBringsNothingBackThatWasCollected() throws IOException {
        try (StoreRig rig = openWithClone()) {
            rig.appendNow(PARENT, StoreRig.written(1, 4, 2, StoreRig.filled(1, 2)));
            rig.appendNow(PARENT, StoreRig.written(1, 5, 3, StoreRig.filled(1, 2)));
            rig.appendNow(new SnapshotTaken(PARENT, new Lsn(1, 6), 2));
            rig.appendNow(clone(OTHER, PARENT, new Lsn(1, 6)));
            rig.appendNow(PARENT, new LogRecord.ReplicaDeleted());
            rig.settle();
            // Too late: nobody has this version any more. But the parent was looked at.
            rig.appendNow(CLONE, repaired(9, new Lsn(2, 7), 7));
            rig.appendNow(OTHER, new LogRecord.ReplicaDeleted());
            rig.settle();
            rig.appendNow(CLONE, repaired(3, new Lsn(1, 1), 1));
            rig.settle();
            assertThat(rig.read(CLONE, ByteRange.ofBlocks(0, 8))).isEqualTo(StoreRig.filled(8, 1));
        }
        assertThat(StoreCheck.run(directory).findings()).isEmpty();
        try (StoreRig rig = open()) {
            rig.appendNow(CLONE, new LogRecord.ReplicaDeleted());
            rig.settle();
            assertThat(rig.hasFault()).isFalse();
        }
    }

    private static LogRecord repaired(long block, Lsn version, int filling) {
        return new LogRecord.Repaired(
                new BlockRun(block, 1, version, Optional.of(HeapPayload.of(StoreRig.filled(1, filling)))));
    }
}
