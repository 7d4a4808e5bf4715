package io.gabion.faults.cluster;

import io.gabion.faults.powerloss.PowerLossOptions;
import java.util.Optional;

/**
 * What cluster a test wants.
 *
 * @param name of its directory below target/clusters
 * @param nodes storage nodes n1, n2 ...
 * @param capacity of each node, as {@code --capacity} takes it
 * @param powerLoss when present each node's data directory is a power-loss file system of its own
 */
public record ClusterSpec(String name, int nodes, String capacity, Optional<PowerLossOptions> powerLoss) {
    /** Three nodes of 4 GiB on ordinary directories. */
    public static ClusterSpec named(String name) {
        return new ClusterSpec(name, 3, "4GiB", Optional.empty());
    }

    public ClusterSpec withCapacity(String size) {
        return new ClusterSpec(name, nodes, size, powerLoss);
    }

    public ClusterSpec withPowerLoss(PowerLossOptions options) {
        return new ClusterSpec(name, nodes, capacity, Optional.of(options));
    }
}
