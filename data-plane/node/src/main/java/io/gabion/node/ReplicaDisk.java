package io.gabion.node;

import io.gabion.core.port.Effect;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.DiskId;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;

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

    /** Not on a loop: may wait for the owner loop, as {@link #use}. */
    Space space();

    /** What each of these replicas takes here. */
    Map<VolumeId, Use> use(Collection<VolumeId> volumes);

    /** Snapshots of the volume's replica here, by number; empty when there is no replica. May wait as {@link #space}. */
    SortedMap<Long, Lsn> snapshots(VolumeId volume);

    /** Their space, by number; takes a pass over the volume's part of the index. Fails when there is no replica. */
    CompletableFuture<SortedMap<Long, SnapshotSpace>> snapshotSpace(VolumeId volume);

    /** Reads every block of a snapshot; the outcome comes as {@link DiskOpening.Listener#verified} with this id. */
    void digestSnapshot(VolumeId volume, long snapshot, long id);

    /** Reads everything on the disk again and again, as fast as the policy says for what is on it now. Any thread. */
    void scrub(ScrubPolicy policy);

    /** May wait as {@link #space}. */
    ScrubCounts scrubCounts();

    Counts counts();

    /** How the disk is; looking also finds operations that hang. May wait as {@link #space}. */
    Health health();

    /** The same without waiting and without an answer; to be done again and again. Any thread. */
    void look();

    /** Ends in good order: the next opening is clean. Blocks. */
    void close();

    /**
     * What a replica takes.
     *
     * @param bytes of data
     * @param snapshotBytes the part of them that only snapshots and clones still need
     * @param snapshots that it holds
     */
    record Use(long bytes, long snapshotBytes, int snapshots) {
        static final Use NONE = new Use(0, 0, 0);
    }

    /**
     * Space of one snapshot here.
     *
     * @param ownBytes data that its readers find in the volume itself
     * @param uniqueBytes the part of them that deleting it alone gives back
     */
    record SnapshotSpace(long ownBytes, long uniqueBytes) {}

    /**
     * Since the opening; a damaged block that stays is counted in every pass.
     *
     * @param bytesPerSecond that may be read, 0: no scrub runs
     */
    record ScrubCounts(long bytesPerSecond, long passes, long checkedBytes, long damagedBlocks) {
        static final ScrubCounts NONE = new ScrubCounts(0, 0, 0, 0);
    }

    /**
     * How a disk is.
     *
     * @param reasons why it should be looked at; empty when it is fine
     * @param badPlaces blocks of the disk that are not used any more, because they did not keep what was written
     * @param readErrors since the opening, as {@code repairedBlocks}, for which a good copy was put in place
     */
    record Health(List<String> reasons, long badPlaces, long readErrors, long repairedBlocks) {
        static final Health UNKNOWN = new Health(List.of(), 0, 0, 0);

        public Health {
            reasons = List.copyOf(reasons);
        }
    }

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
