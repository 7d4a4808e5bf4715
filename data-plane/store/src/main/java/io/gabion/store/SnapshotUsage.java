package io.gabion.store;

/**
 * Space of a snapshot on one disk, counted block by block.
 *
 * @param ownBytes data that a reader of the snapshot finds in the volume itself, not in what it was cloned from
 * @param uniqueBytes the part of it that deleting this snapshot alone gives back
 */
public record SnapshotUsage(long ownBytes, long uniqueBytes) {
    /** Data that the head, another snapshot or a clone has in common with it. */
    public long sharedBytes() {
        return ownBytes - uniqueBytes;
    }
}
