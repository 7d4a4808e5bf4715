package io.gabion.core.port;

import static java.util.Objects.requireNonNull;

import io.gabion.core.message.RequestId;
import io.gabion.model.Lsn;
import io.gabion.model.ReplicaId;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import java.util.List;

/**
 * What a replica keeps durably about itself, replaced as a whole by one log record.
 *
 * @param promisedEpoch nothing of a lower epoch is accepted any more; never falls
 * @param record the last configuration adopted, in full: what is left of a volume after the loss of the configuration store
 * @param incarnation rises when the copy may have lost something (machine restarted without a clean shutdown)
 * @param epochStarts the last {@link #MAX_EPOCH_STARTS} epochs that were activated here, ascending
 * @param position where the log of the replica stands by agreement (activation, join), whatever lower or divergent operations it
 *     holds; {@code lastLsn} of the store is the higher of this and the operations logged since
 * @param session highest session opened
 * @param requests requests that the copy at {@code position} contains, oldest first: what a recovery knows of requests is
 *     this list and those of the operations logged after {@code position} (lower ones may never have counted)
 */
public record ReplicaRecord(
        VolumeId volume,
        ReplicaId replica,
        long promisedEpoch,
        VolumeRecord record,
        long incarnation,
        ReplicaStatus status,
        List<EpochStart> epochStarts,
        Lsn position,
        SessionId session,
        List<RequestId> requests) {
    /** Enough to find the common point of replicas that were apart for this many failovers; older ones compare region tables. */
    public static final int MAX_EPOCH_STARTS = 64;

    public ReplicaRecord {
        requireNonNull(volume, "volume is null");
        requireNonNull(replica, "replica is null");
        requireNonNull(record, "record is null");
        requireNonNull(status, "status is null");
        requireNonNull(position, "position is null");
        requireNonNull(session, "session is null");
        requests = List.copyOf(requests);
        epochStarts = List.copyOf(
                epochStarts.size() <= MAX_EPOCH_STARTS
                        ? epochStarts
                        : epochStarts.subList(epochStarts.size() - MAX_EPOCH_STARTS, epochStarts.size()));
        if (promisedEpoch < 0 || incarnation < 0) {
            throw new IllegalArgumentException("promisedEpoch and incarnation must not be negative");
        }
    }
}
