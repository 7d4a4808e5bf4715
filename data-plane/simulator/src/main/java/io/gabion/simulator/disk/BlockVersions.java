package io.gabion.simulator.disk;

import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.message.SnapshotSet;
import io.gabion.model.Lsn;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** The newest version of each block, and the older ones that snapshots see. */
final class BlockVersions {
    private final TreeMap<Long, TreeMap<Lsn, StoredBlock>> blocks = new TreeMap<>();
    private final TreeMap<Long, Lsn> pins = new TreeMap<>();
    private long highest;

    StoredBlock head(long block) {
        TreeMap<Lsn, StoredBlock> versions = blocks.get(block);
        return versions == null
                ? StoredBlock.NEVER_WRITTEN
                : versions.lastEntry().getValue();
    }

    Set<Long> numbers() {
        return Collections.unmodifiableSet(blocks.keySet());
    }

    void clear() {
        blocks.clear();
        pins.clear();
    }

    /** The newest version from now on; whatever is newer diverged and goes. */
    void put(long block, StoredBlock next) {
        TreeMap<Lsn, StoredBlock> versions = blocks.computeIfAbsent(block, _ -> new TreeMap<>());
        versions.tailMap(next.lsn(), true).clear();
        versions.put(next.lsn(), next);
        prune(versions);
    }

    /** What a reader at {@code at} finds from now on. */
    void putUnder(long block, Lsn at, StoredBlock next) {
        TreeMap<Lsn, StoredBlock> versions = blocks.computeIfAbsent(block, _ -> new TreeMap<>());
        versions.subMap(next.lsn(), true, at, true).clear();
        versions.put(next.lsn(), next);
        prune(versions);
    }

    /** Keeps what the head or a snapshot sees. */
    private void prune(SortedMap<Lsn, StoredBlock> versions) {
        List<Lsn> all = List.copyOf(versions.keySet());
        for (int i = 0; i + 1 < all.size(); i++) {
            Lsn version = all.get(i);
            Lsn successor = all.get(i + 1);
            boolean seen = pins.values().stream().anyMatch(pin -> !version.isAfter(pin) && successor.isAfter(pin));
            if (!seen) {
                versions.remove(version);
            }
        }
    }

    long dataBlocksAfter(Lsn lsn) {
        return blocks.values().stream()
                .flatMap(versions -> versions.tailMap(lsn, false).values().stream())
                .filter(version -> !version.isHole())
                .count();
    }

    // ---- snapshots
    void pin(long number, Lsn lsn) {
        if (!pins.containsKey(number)) {
            pins.put(number, lsn);
            highest = Math.max(highest, number);
        }
    }

    void unpin(long number) {
        highest = Math.max(highest, number);
        if (pins.remove(number) != null) {
            blocks.values().forEach(this::prune);
        }
    }

    SortedMap<Long, Lsn> pins() {
        return Collections.unmodifiableSortedMap(pins);
    }

    SnapshotSet snapshotSet() {
        List<SnapshotPoint> points = new ArrayList<>();
        pins.forEach((number, lsn) -> points.add(new SnapshotPoint(number, lsn)));
        return new SnapshotSet(points, highest);
    }

    /** Every block as a reader at {@code at} finds it. */
    Map<Long, StoredBlock> at(Lsn at) {
        TreeMap<Long, StoredBlock> found = new TreeMap<>();
        blocks.forEach((block, versions) -> {
            Map.Entry<Lsn, StoredBlock> seen = versions.floorEntry(at);
            if (seen != null) {
                found.put(block, seen.getValue());
            }
        });
        return found;
    }
}
