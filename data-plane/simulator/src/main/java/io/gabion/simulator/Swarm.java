package io.gabion.simulator;

import io.gabion.simulator.cluster.FaultKind;
import java.util.ArrayList;
import java.util.List;

/**
 * What one run looks like; drawn from its seed, so that every seed tries another corner.
 *
 * @param nodes storage nodes with one replica each at the start
 * @param spares storage nodes without one
 * @param durationNanos virtual time during which faults happen
 * @param operationsPerSecond what the workload tries
 * @param hotBlocks blocks that it touches
 * @param maxBlocks longest request
 * @param maxOutstanding requests under way at once
 * @param faults kinds that happen in this run; none for a quiet run
 * @param faultGapNanos mean time between two faults
 * @param syncNanos mean time of a disk's sync
 * @param delayNanos mean network delay
 * @param maxChanges entries in each change log
 * @param snapshots somebody takes and deletes snapshots all the time
 */
public record Swarm(
        int nodes,
        int spares,
        int minInSync,
        long volumeBlocks,
        long durationNanos,
        int operationsPerSecond,
        int hotBlocks,
        int maxBlocks,
        int maxOutstanding,
        List<FaultKind> faults,
        long faultGapNanos,
        long syncNanos,
        long delayNanos,
        int maxChanges,
        boolean snapshots) {
    private static final long SECOND = 1_000_000_000L;

    public Swarm {
        faults = List.copyOf(faults);
    }

    public static Swarm draw(Dice dice) {
        int nodes = dice.pick(List.of(1, 2, 2, 3, 3, 3, 3, 4, 5));
        int minInSync = dice.chance(0.7) ? (nodes <= 2 ? 1 : nodes - 1) : (int) dice.between(1, nodes);
        int rate = dice.pick(List.of(20, 40, 100));
        List<FaultKind> faults = new ArrayList<>();
        double density = dice.pick(List.of(0.15, 0.3, 0.6));
        for (FaultKind kind : FaultKind.values()) {
            if (dice.chance(density) && kind != FaultKind.BIT_ROT) {
                faults.add(kind);
            }
        }
        if (dice.chance(0.1)) {
            // Rot is survived only while another copy is in sync, so nothing that drops members goes with it.
            faults = List.of(FaultKind.BIT_ROT, FaultKind.CLIENT_LINK_RESET, FaultKind.HANDOVER, FaultKind.VERIFY);
        }
        return new Swarm(
                nodes,
                dice.chance(0.3) ? 1 : 0,
                minInSync,
                dice.pick(List.of(512L, 1024L, 4096L)),
                dice.between(40, 100) * SECOND,
                rate,
                dice.pick(List.of(4, 16, 64, 256)),
                dice.pick(List.of(1, 4, 16)),
                dice.pick(List.of(1, 4, 16)),
                faults,
                dice.pick(List.of(SECOND, 3 * SECOND, 8 * SECOND)),
                dice.pick(List.of(200_000L, 1_000_000L, 10_000_000L)),
                dice.pick(List.of(100_000L, 1_000_000L, 5_000_000L)),
                dice.pick(List.of(16, 128, 4096)),
                dice.chance(0.5));
    }

    /** Three healthy nodes, a steady load, no faults by themselves. */
    public static Swarm quiet() {
        return new Swarm(3, 0, 2, 1024, 60 * SECOND, 50, 64, 8, 8, List.of(), SECOND, 500_000, 200_000, 4096, false);
    }

    /** The same with another cluster. */
    public Swarm withNodes(int newNodes, int newSpares, int newMinInSync) {
        return new Swarm(
                newNodes,
                newSpares,
                newMinInSync,
                volumeBlocks,
                durationNanos,
                operationsPerSecond,
                hotBlocks,
                maxBlocks,
                maxOutstanding,
                faults,
                faultGapNanos,
                syncNanos,
                delayNanos,
                maxChanges,
                snapshots);
    }

    /** The same with somebody who takes and deletes snapshots, or without. */
    public Swarm withSnapshots(boolean newSnapshots) {
        return new Swarm(
                nodes,
                spares,
                minInSync,
                volumeBlocks,
                durationNanos,
                operationsPerSecond,
                hotBlocks,
                maxBlocks,
                maxOutstanding,
                faults,
                faultGapNanos,
                syncNanos,
                delayNanos,
                maxChanges,
                newSnapshots);
    }
}
