package io.gabion.core.volume;

import io.gabion.core.Invariants;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Operations of the current epoch that some member may still need, by sequence number; and a quick answer to whether a range
 * is touched by an operation that is not committed.
 */
final class Window {
    /** Chunks share slots when the volume is larger; a shared slot only costs a closer look. Power of two. */
    private static final int SLOTS = 1024;

    private @Nullable WindowEntry[] ring = new @Nullable WindowEntry[64];
    private long first = 1;
    private long last;
    private long bytes;
    private final long[] lastTouch = new long[SLOTS];

    void reset() {
        for (long seq = first; seq <= last; seq++) {
            get(seq).letGo();
        }
        Arrays.fill(ring, null);
        Arrays.fill(lastTouch, 0);
        first = 1;
        last = 0;
        bytes = 0;
    }

    long first() {
        return first;
    }

    long last() {
        return last;
    }

    long bytes() {
        return bytes;
    }

    WindowEntry get(long seq) {
        WindowEntry entry = ring[(int) (seq & (ring.length - 1))];
        Invariants.check(
                entry != null && entry.seq == seq,
                "the window holds what is not acknowledged",
                first + ".." + last,
                seq);
        if (entry == null) {
            throw new IllegalStateException("unreachable");
        }
        return entry;
    }

    void add(WindowEntry entry) {
        Invariants.check(entry.seq == last + 1, "sequence numbers have no gaps", entry.seq, last);
        if (last - first + 1 == ring.length) {
            grow();
        }
        last = entry.seq;
        ring[(int) (last & (ring.length - 1))] = entry;
        bytes += entry.payloadBytes;
        ByteRange range = entry.operation.range();
        if (!range.isEmpty()) {
            long endChunk = (range.end() - 1) / BlockGeometry.CHUNK_BYTES;
            for (long chunk = range.offset() / BlockGeometry.CHUNK_BYTES; chunk <= endChunk; chunk++) {
                lastTouch[(int) (chunk & (SLOTS - 1))] = last;
            }
        }
    }

    private void grow() {
        @Nullable WindowEntry[] larger = new @Nullable WindowEntry[ring.length * 2];
        for (long seq = first; seq <= last; seq++) {
            larger[(int) (seq & (larger.length - 1))] = get(seq);
        }
        ring = larger;
    }

    /** Everybody has everything up to {@code seq}. */
    void forgetThrough(long seq) {
        while (first <= seq && first <= last) {
            WindowEntry entry = get(first);
            entry.letGo();
            bytes -= entry.payloadBytes;
            ring[(int) (first & (ring.length - 1))] = null;
            first++;
        }
    }

    /** Highest operation after {@code committedSeq} that touches the range, or {@code committedSeq} when none does. */
    long lastOverlap(ByteRange range, long committedSeq) {
        if (range.isEmpty() || committedSeq >= last) {
            return committedSeq;
        }
        long highest = committedSeq;
        long endChunk = (range.end() - 1) / BlockGeometry.CHUNK_BYTES;
        for (long chunk = range.offset() / BlockGeometry.CHUNK_BYTES; chunk <= endChunk; chunk++) {
            highest = Math.max(highest, lastTouch[(int) (chunk & (SLOTS - 1))]);
        }
        for (long seq = highest; seq > committedSeq; seq--) {
            if (get(seq).operation.range().overlaps(range)) {
                return seq;
            }
        }
        return committedSeq;
    }
}
