package io.gabion.core.port;

import static java.util.Objects.requireNonNull;

import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.message.TailEntry;
import io.gabion.model.Lsn;
import java.util.List;

/**
 * A replica as the store found it when the process started.
 *
 * @param record as last appended, with the highest session of the log
 * @param unclean the machine was started anew without a clean shutdown: what was not synced may be lost
 * @param intact false when something that was known durable is damaged; such a replica is Faulted and never a source
 * @param lastLsn highest durable operation
 * @param committed highest commit position seen in the log
 * @param tail operations after {@code committed}, oldest first, those under which copied blocks stand included
 * @param requests requests of the highest session generation that the change log still knows of operations after {@code
 *     record.position()}, oldest first, at most {@link #MAX_REQUESTS}
 * @param snapshots whatever operations they came by
 */
public record RecoveredReplica(
        ReplicaRecord record,
        boolean unclean,
        boolean intact,
        Lsn lastLsn,
        Lsn committed,
        List<TailEntry> tail,
        List<RequestId> requests,
        SnapshotSet snapshots) {
    /** Four times the requests an agent may have outstanding, so that none that may come again is forgotten. */
    public static final int MAX_REQUESTS = 4096;

    public RecoveredReplica {
        requireNonNull(record, "record is null");
        requireNonNull(snapshots, "snapshots is null");
        tail = List.copyOf(tail);
        requests = List.copyOf(requests);
    }
}
