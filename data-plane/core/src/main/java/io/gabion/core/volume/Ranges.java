package io.gabion.core.volume;

import io.gabion.core.message.RegionState;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Arithmetic on sets of ranges. */
final class Ranges {
    private Ranges() {}

    /** The union, ascending, in pieces that lie each within one region. */
    static List<ByteRange> unionByRegion(Collection<ByteRange> ranges) {
        List<ByteRange> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingLong(ByteRange::offset));
        List<ByteRange> pieces = new ArrayList<>();
        long start = 0;
        long end = -1;
        for (ByteRange range : sorted) {
            if (range.isEmpty()) {
                continue;
            }
            if (end >= 0 && range.offset() <= end) {
                end = Math.max(end, range.end());
                continue;
            }
            split(start, end, pieces);
            start = range.offset();
            end = range.end();
        }
        split(start, end, pieces);
        return pieces;
    }

    private static void split(long start, long end, List<ByteRange> pieces) {
        for (long at = start; at < end; ) {
            long stop = Math.min(end, (at / BlockGeometry.REGION_BYTES + 1) * BlockGeometry.REGION_BYTES);
            pieces.add(new ByteRange(at, stop - at));
            at = stop;
        }
    }

    /** Whole regions in which the tables differ, ascending, cut at the volume's end. */
    static List<ByteRange> different(List<RegionState> mine, List<RegionState> theirs, long sizeBytes) {
        Map<Integer, Long> hashes = new LinkedHashMap<>();
        for (RegionState region : mine) {
            hashes.put(region.region(), region.hash());
        }
        TreeSet<Integer> different = new TreeSet<>();
        for (RegionState region : theirs) {
            Long hash = hashes.remove(region.region());
            if ((hash == null ? 0 : hash) != region.hash()) {
                different.add(region.region());
            }
        }
        hashes.forEach((region, hash) -> {
            if (hash != 0) {
                different.add(region);
            }
        });
        List<ByteRange> ranges = new ArrayList<>(different.size());
        for (int region : different) {
            long offset = (long) region * BlockGeometry.REGION_BYTES;
            long length = Math.min(BlockGeometry.REGION_BYTES, Math.max(0, sizeBytes - offset));
            if (length > 0) {
                ranges.add(new ByteRange(offset, length));
            }
        }
        return ranges;
    }

    static long bytes(Collection<ByteRange> ranges) {
        long sum = 0;
        for (ByteRange range : ranges) {
            sum += range.length();
        }
        return sum;
    }
}
