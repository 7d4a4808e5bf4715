package io.gabion.core.volume;

import io.gabion.core.message.Operation;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.Notice;
import io.gabion.core.port.SnapshotOutcome;
import io.gabion.model.Lsn;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * The primary's dealings with those who want snapshots taken or deleted. No block changes between the place of a snapshot and its
 * commit. So the head of whoever holds one that is not committed is its content, and undoing it, or taking it at a member that
 * was made equal, moves no data.
 */
final class SnapshotDesk {
    private static final int MAX_CALLS = 4096;

    private static final class Call {
        final long id;
        final long number;
        final boolean deletion;
        /** The record was read after the call came. */
        boolean recordIsFresh;

        Call(long id, long number, boolean deletion) {
            this.id = id;
            this.number = number;
            this.deletion = deletion;
        }
    }

    private final Primary p;
    private final Replica r;
    private final ArrayDeque<Call> waiting = new ArrayDeque<>();
    private final List<Call> underWay = new ArrayList<>();
    /** Numbers of operations that have their place and are not committed, perhaps over several epochs. */
    private final TreeSet<Long> taking = new TreeSet<>();

    private final TreeSet<Long> deleting = new TreeSet<>();
    /** Snapshots that a member has deleted already: everybody follows. */
    private final TreeSet<Long> doomed = new TreeSet<>();

    private long usedUpTo;
    private boolean reading;
    private long heldSinceNanos = Long.MAX_VALUE;

    SnapshotDesk(Primary primary) {
        this.p = primary;
        this.r = primary.r;
    }

    // ---- calls
    void wanted(long id, long number) {
        add(new Call(id, number, false));
    }

    void unwanted(long id, long number) {
        add(new Call(id, number, true));
    }

    private void add(Call call) {
        if (waiting.size() + underWay.size() >= MAX_CALLS) {
            answer(call, new SnapshotOutcome.Refused("too many calls wait"));
            return;
        }
        waiting.addLast(call);
        proceed();
    }

    /** No block may change now. */
    boolean holdsWrites() {
        return !taking.isEmpty();
    }

    boolean isBusy() {
        return !waiting.isEmpty() || !underWay.isEmpty();
    }

    void proceed() {
        boolean moved = true;
        while (moved && !waiting.isEmpty() && p.active() && !p.belowMinimum() && !p.handover.draining()) {
            Call call = waiting.getFirst();
            moved = call.deletion ? delete(call) : take(call);
        }
    }

    /** False when the call has to wait. */
    private boolean take(Call call) {
        Lsn at = r.snapshots.at(call.number);
        if (at != null) {
            waiting.removeFirst();
            if (taking.contains(call.number)) {
                underWay.add(call);
            } else {
                answer(call, new SnapshotOutcome.Taken(at));
            }
            return true;
        }
        if (isBeingDeleted(call)) {
            return true;
        }
        if (call.number <= Math.max(usedUpTo, r.snapshots.highest())) {
            return finish(call, new SnapshotOutcome.NumberUsed());
        }
        if (!isReserved(call)) {
            return call.recordIsFresh && finish(call, new SnapshotOutcome.Refused("the number is not reserved"));
        }
        if (r.snapshots.size() >= SnapshotSet.MAX_SNAPSHOTS) {
            return finish(call, new SnapshotOutcome.Refused("the volume has " + r.snapshots.size() + " snapshots"));
        }
        waiting.removeFirst();
        underWay.add(call);
        taking.add(call.number);
        heldSinceNanos = Math.min(heldSinceNanos, r.now);
        p.sequence(new WindowEntry(p, new Operation.TakeSnapshot(call.number), null, r.now));
        return true;
    }

    private boolean delete(Call call) {
        if (r.snapshots.at(call.number) != null) {
            waiting.removeFirst();
            underWay.add(call);
            sequenceDeletion(call.number);
            return true;
        }
        if (isBeingDeleted(call)) {
            return true;
        }
        if (!isReserved(call)) {
            return call.recordIsFresh && finish(call, new SnapshotOutcome.Refused("the number is not reserved"));
        }
        // It may never be taken any more: not here, and at no other primary, since the number was reserved before its
        // epoch.
        usedUpTo = Math.max(usedUpTo, call.number);
        return finish(call, new SnapshotOutcome.Deleted());
    }

    /** Nobody hears that a snapshot is gone before it is gone everywhere: the deletion could still be lost with its epoch. */
    private boolean isBeingDeleted(Call call) {
        if (!deleting.contains(call.number)) {
            return false;
        }
        waiting.removeFirst();
        underWay.add(call);
        return true;
    }

    private void sequenceDeletion(long number) {
        deleting.add(number);
        p.sequence(new WindowEntry(p, new Operation.DeleteSnapshot(number), null, r.now));
    }

    /** Does the record of this epoch know the number? Reads it anew when it does not seem to. */
    private boolean isReserved(Call call) {
        if (call.number > SnapshotPoint.HEAD
                && call.number <= r.cfg().snapSequence()
                && r.cfg().epoch() == p.epoch) {
            return true;
        }
        if (!call.recordIsFresh && !reading) {
            reading = true;
            r.config.read(outcome -> {
                reading = false;
                if (p.left) {
                    return;
                }
                if (outcome instanceof Event.ReadOutcome.Found) {
                    call.recordIsFresh = true;
                } else if (waiting.remove(call)) {
                    answer(call, new SnapshotOutcome.Refused("the reservation cannot be confirmed at the moment"));
                }
                proceed();
                p.pump();
            });
        }
        return false;
    }

    private boolean finish(Call call, SnapshotOutcome outcome) {
        waiting.remove(call);
        answer(call, outcome);
        return true;
    }

    private void answer(Call call, SnapshotOutcome outcome) {
        r.emit(new Effect.SnapshotAnswered(call.id, outcome));
    }

    // ---- commits
    void taken(long number) {
        taking.remove(number);
        long pause = heldSinceNanos == Long.MAX_VALUE ? 0 : TimeUnit.NANOSECONDS.toMicros(r.now - heldSinceNanos);
        heldSinceNanos = Long.MAX_VALUE;
        Lsn at = r.snapshots.at(number);
        if (at == null) {
            // Its deletion follows, and answers.
            return;
        }
        r.notice(new Notice.SnapshotTaken(number, at, pause));
        answerAll(number, false, new SnapshotOutcome.Taken(at));
    }

    void deleted(long number) {
        deleting.remove(number);
        r.notice(new Notice.SnapshotDeleted(number));
        answerAll(number, true, new SnapshotOutcome.Deleted());
        answerAll(number, false, new SnapshotOutcome.NumberUsed());
    }

    private void answerAll(long number, boolean deletion, SnapshotOutcome outcome) {
        for (Call call : List.copyOf(underWay)) {
            if (call.number == number && call.deletion == deletion) {
                underWay.remove(call);
                answer(call, outcome);
            }
        }
    }

    // ---- epochs
    /** Numbers that were reserved before the epoch may be known to others as something else: only later ones are taken in it. */
    void epochStarts() {
        usedUpTo = r.cfg().snapSequence();
        doomed.clear();
    }

    /** A member reports what it has. */
    void memberHas(SnapshotSet theirs) {
        for (SnapshotPoint mine : r.snapshots.set().points()) {
            if (Snapshots.isGone(theirs, mine.number())) {
                doomed.add(mine.number());
            }
        }
    }

    /** All are equal but for what somebody has deleted already. */
    void activated() {
        for (long number : doomed) {
            if (r.snapshots.at(number) != null) {
                sequenceDeletion(number);
            }
        }
        doomed.clear();
        proceed();
    }

    void leave() {
        List<Call> all = new ArrayList<>(waiting);
        all.addAll(underWay);
        waiting.clear();
        underWay.clear();
        for (Call call : all) {
            answer(call, new SnapshotOutcome.NotPrimary(r.primaryHint()));
        }
    }
}
