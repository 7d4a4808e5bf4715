package io.gabion.core.port;

import static java.util.Objects.requireNonNull;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.Payload;
import io.gabion.core.message.RequestId;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.SessionId;
import java.util.List;

/** What can be made durable about one replica. Records of one replica are applied, and become durable, in the order given. */
public sealed interface LogRecord {
    /** New content. {@code committed} is the commit position known when it was appended. */
    record Written(Lsn lsn, Lsn committed, ByteRange range, RequestId request, Payload payload) implements LogRecord {
        public Written {
            requireNonNull(lsn, "lsn is null");
            requireNonNull(committed, "committed is null");
        }
    }

    /** Zeros from here on. */
    record Trimmed(Lsn lsn, Lsn committed, ByteRange range, RequestId request) implements LogRecord {}

    /** A session was opened. */
    record SessionOpened(Lsn lsn, SessionId session) implements LogRecord {}

    /** The volume may hold {@code sizeBytes}. */
    record Grown(Lsn lsn, long sizeBytes) implements LogRecord {}

    /** An operation that changes nothing here but takes part in the sequence. */
    record Marked(Lsn lsn) implements LogRecord {}

    /**
     * Blocks taken from another member. Per block: kept as it is where the present version has epoch {@code liveEpoch} and is
     * higher than the copy's (it came by the live stream meanwhile), else replaced by the copy, whatever its version. In the
     * change log these blocks stand under ({@code liveEpoch}, 0).
     */
    record Copied(long liveEpoch, List<BlockRun> runs) implements LogRecord {
        public Copied {
            runs = List.copyOf(runs);
        }
    }

    /**
     * The content after {@code lsn} stays readable under {@code number}. The point may lie behind: a replica that was away
     * takes it first and receives the content afterwards.
     */
    record SnapshotTaken(Lsn lsn, long number) implements LogRecord {
        public SnapshotTaken {
            requireNonNull(lsn, "lsn is null");
        }
    }

    /** The snapshot is gone, and with it all that only it saw. Also of a number that was never here. */
    record SnapshotDeleted(Lsn lsn, long number) implements LogRecord {
        public SnapshotDeleted {
            requireNonNull(lsn, "lsn is null");
        }
    }

    /**
     * Blocks of a snapshot, taken from another member: afterwards a reader at {@code at} finds exactly these. What is newer than
     * the copy and not after {@code at} diverged and is dropped; what came after {@code at} stays, head included. In the change
     * log these blocks stand under ({@code liveEpoch}, 0).
     */
    record CopiedUnder(long liveEpoch, Lsn at, List<BlockRun> runs) implements LogRecord {
        public CopiedUnder {
            requireNonNull(at, "at is null");
            runs = List.copyOf(runs);
        }
    }

    /**
     * A good copy, from another member, of content that cannot be read here any more: it takes the place of exactly this version
     * of the blocks, whoever sees it, head, snapshots or clones. A block of which the replica does not (or no longer) hold this
     * version with this checksum stays as it is. Changes no version, and is no change for the change log.
     */
    record Repaired(BlockRun run) implements LogRecord {
        public Repaired {
            if (run.payload().isEmpty()) {
                throw new IllegalArgumentException("only data can be repaired, not " + run);
            }
        }
    }

    /** The replica's own record, in full. */
    record ReplicaChanged(ReplicaRecord record) implements LogRecord {}

    /** The replica and all its data are gone. */
    record ReplicaDeleted() implements LogRecord {}
}
