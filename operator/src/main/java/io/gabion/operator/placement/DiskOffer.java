package io.gabion.operator.placement;

import static java.util.Objects.requireNonNull;

/**
 * A disk that a node offers to a pool.
 *
 * @param mediaClass {@code ssd}, {@code hdd} or empty when nobody knows
 * @param fault why the disk cannot be used, for people; empty when it can
 */
public record DiskOffer(String pool, long capacityBytes, long freeBytes, String mediaClass, String fault) {
    public DiskOffer {
        requireNonNull(pool, "pool is null");
        requireNonNull(mediaClass, "mediaClass is null");
        requireNonNull(fault, "fault is null");
        if (capacityBytes < 0 || freeBytes < 0) {
            throw new IllegalArgumentException("sizes must not be negative: " + capacityBytes + ", " + freeBytes);
        }
    }
}
