package io.gabion.faults.powerloss;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What processes see on top of the durable bytes of one file: extents that never overlap, the newest bytes winning.
 * Not thread safe; the file's lock guards it.
 */
final class ExtentOverlay {
    /**
     * Bytes {@code [start, end)} of the file.
     *
     * @param data as long as the extent; null for zeros
     * @param lost a failed sync dropped them: still readable, never made durable by a later sync
     */
    record Extent(long start, long end, @Nullable MemorySegment data, boolean lost) {
        Extent part(long from, long to) {
            return new Extent(from, to, data == null ? null : data.asSlice(from - start, to - from), lost);
        }
    }

    private final TreeMap<Long, Extent> extents = new TreeMap<>();

    boolean isEmpty() {
        return extents.isEmpty();
    }

    void put(long start, long end, @Nullable MemorySegment data) {
        if (start < end) {
            cut(start, end);
            extents.put(start, new Extent(start, end, data, false));
        }
    }

    /** Removes everything inside the range. */
    void cut(long start, long end) {
        Map.Entry<Long, Extent> before = extents.lowerEntry(start);
        if (before != null && before.getValue().end() > start) {
            Extent left = before.getValue();
            extents.put(left.start(), left.part(left.start(), start));
            if (left.end() > end) {
                extents.put(end, left.part(end, left.end()));
                return;
            }
        }
        while (true) {
            Map.Entry<Long, Extent> next = extents.ceilingEntry(start);
            if (next == null || next.getKey() >= end) {
                return;
            }
            Extent covered = next.getValue();
            extents.remove(covered.start());
            if (covered.end() > end) {
                extents.put(end, covered.part(end, covered.end()));
                return;
            }
        }
    }

    /** The extents that touch the range, clipped to it, in order. */
    List<Extent> within(long start, long end) {
        List<Extent> found = new ArrayList<>();
        Map.Entry<Long, Extent> before = extents.lowerEntry(start);
        if (before != null && before.getValue().end() > start) {
            Extent left = before.getValue();
            found.add(left.part(start, Math.min(end, left.end())));
        }
        for (Extent extent : extents.subMap(start, end).values()) {
            found.add(extent.end() <= end ? extent : extent.part(extent.start(), end));
        }
        return found;
    }

    /** Marks everything as lost by a failed sync. */
    void loseAll() {
        extents.replaceAll((start, extent) -> new Extent(extent.start(), extent.end(), extent.data(), true));
    }

    /** Drops what a sync has made durable. */
    void keepOnlyLost() {
        extents.values().removeIf(extent -> !extent.lost());
    }
}
