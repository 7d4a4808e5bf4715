package io.gabion.simulator.checker;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What was done to one block, and whether an atomic register that starts at 0 could have answered so. Checked at the end, when
 * every answer is known: the history is walked event by event with the set of all possible states; at the return of an
 * operation only those stay in which it has taken effect. An operation without an answer may have taken effect until it is
 * abandoned, or never.
 */
public final class RegisterHistory {
    /** Bits in a mask of open operations. */
    private static final int MAX_OPEN = 62;

    /** Events shown before the one that cannot be. */
    private static final int SHOWN_EVENTS = 40;

    private final long block;
    private final List<Event> events = new ArrayList<>();

    /** The value of the block when exactly the open operations in {@code mask} have taken effect already. */
    private record State(long value, long mask) {}

    /** Some virtual time, both ends included. */
    record Span(long fromNanos, long toNanos) {
        /** The times that are in one of each; apart from one another, ascending. */
        static List<Span> common(List<Span> some, List<Span> others) {
            List<Span> common = new ArrayList<>();
            for (Span one : some) {
                for (Span other : others) {
                    long from = Math.max(one.fromNanos, other.fromNanos);
                    long to = Math.min(one.toNanos, other.toNanos);
                    if (from <= to) {
                        common.add(new Span(from, to));
                    }
                }
            }
            return merged(common);
        }

        /** Without overlaps, of which products would soon be many. */
        private static List<Span> merged(List<Span> spans) {
            List<Span> sorted = new ArrayList<>(spans);
            sorted.sort(Comparator.comparingLong(Span::fromNanos));
            List<Span> merged = new ArrayList<>();
            for (Span span : sorted) {
                if (merged.isEmpty() || merged.getLast().toNanos < span.fromNanos) {
                    merged.add(span);
                } else {
                    Span last = merged.removeLast();
                    merged.add(new Span(last.fromNanos, Math.max(last.toNanos, span.toNanos)));
                }
            }
            return merged;
        }
    }

    private enum Step {
        BEGIN,
        END,
        ABANDON
    }

    private record Event(Step step, Entry entry, long atNanos) {
        @Override
        public String toString() {
            return "%12.6f %-7s %s %s".formatted(atNanos / 1e9, step, entry.text, Long.toHexString(entry.value));
        }
    }

    /** One operation on the block. */
    public static final class Entry {
        private final boolean write;
        private final String text;
        private long value;
        private final long begunAtNanos;
        private boolean answered;
        /** When it has taken effect, if it ever does. */
        private long settledAtNanos = Long.MAX_VALUE;

        private int slot = -1;

        private Entry(boolean write, long value, String text, long begunAtNanos) {
            this.write = write;
            this.value = value;
            this.text = text;
            this.begunAtNanos = begunAtNanos;
        }

        private long bit() {
            return 1L << slot;
        }
    }

    public RegisterHistory(long block) {
        this.block = block;
    }

    /** A write of {@code value} (0 for zeros) begins. */
    public Entry beginWrite(long value, String text, long nowNanos) {
        Entry entry = new Entry(true, value, text, nowNanos);
        events.add(new Event(Step.BEGIN, entry, nowNanos));
        return entry;
    }

    public Entry beginRead(String text, long nowNanos) {
        Entry entry = new Entry(false, 0, text, nowNanos);
        events.add(new Event(Step.BEGIN, entry, nowNanos));
        return entry;
    }

    public void endWrite(Entry entry, long nowNanos) {
        entry.answered = true;
        entry.settledAtNanos = nowNanos;
        events.add(new Event(Step.END, entry, nowNanos));
    }

    public void endRead(Entry entry, long value, long nowNanos) {
        entry.value = value;
        endWrite(entry, nowNanos);
    }

    /** From here on the operation has taken effect or never will. */
    public void abandon(Entry entry, long nowNanos) {
        entry.settledAtNanos = Math.min(entry.settledAtNanos, nowNanos);
        events.add(new Event(Step.ABANDON, entry, nowNanos));
    }

    /** When the register may have held {@code value}, as far as beginnings and ends of the writes alone tell. */
    List<Span> mayHold(long value) {
        List<Entry> writes = events.stream()
                .filter(event -> event.step() == Step.BEGIN && event.entry().write)
                .map(Event::entry)
                .toList();
        List<Span> spans = new ArrayList<>();
        if (value == 0) {
            spans.add(new Span(0, overwrittenBy(writes, 0)));
        }
        for (Entry write : writes) {
            if (write.value == value) {
                spans.add(new Span(write.begunAtNanos, overwrittenBy(writes, write.settledAtNanos)));
            }
        }
        return Span.merged(spans);
    }

    /** End of the first answered write that began after {@code settledAtNanos}: what was there before is gone then. */
    private static long overwrittenBy(List<Entry> writes, long settledAtNanos) {
        long by = Long.MAX_VALUE;
        for (Entry write : writes) {
            if (write.answered && write.begunAtNanos > settledAtNanos) {
                by = Math.min(by, write.settledAtNanos);
            }
        }
        return by;
    }

    /** A description of the first answer that no atomic register could have given; empty when there is none. */
    public Optional<String> check() {
        @Nullable Entry[] open = new Entry[MAX_OPEN];
        Set<State> states = new HashSet<>(Set.of(new State(0, 0)));
        for (int i = 0; i < events.size(); i++) {
            Event event = events.get(i);
            Entry entry = event.entry();
            if (!entry.write && !entry.answered) {
                continue;
            }
            if (event.step() == Step.BEGIN) {
                entry.slot = Arrays.asList(open).indexOf(null);
                if (entry.slot < 0) {
                    throw new IllegalStateException("too many open operations on block " + block);
                }
                open[entry.slot] = entry;
                if (!entry.write) {
                    states = withReads(states, open);
                }
                continue;
            }
            Set<State> next = new HashSet<>();
            for (State reached : reachable(states, open, entry)) {
                if (event.step() == Step.ABANDON || (reached.mask() & entry.bit()) != 0) {
                    next.add(new State(reached.value(), reached.mask() & ~entry.bit()));
                }
            }
            open[entry.slot] = null;
            if (next.isEmpty()) {
                return Optional.of(explain(i, states));
            }
            states = next;
        }
        return Optional.empty();
    }

    private String explain(int index, Set<State> states) {
        StringBuilder text = new StringBuilder(
                "block " + block + " is no atomic register at: " + events.get(index) + "; possible values before it:");
        states.forEach(state -> text.append(' ').append(Long.toHexString(state.value())));
        for (int i = Math.max(0, index - SHOWN_EVENTS); i <= index; i++) {
            text.append("\n          ").append(events.get(i));
        }
        return text.toString();
    }

    /** Reads of the present value may as well take effect at once: they change nothing. */
    private static Set<State> withReads(Set<State> states, @Nullable Entry[] open) {
        Set<State> absorbed = new HashSet<>();
        states.forEach(state -> absorbed.add(withReads(state.value(), state.mask(), open)));
        return absorbed;
    }

    private static State withReads(long value, long mask, @Nullable Entry[] open) {
        long taken = mask;
        for (Entry entry : open) {
            if (entry != null && !entry.write && entry.value == value) {
                taken |= entry.bit();
            }
        }
        return new State(value, taken);
    }

    /** Everything that may be now, when any open writes take effect in any order; no further than {@code wanted} needs. */
    private static Set<State> reachable(Set<State> states, @Nullable Entry[] open, Entry wanted) {
        Set<State> reached = new HashSet<>(states);
        ArrayDeque<State> todo = new ArrayDeque<>();
        for (State state : states) {
            if ((state.mask() & wanted.bit()) == 0) {
                todo.add(state);
            }
        }
        for (State current = todo.poll(); current != null; current = todo.poll()) {
            for (Entry entry : open) {
                if (entry != null && entry.write && (current.mask() & entry.bit()) == 0) {
                    State next = withReads(entry.value, current.mask() | entry.bit(), open);
                    if (reached.add(next) && (next.mask() & wanted.bit()) == 0) {
                        todo.add(next);
                    }
                }
            }
        }
        return reached;
    }
}
