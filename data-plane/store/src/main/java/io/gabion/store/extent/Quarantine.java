package io.gabion.store.extent;

import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * Places that must not be used again because what was written there could not be read. A bad place may still hold data that
 * something refers to; it rests once nothing does. Belongs to the owner loop.
 */
public final class Quarantine {
    /** 256 MiB of them: a disk with more is beyond help, and memory stays bounded. */
    public static final int MAX_PLACES = 65_536;

    private final TreeSet<Long> bad = new TreeSet<>();
    private final TreeSet<Long> resting = new TreeSet<>();

    /** False when it is known, or there are too many. */
    boolean add(long place) {
        return bad.size() < MAX_PLACES && bad.add(place);
    }

    boolean contains(long place) {
        return !bad.isEmpty() && bad.contains(place);
    }

    /** Bad places to which nothing refers. */
    long restingBlocks() {
        return resting.size();
    }

    void rest(long place) {
        resting.add(place);
    }

    /** The bad ones of a run. */
    NavigableSet<Long> badIn(long start, long blocks) {
        return bad.subSet(start, true, start + blocks, false);
    }

    /** Takes those of a run that rest out of their rest: in replay of what was written before. */
    List<Long> wake(long start, long blocks) {
        if (resting.isEmpty()) {
            return List.of();
        }
        NavigableSet<Long> woken = resting.subSet(start, true, start + blocks, false);
        List<Long> all = List.copyOf(woken);
        woken.clear();
        return all;
    }
}
