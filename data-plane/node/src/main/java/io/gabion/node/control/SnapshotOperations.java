package io.gabion.node.control;

import io.gabion.core.port.SnapshotOutcome;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import java.util.List;
import java.util.Optional;

/** What the control interface asks of the process about snapshots. May block for seconds; called on threads of their own. */
public interface SnapshotOperations {
    /** Empty when it is not done in time: it may still happen, and asking again does no harm. */
    Optional<SnapshotOutcome> take(VolumeId volume, long number);

    /** As {@link #take}. */
    Optional<SnapshotOutcome> delete(VolumeId volume, long number);

    /** Of the replica here, by number. Empty when the space is wanted and cannot be counted. */
    Optional<List<SnapshotFacts>> snapshots(VolumeId volume, boolean withSpace);

    /** Reads every block of a snapshot of the replica here; the outcome goes to the results of verifications. */
    void digest(VolumeId volume, long number, long id);

    /**
     * @param ownBytes data that a reader finds in the volume itself, 0 when not asked for
     * @param uniqueBytes the part of it that deleting this snapshot alone gives back, 0 when not asked for
     */
    record SnapshotFacts(long number, Lsn lsn, long ownBytes, long uniqueBytes) {}
}
