package io.gabion.core.volume;

import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RegionState;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.port.Event;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Makes the snapshots of a joiner equal to those of the primary, oldest first: a version that several of them see is copied once.
 * A snapshot is done when both region tables of it are equal. Its content does not change, so that stays true.
 */
final class SnapshotResync {
    /** After this many comparisons that found differences something else is wrong: start over. */
    private static final int MAX_ROUNDS = 4;

    private final Replica r;
    private final long epoch;
    private final List<NodeName> sources;
    /** The copy is damaged: the first time nothing that it says about itself is believed. */
    private final boolean distrusted;

    private final TreeMap<Long, Lsn> todo = new TreeMap<>();
    private @Nullable SnapshotPoint current;
    private @Nullable BlockCopier copier;
    private int rounds;
    private boolean stopped;
    private boolean stuck;
    private long copiedBytes;
    private long finishedWork;

    SnapshotResync(Replica replica, long epoch, List<NodeName> sources, boolean distrusted) {
        this.r = replica;
        this.epoch = epoch;
        this.sources = sources;
        this.distrusted = distrusted;
    }

    void stop() {
        stopped = true;
        dropCopier();
    }

    private void dropCopier() {
        BlockCopier running = copier;
        if (running != null) {
            copiedBytes += running.copiedBytes();
            finishedWork += running.work();
            running.stop();
            copier = null;
        }
    }

    /** To be compared, now or in its turn. */
    void add(SnapshotPoint snapshot) {
        todo.put(snapshot.number(), snapshot.lsn());
    }

    void deleted(long number) {
        todo.remove(number);
        SnapshotPoint working = current;
        if (working != null && working.number() == number) {
            dropCopier();
            current = null;
            proceed();
        }
    }

    boolean isDone() {
        return todo.isEmpty();
    }

    /** Every snapshot up to this point is equal. */
    boolean isDoneThrough(Lsn point) {
        return todo.isEmpty() || todo.firstEntry().getValue().isAfter(point);
    }

    /** Waits for a pass over an index, here or there. */
    boolean isComparing() {
        return current != null && copier == null;
    }

    /** Starts the next comparison when none is under way. */
    void proceed() {
        if (stopped || current != null || todo.isEmpty()) {
            return;
        }
        SnapshotPoint next =
                new SnapshotPoint(todo.firstKey(), todo.firstEntry().getValue());
        current = next;
        rounds = 0;
        compare(next);
    }

    private void compare(SnapshotPoint snapshot) {
        r.appends.whenDurable(() -> {
            if (!stopped && snapshot.equals(current)) {
                ask(snapshot);
            }
        });
    }

    private void ask(SnapshotPoint snapshot) {
        r.readRegionTable(snapshot.number(), event -> {
            if (!stopped && snapshot.equals(current) && event instanceof Event.RegionTableRead table) {
                List<RegionState> regions = isBlind() ? List.of() : table.regions();
                r.send(
                        sources.getFirst(),
                        new PeerMessage.DifferenceQuery(r.volume, epoch, r.me(), Lsn.ZERO, regions, snapshot.number()));
            }
        });
    }

    private boolean isBlind() {
        return distrusted && rounds == 0;
    }

    void differences(PeerMessage.Differences differences) {
        SnapshotPoint working = current;
        if (stopped || copier != null || working == null || working.number() != differences.snapshot()) {
            return;
        }
        finishedWork++;
        if (differences.ranges().isEmpty() && !isBlind()) {
            todo.remove(working.number());
            current = null;
            proceed();
            return;
        }
        copy(working, differences.ranges());
    }

    private void copy(SnapshotPoint working, List<ByteRange> ranges) {
        BlockCopier next = new BlockCopier(r, epoch, sources, ranges, isBlind(), working);
        rounds++;
        if (rounds > MAX_ROUNDS) {
            stuck = true;
            return;
        }
        copier = next;
        next.start();
        endStep();
    }

    boolean blocks(PeerMessage.Blocks blocks) {
        BlockCopier running = copier;
        return running != null && running.blocks(blocks);
    }

    boolean unreadable(PeerMessage.BlocksUnreadable unreadable) {
        BlockCopier running = copier;
        return running != null && running.unreadable(unreadable);
    }

    void endStep() {
        BlockCopier running = copier;
        SnapshotPoint working = current;
        if (running != null && working != null && running.done()) {
            dropCopier();
            compare(working);
        }
    }

    boolean failed() {
        BlockCopier running = copier;
        return stuck || (running != null && running.failed());
    }

    boolean currentlyAsks(NodeName node) {
        BlockCopier running = copier;
        return running != null && running.currentlyAsks(node);
    }

    long copiedBytes() {
        BlockCopier running = copier;
        return copiedBytes + (running == null ? 0 : running.copiedBytes());
    }

    /** Rises with everything that happened. */
    long work() {
        BlockCopier running = copier;
        return finishedWork + (running == null ? 0 : running.work());
    }
}
