package io.gabion.core.volume;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.TailEntry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Operations in the own log that are not known to be on all in-sync members, oldest first. */
final class Tail {
    private final ArrayDeque<TailEntry> entries = new ArrayDeque<>();

    void add(TailEntry entry) {
        entries.addLast(entry);
    }

    void addAll(Collection<TailEntry> more) {
        entries.addAll(more);
    }

    void commitThrough(Lsn committed) {
        while (!entries.isEmpty() && !entries.getFirst().lsn().isAfter(committed)) {
            entries.removeFirst();
        }
    }

    void clear() {
        entries.clear();
    }

    List<TailEntry> list() {
        return List.copyOf(entries);
    }

    static void rangesAfter(Collection<TailEntry> tail, Lsn after, List<ByteRange> into) {
        for (TailEntry entry : tail) {
            if (entry.lsn().isAfter(after) && !entry.range().isEmpty()) {
                into.add(entry.range());
            }
        }
    }

    /** Requests of operations that lose at least one block to the older content of {@code runs}. */
    List<RequestId> undoneBy(List<BlockRun> runs) {
        List<RequestId> undone = new ArrayList<>();
        for (TailEntry entry : entries) {
            if (entry.request().equals(RequestId.NONE)) {
                continue;
            }
            for (BlockRun run : runs) {
                if (entry.lsn().isAfter(run.lsn())
                        && entry.range().overlaps(ByteRange.ofBlocks(run.firstBlock(), run.blocks()))) {
                    undone.add(entry.request());
                    break;
                }
            }
        }
        return undone;
    }

    List<ByteRange> rangesAfter(Lsn after) {
        List<ByteRange> ranges = new ArrayList<>();
        rangesAfter(entries, after, ranges);
        return ranges;
    }
}
