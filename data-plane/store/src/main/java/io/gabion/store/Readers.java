package io.gabion.store;

import java.util.TreeSet;

/** Numbers the readers that hold places of the disk, so that no place is used again under them. Belongs to the owner loop. */
final class Readers {
    private final TreeSet<Long> active = new TreeSet<>();
    private long next = 1;

    long begin() {
        long number = next++;
        active.add(number);
        return number;
    }

    void end(long number) {
        active.remove(number);
    }

    /** Number that the next reader gets. */
    long next() {
        return next;
    }

    /** Lowest number of an active reader; {@link Long#MAX_VALUE} when there is none. */
    long oldest() {
        return active.isEmpty() ? Long.MAX_VALUE : active.first();
    }
}
