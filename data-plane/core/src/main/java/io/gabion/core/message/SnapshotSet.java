package io.gabion.core.message;

import java.util.List;

/**
 * The snapshots that a replica holds. Numbers rise in the order in which snapshots are taken, so a number up to {@code highest}
 * that is not among the points was deleted, or undone, and cannot come any more.
 *
 * @param points ascending by number and by LSN
 * @param highest highest number that the replica ever held or heard to be deleted
 */
public record SnapshotSet(List<SnapshotPoint> points, long highest) {
    /** Snapshots a volume can have at a time; below what a disk can keep for one replica. */
    public static final int MAX_SNAPSHOTS = 1000;

    public static final SnapshotSet NONE = new SnapshotSet(List.of(), 0);

    public SnapshotSet {
        points = List.copyOf(points);
        long last = 0;
        for (SnapshotPoint point : points) {
            if (point.number() <= last || point.number() > highest) {
                throw new IllegalArgumentException(
                        "numbers of snapshots must rise, up to " + highest + ": " + point.number() + " after " + last);
            }
            last = point.number();
        }
    }
}
