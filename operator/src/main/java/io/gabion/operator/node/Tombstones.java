package io.gabion.operator.node;

import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;

/** Word left with nodes that do not answer. */
public interface Tombstones {
    /** Adds to the node's tombstones, once. Throws when it could not be learnt that it stands. */
    void bury(NodeName node, VolumeId volume, ReplicaId replica);
}
