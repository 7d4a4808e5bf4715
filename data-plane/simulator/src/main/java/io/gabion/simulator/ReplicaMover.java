package io.gabion.simulator;

import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.simulator.cluster.StorageHost;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The operator's part in moving a replica: place a new one, wait until all are in sync, mark another one as removed, wait
 * until the primary has dropped it, take its placement away. Goes on after the faults end.
 */
final class ReplicaMover {
    private static final long LOOK_NANOS = 2 * Simulation.SECOND;

    private final Simulation simulation;
    private final Dice dice;
    private @Nullable ReplicaPlacement victim;
    private boolean moving;
    private int moves;

    ReplicaMover(Simulation simulation, Dice dice) {
        this.simulation = simulation;
        this.dice = dice;
    }

    /** Starts a move unless one is under way or there is no spare node. */
    void move() {
        VolumeRecord record = simulation.configuration().current();
        List<NodeName> spares = simulation.hosts().stream()
                .map(StorageHost::name)
                .filter(name -> record.replicaOn(name).isEmpty())
                .toList();
        if (moving || spares.isEmpty()) {
            return;
        }
        moving = true;
        moves++;
        List<ReplicaPlacement> placement = new ArrayList<>(record.placement());
        victim = dice.pick(placement);
        ReplicaPlacement added = new ReplicaPlacement(new ReplicaId(dice.uuid()), dice.pick(spares));
        placement.add(added);
        place(placement, record.removed());
        look();
    }

    private void place(List<ReplicaPlacement> placement, List<ReplicaPlacement> removed) {
        simulation.configuration().administer(record -> record.withPlacement(placement, removed, "mover/" + moves));
    }

    private void look() {
        simulation.scheduler().after(LOOK_NANOS, () -> {
            ReplicaPlacement leaving = victim;
            if (leaving == null) {
                return;
            }
            VolumeRecord record = simulation.configuration().current();
            boolean marked = record.removed().contains(leaving);
            boolean allInSync = record.placement().stream()
                    .allMatch(p -> record.config().member(p.replica()).isPresent());
            if (!marked && allInSync) {
                List<ReplicaPlacement> removed = new ArrayList<>(record.removed());
                removed.add(leaving);
                place(record.placement(), removed);
            } else if (marked && record.config().member(leaving.replica()).isEmpty()) {
                List<ReplicaPlacement> placement = new ArrayList<>(record.placement());
                placement.remove(leaving);
                place(placement, record.removed());
                victim = null;
                moving = false;
            }
            look();
        });
    }
}
