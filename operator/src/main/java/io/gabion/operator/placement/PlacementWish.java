package io.gabion.operator.placement;

import static java.util.Objects.requireNonNull;

import io.gabion.model.NodeName;
import java.util.Optional;
import java.util.Set;

/**
 * The copies that are wanted.
 *
 * @param copies how many more
 * @param sizeBytes of the volume
 * @param occupied nodes that hold a copy, or one that is still to be erased
 * @param closedDomains failure domains of the copies that count
 * @param preferred node that should hold a copy and lead it if it can
 */
public record PlacementWish(
        PoolRules pool,
        int copies,
        long sizeBytes,
        Set<NodeName> occupied,
        Set<String> closedDomains,
        Optional<NodeName> preferred) {
    public PlacementWish {
        requireNonNull(pool, "pool is null");
        requireNonNull(preferred, "preferred is null");
        occupied = Set.copyOf(occupied);
        closedDomains = Set.copyOf(closedDomains);
        if (copies < 0 || sizeBytes <= 0) {
            throw new IllegalArgumentException("copies and size must be positive: " + copies + ", " + sizeBytes);
        }
    }
}
