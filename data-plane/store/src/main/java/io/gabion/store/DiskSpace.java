package io.gabion.store;

/**
 * Space of a disk in bytes; {@code used + reserved + free = size}, always.
 *
 * @param used holds data, or held data until the next checkpoint
 * @param reserved disk header, metadata reserve and the log
 * @param live part of {@code used} that volumes refer to
 */
public record DiskSpace(long size, long used, long reserved, long free, long live) {
    public DiskSpace {
        if (used + reserved + free != size) {
            throw new IllegalStateException(
                    "space accounting is broken: " + used + " + " + reserved + " + " + free + " is not " + size);
        }
    }
}
