package io.gabion.operator.volume;

import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.failpoint.Step;
import io.gabion.operator.placement.PoolFacts;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Gives surplus copies a tombstone: lost ones first, then those out of sync, then those on nodes that want to be empty; the
 * primary never, and none while fewer than the wanted copies would be in sync without it.
 */
final class Reduction {
    private Reduction() {}

    static Optional<VolumePlan> plan(VolumeSituation at, PoolFacts pool, VolumeRecord record, String writer) {
        List<ReplicaPlacement> kept = Copies.kept(record);
        int surplus = kept.size() - at.wanted().replicas();
        if (surplus <= 0) {
            return Optional.empty();
        }
        // Copies on their way out do not count; the others go only as far as they alone are too many.
        long spare = kept.stream().filter(c -> counts(at, pool, record, c)).count()
                - at.wanted().replicas();
        List<ReplicaPlacement> order = kept.stream()
                .filter(c -> !c.replica().equals(record.config().primary()))
                .sorted(Comparator.comparing((ReplicaPlacement c) -> !at.isLost(c, record, pool))
                        .thenComparing(c -> record.config().member(c.replica()).isPresent())
                        .thenComparing(c -> !at.isDraining(c.node()))
                        .thenComparing(c -> at.lostSince(c.node()).isEmpty())
                        .thenComparing(
                                Comparator.comparing(ReplicaPlacement::node).reversed()))
                .toList();
        List<ReplicaPlacement> victims = new ArrayList<>();
        for (ReplicaPlacement copy : order) {
            boolean counted = counts(at, pool, record, copy);
            if (victims.size() < surplus && (!counted || spare > 0) && leavesEnough(at, record, victims, copy)) {
                victims.add(copy);
                spare -= counted ? 1 : 0;
            }
        }
        if (victims.isEmpty()) {
            return Optional.empty();
        }
        List<ReplicaPlacement> removed = new ArrayList<>(record.removed());
        removed.addAll(victims);
        return Optional.of(VolumePlan.of(new VolumeAction.Swap(
                record.withPlacement(record.placement(), removed, writer),
                Step.REMOVE_REPLICA,
                "surplus copies on "
                        + victims.stream().map(ReplicaPlacement::node).toList())));
    }

    /** Whether the copy is one that the volume builds on. */
    static boolean counts(VolumeSituation at, PoolFacts pool, VolumeRecord record, ReplicaPlacement copy) {
        return !at.isLost(copy, record, pool) && !at.isDraining(copy.node());
    }

    private static boolean leavesEnough(
            VolumeSituation at, VolumeRecord record, List<ReplicaPlacement> victims, ReplicaPlacement next) {
        long left = Copies.kept(record).stream()
                .filter(c -> !victims.contains(c) && !c.equals(next))
                .filter(c -> record.config().member(c.replica()).isPresent())
                .count();
        return left >= at.wanted().replicas();
    }
}
