package io.gabion.core.volume;

import io.gabion.core.Invariants;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.port.LogRecord;
import io.gabion.model.Lsn;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The snapshots of this replica, as appended, not necessarily durable yet. The store follows by the same records. */
final class Snapshots {
    /** Of what is undone or made up for: no operation of the stream. */
    private static final Lsn NO_PLACE = Lsn.ZERO;

    private final Replica r;
    private final TreeMap<Long, Lsn> points = new TreeMap<>();
    /** Taken while the copy was not in sync: what is in them has to be compared, whatever their LSN. */
    private final Set<Long> doubtful = new HashSet<>();

    private long highest;

    Snapshots(Replica replica) {
        this.r = replica;
    }

    void recovered(SnapshotSet found) {
        found.points().forEach(point -> points.put(point.number(), point.lsn()));
        highest = found.highest();
    }

    SnapshotSet set() {
        List<SnapshotPoint> list = new ArrayList<>(points.size());
        points.forEach((number, lsn) -> list.add(new SnapshotPoint(number, lsn)));
        return new SnapshotSet(list, highest);
    }

    int size() {
        return points.size();
    }

    long highest() {
        return highest;
    }

    @Nullable
    Lsn at(long number) {
        return points.get(number);
    }

    /** Gone for good: deleted or undone here. */
    static boolean isGone(SnapshotSet set, long number) {
        return number <= set.highest() && set.points().stream().noneMatch(point -> point.number() == number);
    }

    // ---- in the stream
    void take(long number, Lsn lsn, AppendQueue.Pending pending) {
        note(number, lsn);
        r.append(new LogRecord.SnapshotTaken(lsn, number), pending);
    }

    void delete(long number, Lsn lsn, AppendQueue.Pending pending) {
        forget(number);
        r.append(new LogRecord.SnapshotDeleted(lsn, number), pending);
    }

    private void note(long number, Lsn lsn) {
        Invariants.check(
                !points.containsKey(number) && points.size() < SnapshotSet.MAX_SNAPSHOTS,
                "a snapshot's number is new, and there is room for it",
                number,
                points.size());
        points.put(number, lsn);
        highest = Math.max(highest, number);
    }

    private void forget(long number) {
        points.remove(number);
        doubtful.remove(number);
        highest = Math.max(highest, number);
    }

    // ---- becoming equal
    /**
     * Makes the set that of an activated primary. What that never had was never answered; what was deleted here stays deleted:
     * the primary deletes it everywhere as soon as it is active.
     */
    void follow(SnapshotSet primary) {
        dropOthers(primary);
        for (SnapshotPoint point : primary.points()) {
            if (point.number() > highest) {
                note(point.number(), point.lsn());
                r.append(new LogRecord.SnapshotTaken(point.lsn(), point.number()));
            }
        }
        rise(primary.highest());
    }

    /** Makes the set exactly that of the primary that this replica joins; what is new here is doubtful. */
    void join(SnapshotSet primary) {
        dropOthers(primary);
        for (SnapshotPoint point : primary.points()) {
            if (!points.containsKey(point.number())) {
                note(point.number(), point.lsn());
                doubtful.add(point.number());
                r.append(new LogRecord.SnapshotTaken(point.lsn(), point.number()));
            }
        }
        rise(primary.highest());
    }

    private void dropOthers(SnapshotSet primary) {
        Set<SnapshotPoint> theirs = new HashSet<>(primary.points());
        for (SnapshotPoint mine : set().points()) {
            if (!theirs.contains(mine)) {
                forget(mine.number());
                r.append(new LogRecord.SnapshotDeleted(NO_PLACE, mine.number()));
            }
        }
    }

    private void rise(long theirHighest) {
        if (theirHighest > highest) {
            forget(theirHighest);
            r.append(new LogRecord.SnapshotDeleted(NO_PLACE, theirHighest));
        }
    }

    void doubt(long number) {
        doubtful.add(number);
    }

    /** The copy is in sync: so is everything it holds. */
    void trustAll() {
        doubtful.clear();
    }

    /** Snapshots whose content may not be that of the primary, when the copy was whole up to {@code whole}. */
    List<SnapshotPoint> doubtfulAfter(Lsn whole) {
        return set().points().stream()
                .filter(point ->
                        doubtful.contains(point.number()) || point.lsn().isAfter(whole))
                .toList();
    }
}
