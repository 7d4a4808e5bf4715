package io.gabion.core.volume;

import io.gabion.core.port.TailEntry;
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

    List<ByteRange> rangesAfter(Lsn after) {
        List<ByteRange> ranges = new ArrayList<>();
        rangesAfter(entries, after, ranges);
        return ranges;
    }
}
