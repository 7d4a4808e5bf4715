package io.gabion.node;

import io.gabion.core.port.Effect;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.DiskId;
import io.gabion.model.VolumeId;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** The node's disk as the rest of the process sees it. */
interface ReplicaDisk {
    DiskId id();

    /** How often it was opened, this time included. */
    long openCount();

    /** Back end in use, for people and metrics. */
    String backend();

    /** What was found at the opening. */
    List<RecoveredReplica> replicas();

    /** Carries out an effect; takes over the payload references in it. Any thread; in order per volume and thread. */
    void execute(VolumeId volume, Effect.StoreEffect effect);

    /** Not on a loop: may wait for the owner loop, as {@link #usedBytes}. */
    Space space();

    /** Bytes of data that each of these replicas keeps here. */
    Map<VolumeId, Long> usedBytes(Collection<VolumeId> volumes);

    Counts counts();

    /** Ends in good order: the next opening is clean. Blocks. */
    void close();

    /** All in bytes; used + reserved + free = size. */
    record Space(long sizeBytes, long usedBytes, long reservedBytes, long freeBytes) {}

    /**
     * Since the opening.
     *
     * @param batches written and synced
     * @param dataBytes payload made durable
     * @param writtenBytes written to the disk for it
     */
    record Counts(long batches, long records, long dataBytes, long writtenBytes, long checksumFailures) {}
}
