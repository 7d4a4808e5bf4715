package io.gabion.operator.volume;

import io.gabion.api.health.HealthCode;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.failpoint.Step;
import io.gabion.operator.placement.NodeFacts;
import io.gabion.operator.placement.NodeOffer;
import io.gabion.operator.placement.Placement;
import io.gabion.operator.placement.PlacementResult;
import io.gabion.operator.placement.PlacementWish;
import io.gabion.operator.placement.PoolFacts;
import io.gabion.operator.placement.PoolRules;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Decides the next step of one volume from what is observed, so that it does not matter where an operator stopped. Pure but
 * for the identities it draws.
 */
public final class VolumePlanner {
    /** In epoch 1 a copy that is listed with it may begin empty: nothing was written yet. */
    private static final long FIRST_INCARNATION = 0;
    /** Free space and labels change without a word to us. */
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(30);

    private final Supplier<UUID> identities;
    private final DeletionPlanner deletions;

    public VolumePlanner(Supplier<UUID> identities) {
        this.identities = identities;
        this.deletions = new DeletionPlanner(identities);
    }

    public VolumePlan plan(VolumeSituation at) {
        if (at.deletion().isPresent()) {
            return deletions.plan(at, at.deletion().get());
        }
        if (at.pool().isEmpty()) {
            return VolumePlan.blocked(
                    HealthCode.PoolNotFound,
                    "spec.pool: StoragePool \"" + at.wanted().pool()
                            + "\" does not exist; create it or make the volume in another pool",
                    LOOK_AGAIN);
        }
        PoolFacts pool = at.pool().get();
        return at.record().isEmpty()
                ? create(at, pool)
                : maintain(at, pool, at.record().get());
    }

    // ---- the first record
    private VolumePlan create(VolumeSituation at, PoolFacts pool) {
        PlacementResult found = place(at, pool.rules(), at.wanted().replicas(), Set.of(), Set.of());
        if (!found.isComplete()) {
            return VolumePlan.blocked(HealthCode.NoPlacement, found.explanation(), LOOK_AGAIN);
        }
        Set<NodeName> missing = new HashSet<>(found.nodes());
        missing.removeAll(at.labelled());
        if (!missing.isEmpty()) {
            return VolumePlan.of(new VolumeAction.Label(missing));
        }
        List<ReplicaPlacement> placement = new ArrayList<>();
        List<InSyncMember> inSync = new ArrayList<>();
        for (NodeName node : found.nodes()) {
            ReplicaId replica = new ReplicaId(identities.get());
            placement.add(new ReplicaPlacement(replica, node));
            inSync.add(new InSyncMember(replica, FIRST_INCARNATION));
        }
        VolumeConfig config = new VolumeConfig(
                1, 1, inSync.getFirst().replica(), inSync, 0, at.wanted().sizeBytes(), 0, List.of(), 0, writer());
        return VolumePlan.of(
                new VolumeAction.Create(new VolumeRecord(at.id(), at.wanted(), placement, List.of(), false, config)));
    }

    // ---- life
    private VolumePlan maintain(VolumeSituation at, PoolFacts pool, VolumeRecord record) {
        Set<NodeName> named = named(record);
        Set<NodeName> unlabelled = new HashSet<>(named);
        unlabelled.removeAll(at.labelled());
        if (!unlabelled.isEmpty()) {
            return VolumePlan.of(new VolumeAction.Label(unlabelled));
        }
        if (at.specChanged()) {
            return VolumePlan.of(new VolumeAction.Swap(
                    record.withSpec(at.wanted(), writer()), Step.COPY_SPEC, "the specification changed"));
        }
        Optional<VolumePlan> retired = retire(at, record);
        if (retired.isPresent()) {
            return retired.get();
        }
        List<ReplicaPlacement> kept = Copies.kept(record);
        List<ReplicaPlacement> counted =
                kept.stream().filter(c -> Reduction.counts(at, pool, record, c)).toList();
        List<Obstacle> obstacles = new ArrayList<>();
        int missing = at.wanted().replicas() - counted.size();
        if (missing > 0) {
            PlacementResult found = place(
                    at,
                    counted.size() < kept.size() ? pool.rules().forRebuild() : pool.rules(),
                    missing,
                    named,
                    domains(at, counted));
            if (!found.nodes().isEmpty()) {
                return add(at, record, found.nodes());
            }
            obstacles.add(new Obstacle(HealthCode.NoPlacement, found.explanation()));
        }
        Optional<VolumePlan> reduced = Reduction.plan(at, pool, record, writer());
        if (reduced.isPresent()) {
            return reduced.get();
        }
        Optional<VolumeAction> handover = Leading.plan(at, record);
        if (handover.isPresent()) {
            return new VolumePlan(handover.get(), obstacles, Optional.of(LOOK_AGAIN));
        }
        return unlabelOrRest(at, pool, record, obstacles);
    }

    private VolumePlan add(VolumeSituation at, VolumeRecord record, List<NodeName> nodes) {
        Set<NodeName> unlabelled = new HashSet<>(nodes);
        unlabelled.removeAll(at.labelled());
        if (!unlabelled.isEmpty()) {
            return VolumePlan.of(new VolumeAction.Label(unlabelled));
        }
        List<ReplicaPlacement> placement = new ArrayList<>(record.placement());
        nodes.forEach(node -> placement.add(new ReplicaPlacement(new ReplicaId(identities.get()), node)));
        return VolumePlan.of(new VolumeAction.Swap(
                record.withPlacement(placement, record.removed(), writer()),
                Step.ADD_REPLICA,
                "new copies on " + nodes));
    }

    /**
     * A condemned copy that no longer counts leaves the placement: only its tombstone waits for the node to erase it, however
     * long that is away. Where the StorageNode is gone nobody is left to confirm the end, so the tombstone goes, too.
     */
    private Optional<VolumePlan> retire(VolumeSituation at, VolumeRecord record) {
        List<ReplicaPlacement> condemned = record.removed().stream()
                .filter(c -> record.config().member(c.replica()).isEmpty())
                .toList();
        List<ReplicaPlacement> gone = condemned.stream()
                .filter(c -> !at.nodes().containsKey(c.node()))
                .toList();
        List<ReplicaPlacement> left = Copies.without(record.placement(), condemned);
        if (gone.isEmpty() && left.size() == record.placement().size()) {
            return Optional.empty();
        }
        return Optional.of(VolumePlan.of(new VolumeAction.Swap(
                record.withPlacement(left, Copies.without(record.removed(), gone), writer()),
                gone.isEmpty() ? Step.RETIRE_REPLICA : Step.DROP_GONE_REPLICA,
                gone.isEmpty()
                        ? "only tombstones are left on "
                                + condemned.stream().map(ReplicaPlacement::node).toList()
                        : "copies on nodes that are gone for good")));
    }

    private static VolumePlan unlabelOrRest(
            VolumeSituation at, PoolFacts pool, VolumeRecord record, List<Obstacle> obstacles) {
        Set<NodeName> surplus = new HashSet<>(at.labelled());
        surplus.removeAll(named(record));
        if (!surplus.isEmpty()) {
            return new VolumePlan(new VolumeAction.Unlabel(surplus), obstacles, Optional.empty());
        }
        Optional<Duration> untilLost = Copies.kept(record).stream()
                .filter(c -> record.config().member(c.replica()).isEmpty())
                .flatMap(c -> at.lostSince(c.node()).stream())
                .map(since -> Duration.between(at.now(), since.plus(pool.replacementDelay())))
                .filter(Duration::isPositive)
                .min(Duration::compareTo);
        Optional<Duration> again = obstacles.isEmpty() ? untilLost : Optional.of(LOOK_AGAIN);
        return VolumePlan.rest(obstacles, again);
    }

    private static PlacementResult place(
            VolumeSituation at, PoolRules rules, int copies, Set<NodeName> occupied, Set<String> closedDomains) {
        List<NodeOffer> offers =
                at.nodes().values().stream().map(NodeFacts::offer).toList();
        return Placement.choose(
                offers,
                new PlacementWish(rules, copies, at.wanted().sizeBytes(), occupied, closedDomains, at.preferred()));
    }

    private static Set<String> domains(VolumeSituation at, List<ReplicaPlacement> copies) {
        Set<String> domains = new HashSet<>();
        for (ReplicaPlacement copy : copies) {
            NodeFacts facts = at.nodes().get(copy.node());
            if (facts != null && !facts.offer().domain().isEmpty()) {
                domains.add(facts.offer().domain());
            }
        }
        return domains;
    }

    private static Set<NodeName> named(VolumeRecord record) {
        Set<NodeName> named = new HashSet<>();
        record.placement().forEach(c -> named.add(c.node()));
        record.removed().forEach(c -> named.add(c.node()));
        return named;
    }

    private String writer() {
        return Copies.WRITER_PREFIX + identities.get();
    }
}
