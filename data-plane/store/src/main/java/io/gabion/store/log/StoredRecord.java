package io.gabion.store.log;

import io.gabion.core.message.RequestId;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import java.util.List;

/**
 * A record of the write log: a {@link io.gabion.core.port.LogRecord} whose data was given a place. Applying the same records in
 * the same order always leads to the same index, live and in replay.
 */
public sealed interface StoredRecord {
    VolumeId volume();

    record Written(VolumeId volume, Lsn lsn, Lsn committed, ByteRange range, RequestId request, List<Piece> pieces)
            implements StoredRecord {
        public Written {
            pieces = List.copyOf(pieces);
        }
    }

    record Trimmed(VolumeId volume, Lsn lsn, Lsn committed, ByteRange range, RequestId request)
            implements StoredRecord {}

    record SessionOpened(VolumeId volume, Lsn lsn, SessionId session) implements StoredRecord {}

    record Grown(VolumeId volume, Lsn lsn, long sizeBytes) implements StoredRecord {}

    record Marked(VolumeId volume, Lsn lsn) implements StoredRecord {}

    record Copied(VolumeId volume, long liveEpoch, List<CopiedRun> runs) implements StoredRecord {
        public Copied {
            runs = List.copyOf(runs);
        }
    }

    /** Blocks of another member's snapshot at {@code at}, which a reader there finds from now on. */
    record CopiedUnder(VolumeId volume, long liveEpoch, Lsn at, List<CopiedRun> runs) implements StoredRecord {
        public CopiedUnder {
            runs = List.copyOf(runs);
        }
    }

    /**
     * Blocks of one version, read again from elsewhere: they take the place of exactly this version with these checksums, if the
     * volume, or what it was cloned from, has it.
     *
     * @param origin volume under whose name the version was written, which is what its checksums are over
     */
    record Repaired(VolumeId volume, VolumeId origin, CopiedRun run) implements StoredRecord {}

    record ReplicaChanged(VolumeId volume, ReplicaRecord record) implements StoredRecord {}

    record ReplicaDeleted(VolumeId volume) implements StoredRecord {}

    /** A record that brings no data and is stored as it is. */
    sealed interface DataFree extends StoredRecord {}

    /**
     * A place of the disk from which what was written could not be read again; never used again once nothing refers to it.
     *
     * @param volume under whose name the place was written, with {@code block} and {@code lsn}; for people
     * @param millis when it was found, since 1970; for the health of the disk
     */
    record Quarantined(VolumeId volume, long block, Lsn lsn, long place, long millis) implements DataFree {}

    /**
     * A change of snapshots or clones. One that does not fit what it meets (a number that is taken, a snapshot
     * that is not there) changes nothing, live and in replay.
     */
    sealed interface SnapshotRecord extends DataFree {}

    /**
     * The volume stays readable as it is after {@code lsn}, which may lie behind: what a reader there finds is copied afterwards.
     * Numbers are never used again.
     */
    record SnapshotTaken(VolumeId volume, Lsn lsn, long snapshot) implements SnapshotRecord {}

    record SnapshotDeleted(VolumeId volume, Lsn lsn, long snapshot) implements SnapshotRecord {}

    /**
     * A new replica that reads as {@code parent} does at {@code at} until it is written to. {@code at} is where a snapshot was
     * taken, or the parent's last LSN.
     */
    record Cloned(VolumeId volume, ReplicaRecord record, VolumeId parent, Lsn at) implements SnapshotRecord {}

    /** Blocks of one version; no pieces: a hole. */
    record CopiedRun(long firstBlock, int blocks, Lsn lsn, List<Piece> pieces) {
        public CopiedRun {
            pieces = List.copyOf(pieces);
        }
    }
}
