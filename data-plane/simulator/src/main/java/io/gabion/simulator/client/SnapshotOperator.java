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
import java.util.NavigableSet;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Stands for whoever takes and deletes snapshots: reserves numbers, asks the primary until there is an answer, remembers it.
 * At random it also gives up before there is one, deletes what is only being taken, and takes again what it has, or had.
 */
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
    private final TreeSet<Long> wanted = new TreeSet<>();
    private final TreeMap<Long, Lsn> taken = new TreeMap<>();
    private final TreeSet<Long> unwanted = new TreeSet<>();
    private final TreeSet<Long> gone = new TreeSet<>();
    private final Map<Long, Call> calls = new HashMap<>();
    private final List<Wish> open = new ArrayList<>();
    private long lastCall;
    private int takenCount;
    private int deletedCount;
    private int repeated;
    private boolean stopped;

    /** Hears of numbers that are asked for, and of what was answered. */
    public interface Listener {
        void wanted(long number);

        /** For the first time. */
        void taken(String node, long number);

        /** It is gone for good. */
        void gone(String node, long number);
    }

    private static final class Wish {
        private long number;
        private final boolean deletion;

        Wish(long number, boolean deletion) {
            this.number = number;
            this.deletion = deletion;
        }
    }

    /** @param wasGone the number was known to be gone when this was asked */
    private record Call(Wish wish, long number, boolean wasGone) {}

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

    /** Does one of the things that it can. */
    public void changeSomething(Dice dice) {
        int draw = dice.below(100);
        if (draw < 8 && !open.isEmpty()) {
            giveUp(dice.pick(open));
        } else if (draw < 20 && !wanted.isEmpty()) {
            takeOnce(dice.pick(List.copyOf(wanted)));
        } else if (draw < 24) {
            reserveOnly();
        } else if (draw < 75 && present().size() < ENOUGH) {
            take();
            if (dice.chance(0.15)) {
                delete(wanted.last());
            }
        } else if (!present().isEmpty()) {
            delete(dice.pick(List.copyOf(present())));
        }
    }

    /** Numbers that may name a snapshot. */
    private NavigableSet<Long> present() {
        TreeSet<Long> present = new TreeSet<>(wanted);
        present.removeAll(gone);
        return present;
    }

    /** No new wishes; those that are open are pursued. */
    public void stop() {
        stopped = true;
    }

    public void take() {
        Wish wish = new Wish(reserve(), false);
        open.add(wish);
        want(wish.number);
        pursue(wish);
    }

    /** Reserves a number and takes nothing under it. */
    public long reserveOnly() {
        long number = reserve();
        want(number);
        return number;
    }

    /** Asks once, perhaps again, for a snapshot with this number. */
    public void takeOnce(long number) {
        ask(new Wish(number, false));
    }

    private void want(long number) {
        wanted.add(number);
        listener.wanted(number);
    }

    public void delete(long number) {
        if (open.stream().noneMatch(wish -> wish.deletion && wish.number == number)) {
            Wish wish = new Wish(number, true);
            open.add(wish);
            unwanted.add(number);
            pursue(wish);
        }
    }

    /** Does not ask again; what was asked may still happen. */
    public void giveUpAll() {
        List.copyOf(open).forEach(this::giveUp);
    }

    private void giveUp(Wish wish) {
        trace.line("operator", "gives up snapshot " + wish.number);
        open.remove(wish);
    }

    private long reserve() {
        long number = configuration.current().config().snapSequence() + 1;
        configuration.administer(
                record -> record.withConfig(record.config().withSnapSequence(number, "operator/snapshot" + number)));
        return number;
    }

    private void pursue(Wish wish) {
        if (open.contains(wish)) {
            long call = ask(wish);
            scheduler.after(ASK_AGAIN_NANOS, () -> {
                if (calls.containsKey(call)) {
                    pursue(wish);
                }
            });
        }
    }

    private long ask(Wish wish) {
        long call = ++lastCall;
        calls.put(call, new Call(wish, wish.number, gone.contains(wish.number)));
        trace.line("operator", (wish.deletion ? "delete" : "take") + " snapshot " + wish.number + " #" + call);
        primary.accept(
                wish.deletion
                        ? new Event.SnapshotUnwanted(call, wish.number)
                        : new Event.SnapshotWanted(call, wish.number));
        return call;
    }

    // ---- answers
    public void answered(String node, long number, SnapshotOutcome outcome) {
        Call call = calls.get(number);
        if (call == null) {
            return;
        }
        switch (outcome) {
            case SnapshotOutcome.Taken(Lsn lsn) -> {
                finish(call.wish);
                taken(node, call, lsn);
            }
            case SnapshotOutcome.Deleted _ -> {
                finish(call.wish);
                deletedCount++;
                gone(node, call);
            }
            case SnapshotOutcome.NumberUsed _ -> {
                gone(node, call);
                replace(call.wish);
            }
            case SnapshotOutcome.NotPrimary _, SnapshotOutcome.Refused _ -> {}
        }
    }

    private void taken(String node, Call call, Lsn lsn) {
        Lsn before = taken.putIfAbsent(call.number, lsn);
        if (before == null && !unwanted.contains(call.number)) {
            takenCount++;
            listener.taken(node, call.number);
        } else if (before != null && !before.equals(lsn)) {
            trace.violation(node, "says that snapshot " + call.number + " was taken at " + lsn + ", not " + before);
        }
        if (call.wasGone) {
            trace.violation(node, "takes snapshot " + call.number + ", which was gone");
        }
    }

    private void gone(String node, Call call) {
        if (taken.containsKey(call.number) && !unwanted.contains(call.number)) {
            trace.violation(node, "says that snapshot " + call.number + " is gone, which nobody deleted");
        }
        if (gone.add(call.number)) {
            listener.gone(node, call.number);
        }
    }

    /** The number was lost: the snapshot is still wanted, unless it was given up or deleted meanwhile. */
    private void replace(Wish wish) {
        boolean pursued = open.contains(wish);
        finish(wish);
        if (pursued && !unwanted.contains(wish.number)) {
            open.add(wish);
            wish.number = reserve();
            repeated++;
            want(wish.number);
            scheduler.after(0, () -> pursue(wish));
        }
    }

    private void finish(Wish wish) {
        open.remove(wish);
        calls.values().removeIf(call -> call.wish.equals(wish));
    }

    // ---- what came of it
    /** Snapshots that must be there: answered as taken, and nobody asked for their deletion. */
    public SortedMap<Long, Lsn> live() {
        TreeMap<Long, Lsn> live = new TreeMap<>(taken);
        live.keySet().removeAll(unwanted);
        return Collections.unmodifiableSortedMap(live);
    }

    /** Every number that was ever asked for. */
    public NavigableSet<Long> wanted() {
        return Collections.unmodifiableNavigableSet(wanted);
    }

    /** Numbers that must not name a snapshot any more. */
    public NavigableSet<Long> gone() {
        return Collections.unmodifiableNavigableSet(gone);
    }

    /** Wishes without an answer. */
    public int pending() {
        return open.size();
    }

    public int taken() {
        return takenCount;
    }

    public int deleted() {
        return deletedCount;
    }

    /** Times that another number had to be reserved because the first one was lost with its epoch. */
    public int repeated() {
        return repeated;
    }
}
