package io.gabion.faults.powerloss;

import java.util.concurrent.atomic.AtomicLong;

/** The sum of all file sizes and the limit a test may set on it. Thread safe. */
final class SpaceAccount {
    private final AtomicLong usedBytes = new AtomicLong();
    private volatile long limitBytes = Long.MAX_VALUE;

    void limit(long bytes) {
        limitBytes = bytes;
    }

    long limitBytes() {
        return limitBytes;
    }

    long usedBytes() {
        return usedBytes.get();
    }

    /** Adds without asking: shrinking, or files that are there already. */
    void add(long bytes) {
        usedBytes.addAndGet(bytes);
    }

    /** False when the limit would be exceeded; nothing is added then. */
    boolean tryAdd(long bytes) {
        if (usedBytes.addAndGet(bytes) <= limitBytes) {
            return true;
        }
        usedBytes.addAndGet(-bytes);
        return false;
    }
}
