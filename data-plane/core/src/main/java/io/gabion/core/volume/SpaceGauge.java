package io.gabion.core.volume;

/** Free space of this replica's disk as far as this volume may count on it, and what of it is granted to a primary. */
final class SpaceGauge {
    /** Granted at a time: two full session windows, and a bound to what all volumes of a disk can overcommit. */
    static final long GRANT_BYTES = 64L * 1024 * 1024;

    /** Until the store has said something there is no limit; half of the range, so that sums do not overflow. */
    private long freeBytes = Long.MAX_VALUE / 2;

    void available(long bytes) {
        freeBytes = Math.max(0, bytes);
    }

    void take(long bytes) {
        freeBytes -= bytes;
    }

    boolean fits(long bytes) {
        return bytes <= freeBytes;
    }

    long grantBytes() {
        return Math.max(0, Math.min(freeBytes, GRANT_BYTES));
    }
}
