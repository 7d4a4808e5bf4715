package io.gabion.protocol.control;

import static java.util.Objects.requireNonNull;

import io.gabion.model.NodeName;
import java.util.List;

/**
 * A named set of disks that volumes are placed on, as the stand-alone configuration store keeps it.
 *
 * @param nodes the nodes whose disks belong to the pool; empty for every node
 * @param version one higher at every change; what a swap compares
 */
public record PoolRecord(String name, List<NodeName> nodes, long version) {
    /** The same bound as a volume's name: a DNS name in Kubernetes. */
    private static final int MAX_NAME_LENGTH = 253;

    public PoolRecord {
        requireNonNull(name, "name is null");
        nodes = List.copyOf(nodes);
        if (name.isBlank() || name.length() > MAX_NAME_LENGTH) {
            throw new IllegalArgumentException("name must have 1 to " + MAX_NAME_LENGTH + " characters");
        }
        if (nodes.stream().distinct().count() != nodes.size()) {
            throw new IllegalArgumentException("nodes names a node twice: " + nodes);
        }
        if (version < 1) {
            throw new IllegalArgumentException("version starts at 1: " + version);
        }
    }

    public boolean holds(NodeName node) {
        return nodes.isEmpty() || nodes.contains(node);
    }
}
