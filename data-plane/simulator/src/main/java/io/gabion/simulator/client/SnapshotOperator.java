package io.gabion.simulator.client;

import io.gabion.core.port.Event;
import io.gabion.core.port.SnapshotOutcome;
import io.gabion.model.Lsn;
import io.gabion.simulator.Dice;
import io.gabion.simulator.Scheduler;
import io.gabion.simulator.Trace;
import io.gabion.simulator.configuration.ConfigurationService;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Stands for whoever takes and deletes snapshots: reserves numbers, asks the primary until there is an answer, remembers it. */
public final class SnapshotOperator {
    private static final long ASK_AGAIN_NANOS = 900_000_000L;
    private static final long GAP_NANOS = 2_000_000_000L;
    /** Snapshots at a time. */
    private static final int ENOUGH = 6;

    private final Scheduler scheduler;
    private final Trace trace;
    private final ConfigurationService configuration;
    private final Consumer<Event> primary;
    private final Listener listener;
    private final TreeMap<Long, Lsn> live = new TreeMap<>();
    private final Map<Long, Wish> calls = new HashMap<>();
    private final List<Wish> open = new ArrayList<>();
    private long lastCall;
    private int taken;
    private int deleted;
    private int repeated;
    private boolean stopped;

    /** Hears of numbers that are asked for, and of what was answered. */
    public interface Listener {
        void wanted(long number);

        void taken(String node, long number);
    }

    private static final class Wish {
        private long number;
        private final boolean deletion;

        Wish(long number, boolean deletion) {
            this.number = number;
            this.deletion = deletion;
        }
    }

    /** @param primary receives requests for the node that the configuration names as primary; they may get lost */
    public SnapshotOperator(
            Scheduler scheduler,
            Trace trace,
            ConfigurationService configuration,
            Consumer<Event> primary,
            Listener listener) {
        this.scheduler = scheduler;
        this.trace = trace;
        this.configuration = configuration;
        this.primary = primary;
        this.listener = listener;
    }

    // ---- wishes
    /** Takes and deletes snapshots at random until {@link #stop()}. */
    public void startRandomly(Dice dice) {
        if (stopped) {
            return;
        }
        changeSomething(dice);
        scheduler.after(dice.around(GAP_NANOS), () -> startRandomly(dice));
    }

    /** Takes a snapshot or deletes one. */
    public void changeSomething(Dice dice) {
        if (live.size() + open.size() < ENOUGH && dice.chance(0.7)) {
            take();
        } else if (!live.isEmpty()) {
            delete(dice.pick(List.copyOf(live.keySet())));
        }
    }

    /** No new wishes; those that are open are pursued. */
    public void stop() {
        stopped = true;
    }

    public void take() {
        Wish wish = new Wish(reserve(), false);
        open.add(wish);
        listener.wanted(wish.number);
        ask(wish);
    }

    public void delete(long number) {
        if (open.stream().noneMatch(wish -> wish.number == number)) {
            Wish wish = new Wish(number, true);
            open.add(wish);
            ask(wish);
        }
    }

    private long reserve() {
        long number = configuration.current().config().snapSequence() + 1;
        configuration.administer(
                record -> record.withConfig(record.config().withSnapSequence(number, "operator/snapshot" + number)));
        return number;
    }

    private void ask(Wish wish) {
        if (!open.contains(wish)) {
            return;
        }
        long call = ++lastCall;
        calls.put(call, wish);
        trace.line("operator", (wish.deletion ? "delete" : "take") + " snapshot " + wish.number + " #" + call);
        primary.accept(
                wish.deletion
                        ? new Event.SnapshotUnwanted(call, wish.number)
                        : new Event.SnapshotWanted(call, wish.number));
        scheduler.after(ASK_AGAIN_NANOS, () -> {
            if (calls.containsKey(call)) {
                ask(wish);
            }
        });
    }

    public void answered(String node, long call, SnapshotOutcome outcome) {
        Wish wish = calls.get(call);
        if (wish == null) {
            return;
        }
        switch (outcome) {
            case SnapshotOutcome.Taken(Lsn lsn) -> {
                finish(wish);
                live.put(wish.number, lsn);
                taken++;
                listener.taken(node, wish.number);
            }
            case SnapshotOutcome.Deleted _ -> {
                finish(wish);
                live.remove(wish.number);
                deleted++;
            }
            case SnapshotOutcome.NumberUsed _ -> {
                calls.values().removeIf(wish::equals);
                wish.number = reserve();
                repeated++;
                listener.wanted(wish.number);
                scheduler.after(0, () -> ask(wish));
            }
            case SnapshotOutcome.NotPrimary _, SnapshotOutcome.Refused _ -> {}
        }
    }

    private void finish(Wish wish) {
        open.remove(wish);
        calls.values().removeIf(wish::equals);
    }

    // ---- what came of it
    /** Snapshots that were answered as taken and not as deleted. */
    public SortedMap<Long, Lsn> live() {
        return Collections.unmodifiableSortedMap(live);
    }

    /** Wishes without an answer. */
    public int pending() {
        return open.size();
    }

    public int taken() {
        return taken;
    }

    public int deleted() {
        return deleted;
    }

    /** Times that another number had to be reserved because the first one was lost with its epoch. */
    public int repeated() {
        return repeated;
    }
}
