package io.gabion.store;

import io.gabion.model.Lsn;
import io.gabion.store.extent.Pins;
import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;
import io.gabion.store.metadata.MalformedMetadataException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Snapshots of a replica, the clones that were taken from it, and the one from which it was cloned.
 *
 * <pre>
 * version (1) = 1 | highest snapshot number ever (8) | chunk where collection goes on, -1: nothing to collect (8)
 * count (4), per snapshot: number (8), lsn (16)
 * count (4), per clone: local number of its replica (4), lsn (16)
 * is a clone (1) [, local number of the parent's replica (4), lsn (16)]
 * </pre>
 */
final class Ancestry {
    static final int MAX_SNAPSHOTS = 1024;
    static final int MAX_CLONES = 1024;
    private static final int VERSION = 1;
    private static final long NOTHING = -1;

    private final TreeMap<Long, Lsn> snapshots = new TreeMap<>();
    private final TreeMap<Integer, Lsn> clones = new TreeMap<>();
    private @Nullable Parent parent;
    private long highestSnapshot;
    private long collectFrom = NOTHING;

    /** Where a clone comes from; {@code replica} is a local number. */
    record Parent(int replica, Lsn at) {}

    SortedMap<Long, Lsn> snapshots() {
        return Collections.unmodifiableSortedMap(snapshots);
    }

    /** Highest number ever taken or deleted here: a lower one that is missing was deleted. */
    long highestSnapshot() {
        return highestSnapshot;
    }

    /** False when the number is there, or there are too many. */
    boolean addSnapshot(long number, Lsn lsn) {
        if (snapshots.containsKey(number) || snapshots.size() >= MAX_SNAPSHOTS) {
            return false;
        }
        highestSnapshot = Math.max(highestSnapshot, number);
        snapshots.put(number, lsn);
        return true;
    }

    /** False when there is none. Its number counts as used, also when it never was here. */
    boolean removeSnapshot(long number) {
        highestSnapshot = Math.max(highestSnapshot, number);
        return snapshots.remove(number) != null;
    }

    void removeAllSnapshots() {
        snapshots.clear();
    }

    boolean hasRoomForClone() {
        return clones.size() < MAX_CLONES;
    }

    void addClone(int replica, Lsn at) {
        clones.put(replica, at);
    }

    void removeClone(int replica) {
        clones.remove(replica);
    }

    /** Local numbers of the clones' replicas. */
    List<Integer> cloneNumbers() {
        return List.copyOf(clones.keySet());
    }

    /** Where the newest clone was taken; {@link Lsn#ZERO} without any. */
    Lsn newestClone() {
        return clones.values().stream().max(Comparator.naturalOrder()).orElse(Lsn.ZERO);
    }

    boolean hasClones() {
        return !clones.isEmpty();
    }

    Optional<Parent> parent() {
        return Optional.ofNullable(parent);
    }

    void setParent(Parent newParent) {
        parent = newParent;
    }

    Pins pins() {
        List<Lsn> lsns = new ArrayList<>(snapshots.values());
        lsns.addAll(clones.values());
        return Pins.of(lsns);
    }

    /** Some versions may not be seen any more: all chunks are looked at again. */
    void collectAll() {
        collectFrom = 0;
    }

    boolean isCollecting() {
        return collectFrom != NOTHING;
    }

    /** Chunk at which collection goes on. */
    long collectFrom() {
        return collectFrom;
    }

    void collectedUpTo(long chunk) {
        collectFrom = chunk;
    }

    void collected() {
        collectFrom = NOTHING;
    }

    byte[] encode() {
        BinaryOutput out = new BinaryOutput(64 + 24 * snapshots.size() + 20 * clones.size());
        out.putByte(VERSION).putLong(highestSnapshot).putLong(collectFrom);
        out.putInt(snapshots.size());
        snapshots.forEach((number, lsn) -> putLsn(out.putLong(number), lsn));
        out.putInt(clones.size());
        clones.forEach((replica, lsn) -> putLsn(out.putInt(replica), lsn));
        Parent from = parent;
        out.putBoolean(from != null);
        if (from != null) {
            putLsn(out.putInt(from.replica()), from.at());
        }
        return out.toBytes();
    }

    static Ancestry decode(byte[] value) {
        BinaryInput in = new BinaryInput(value);
        int version = in.getByte();
        if (version != VERSION) {
            throw new MalformedMetadataException("snapshots have version " + version + ", not " + VERSION);
        }
        Ancestry ancestry = new Ancestry();
        ancestry.highestSnapshot = in.getLong();
        ancestry.collectFrom = in.getLong();
        for (int left = in.getCount(24); left > 0; left--) {
            long number = in.getLong();
            ancestry.snapshots.put(number, getLsn(in));
        }
        for (int left = in.getCount(20); left > 0; left--) {
            int replica = in.getInt();
            ancestry.clones.put(replica, getLsn(in));
        }
        if (in.getBoolean()) {
            int replica = in.getInt();
            ancestry.parent = new Parent(replica, getLsn(in));
        }
        return ancestry;
    }

    private static void putLsn(BinaryOutput out, Lsn lsn) {
        out.putLong(lsn.epoch()).putLong(lsn.seq());
    }

    private static Lsn getLsn(BinaryInput in) {
        long epoch = in.getLong();
        return new Lsn(epoch, in.getLong());
    }
}
