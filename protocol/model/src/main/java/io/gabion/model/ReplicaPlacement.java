package io.gabion.model;

import static java.util.Objects.requireNonNull;

/** Where a replica lives. */
public record ReplicaPlacement(ReplicaId replica, NodeName node) {
    public ReplicaPlacement {
        requireNonNull(replica, "replica is null");
        requireNonNull(node, "node is null");
    }
}
