package io.gabion.simulator.client;

import io.gabion.model.ByteRange;
import io.gabion.simulator.Dice;
import io.gabion.simulator.Scheduler;
import io.gabion.simulator.Swarm;
import io.gabion.simulator.client.ClientOperation.Kind;
import java.util.ArrayList;
import java.util.List;

/** Random requests on a few hot blocks, in bursts. */
public final class Workload {
    /** More open changes of one block make its history slow to check and find nothing more. */
    private static final int MAX_CHANGES_PER_BLOCK = 3;

    private static final long SECOND_NANOS = 1_000_000_000;
    private static final int MAX_BURST = 6;

    private final Scheduler scheduler;
    private final Dice dice;
    private final Swarm swarm;
    private final SimulatedClient client;
    private final List<Long> hot;
    private boolean running = true;

    /** @param hot the first blocks of the places that are touched */
    public Workload(Scheduler scheduler, Dice dice, Swarm swarm, SimulatedClient client, List<Long> hot) {
        this.scheduler = scheduler;
        this.dice = dice;
        this.swarm = swarm;
        this.client = client;
        this.hot = List.copyOf(hot);
    }

    /** Places all over the volume, so that several regions take part. */
    public static List<Long> drawHotBlocks(Dice dice, Swarm swarm) {
        List<Long> hot = new ArrayList<>();
        for (int i = 0; i < swarm.hotBlocks(); i++) {
            hot.add(dice.between(0, swarm.volumeBlocks() - swarm.maxBlocks()));
        }
        return hot;
    }

    public void start() {
        burst();
    }

    public void stop() {
        running = false;
    }

    private void burst() {
        if (!running || client.isStopped()) {
            return;
        }
        int wanted = 1 + dice.below(MAX_BURST);
        for (int i = 0; i < wanted; i++) {
            if (client.outstandingCount() < Math.min(swarm.maxOutstanding(), client.maxOutstanding())) {
                issue();
            }
        }
        long gap = SECOND_NANOS / swarm.operationsPerSecond() * (1 + MAX_BURST) / 2;
        scheduler.after(dice.around(gap), this::burst);
    }

    private void issue() {
        Kind kind = kind();
        ByteRange range = kind == Kind.FLUSH ? new ByteRange(0, 0) : range();
        if (kind == Kind.WRITE || kind == Kind.TRIM) {
            long overlapping = client.outstanding().stream()
                    .filter(other -> other.changes() && other.range().overlaps(range))
                    .count();
            if (overlapping >= MAX_CHANGES_PER_BLOCK) {
                return;
            }
        }
        client.issue(kind, range);
    }

    private Kind kind() {
        int draw = dice.below(100);
        if (draw < 55) {
            return Kind.WRITE;
        }
        if (draw < 88) {
            return Kind.READ;
        }
        if (draw < 93) {
            return Kind.TRIM;
        }
        return draw < 97 ? Kind.FLUSH : Kind.BLOCK_STATUS;
    }

    private ByteRange range() {
        return ByteRange.ofBlocks(dice.pick(hot), dice.between(1, swarm.maxBlocks()));
    }
}
