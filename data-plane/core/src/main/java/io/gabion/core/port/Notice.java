package io.gabion.core.port;

import io.gabion.model.Lsn;
import io.gabion.model.ReplicaId;
import java.util.List;

/** What happened, for logs, metrics and events. A catalogue: each kind has one meaning for ever. */
public sealed interface Notice {
    /** This replica serves as primary of {@code epoch}; {@code pauseMillis} is how long no write could be acknowledged (-1: not known here). */
    record Activated(long epoch, List<ReplicaId> inSync, long pauseMillis) implements Notice {
        public Activated {
            inSync = List.copyOf(inSync);
        }
    }

    /** This replica stopped being primary. */
    record Deposed(long epoch, String reason) implements Notice {}

    record MemberDropped(ReplicaId replica, long epoch, String reason) implements Notice {}

    record MemberAdded(ReplicaId replica, long epoch) implements Notice {}

    record Promoting(long epoch, String reason) implements Notice {}

    /** Something of a lower epoch was refused. */
    record StaleRefused(ReplicaId from, long epoch, long promisedEpoch) implements Notice {}

    /** The snapshot is durable on all in-sync replicas; {@code pauseMicros} is how long writes waited for it. */
    record SnapshotTaken(long number, Lsn lsn, long pauseMicros) implements Notice {}

    record SnapshotDeleted(long number) implements Notice {}

    record SessionOpened(String session, String node) implements Notice {}

    record SessionRefused(String session, String reason) implements Notice {}

    /** Writes wait. {@code waitsFor} names the replica or the thing they wait for. */
    record Stalled(String reason, String waitsFor) implements Notice {}

    record StallEnded(long millis) implements Notice {}

    record ResyncStarted(ReplicaId source, String tier, long bytesToCompare) implements Notice {}

    record ResyncProgress(long bytesCompared, long bytesCopied, long bytesToCompare) implements Notice {}

    record ResyncFinished(long bytesCopied, long millis) implements Notice {}

    record ResyncFailed(String reason) implements Notice {}

    /** The copy here is damaged or its disk failed. */
    record Faulted(String reason) implements Notice {}

    /** The copy was opened after the machine lost power. */
    record Unclean(Lsn lastLsn) implements Notice {}

    record ConfigStoreUnavailable(String operation, String reason) implements Notice {}
}
