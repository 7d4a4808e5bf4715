package io.gabion.operator.placement;

import io.gabion.api.record.ByteText;
import io.gabion.model.NodeName;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Chooses the nodes of new copies: never two in one failure domain, the emptiest disks first. Pure and deterministic: the same
 * input, in whatever order, gives the same nodes.
 */
public final class Placement {
    private static final int PERCENT = 100;
    private static final int PER_MILLE = 1000;
    /** Fill levels closer than this count as equal, so that the number of copies decides between them. */
    private static final int FILL_STEP_PER_MILLE = 50;

    private Placement() {}

    private record Candidate(NodeOffer node, long fillPerMille, boolean preferred) {}

    public static PlacementResult choose(Collection<NodeOffer> nodes, PlacementWish wish) {
        SortedMap<NodeName, String> reasons = new TreeMap<>();
        List<Candidate> usable = new ArrayList<>();
        for (NodeOffer node : nodes) {
            Optional<String> obstacle = obstacle(node, wish);
            if (obstacle.isPresent()) {
                reasons.put(node.name(), obstacle.get());
            } else {
                usable.add(candidate(node, wish));
            }
        }
        usable.sort(Comparator.comparing((Candidate c) -> !c.preferred())
                .thenComparing(c -> c.fillPerMille() / FILL_STEP_PER_MILLE)
                .thenComparing(c -> c.node().load().replicas())
                .thenComparing(Candidate::fillPerMille)
                .thenComparing(c -> c.node().name()));
        List<Candidate> chosen = new ArrayList<>();
        for (Candidate candidate : usable) {
            Optional<NodeName> twin = chosen.stream()
                    .filter(c -> c.node().domain().equals(candidate.node().domain()))
                    .map(c -> c.node().name())
                    .findFirst();
            if (twin.isPresent()) {
                reasons.put(
                        candidate.node().name(),
                        "failure domain " + candidate.node().domain() + " gets its copy on " + twin.get());
            } else if (chosen.size() < wish.copies()) {
                chosen.add(candidate);
            }
        }
        chosen.sort(Comparator.comparing((Candidate c) -> !c.preferred())
                .thenComparing(c -> c.node().load().primaries())
                .thenComparing(c -> c.node().name()));
        return new PlacementResult(
                wish.copies(), chosen.stream().map(c -> c.node().name()).toList(), reasons);
    }

    /** Why the node cannot take a copy; empty when it can. */
    private static Optional<String> obstacle(NodeOffer node, PlacementWish wish) {
        if (wish.occupied().contains(node.name())) {
            return Optional.of("holds a copy of this volume already");
        }
        if (!node.ready()) {
            return Optional.of("is not ready");
        }
        if (node.draining()) {
            return Optional.of("is being drained");
        }
        if (!node.schedulable()) {
            return Optional.of("takes no new copies (unschedulable)");
        }
        if (node.domain().isEmpty()) {
            return Optional.of("lacks the label that names its failure domain");
        }
        if (wish.closedDomains().contains(node.domain())) {
            return Optional.of("another copy is in its failure domain " + node.domain());
        }
        List<DiskOffer> disks = node.disks().stream()
                .filter(d -> d.pool().equals(wish.pool().name()))
                .toList();
        if (disks.isEmpty()) {
            return Optional.of("no disk in pool " + wish.pool().name());
        }
        return disks.stream().anyMatch(d -> diskObstacle(d, node, wish).isEmpty())
                ? Optional.empty()
                : diskObstacle(disks.getFirst(), node, wish);
    }

    private static Optional<String> diskObstacle(DiskOffer disk, NodeOffer node, PlacementWish wish) {
        PoolRules pool = wish.pool();
        if (!disk.fault().isEmpty()) {
            return Optional.of("disk cannot be used: " + disk.fault());
        }
        if (!pool.mediaClass().isEmpty() && !pool.mediaClass().equals(disk.mediaClass())) {
            return Optional.of(
                    "its disk is " + (disk.mediaClass().isEmpty() ? "of unknown media class" : disk.mediaClass())
                            + ", pool " + pool.name() + " wants " + pool.mediaClass());
        }
        long promised = node.load().provisionedBytes() + wish.sizeBytes();
        long mayPromise = percentOf(disk.capacityBytes(), pool.overcommitPercent());
        if (promised > mayPromise) {
            return Optional.of(ByteText.of(wish.sizeBytes()) + " more would promise " + ByteText.of(promised)
                    + ", pool " + pool.name() + " allows " + ByteText.of(mayPromise) + " here ("
                    + pool.overcommitPercent() + " %)");
        }
        long reserve = pool.mayUseReserve() ? 0 : percentOf(disk.capacityBytes(), pool.reservePercent());
        if (disk.freeBytes() <= reserve) {
            return Optional.of("is full: " + ByteText.of(disk.freeBytes()) + " free, " + ByteText.of(reserve)
                    + " are kept for rebuilds");
        }
        return Optional.empty();
    }

    private static Candidate candidate(NodeOffer node, PlacementWish wish) {
        long fill = node.disks().stream()
                .filter(d -> diskObstacle(d, node, wish).isEmpty()
                        && d.pool().equals(wish.pool().name()))
                .mapToLong(d -> fillPerMille(d, node.load(), wish.pool()))
                .min()
                .orElse(PER_MILLE);
        return new Candidate(
                node, fill, wish.preferred().filter(node.name()::equals).isPresent());
    }

    /** The worse of what is used and what is promised: new volumes are empty, old ones may be full. */
    private static long fillPerMille(DiskOffer disk, NodeLoad load, PoolRules pool) {
        long capacity = Math.max(1, disk.capacityBytes());
        long mayPromise = Math.max(1, percentOf(capacity, pool.overcommitPercent()));
        long used = share(capacity - Math.min(capacity, disk.freeBytes()), capacity);
        return Math.max(used, share(load.provisionedBytes(), mayPromise));
    }

    private static long share(long part, long whole) {
        return (long) ((double) part * PER_MILLE / whole);
    }

    private static long percentOf(long bytes, int percent) {
        return bytes / PERCENT * percent + bytes % PERCENT * percent / PERCENT;
    }
}
