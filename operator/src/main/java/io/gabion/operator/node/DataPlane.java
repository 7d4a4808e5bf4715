package io.gabion.operator.node;

import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The storage processes, as far as the operator talks with them. */
public interface DataPlane {
    /** What the nodes last said of the volume's copies; nothing of those that do not answer. */
    Map<ReplicaId, ReplicaObservation> replicas(VolumeId volume);

    /** The copies on a node when it last answered; empty while it does not. */
    Optional<List<ReplicaObservation>> replicasOn(NodeName node);

    /** Why the node does not answer; empty when it does or was not asked yet. */
    Optional<String> silence(NodeName node);

    /** Asks the primary on {@code from} to hand over. Returns what went wrong; empty when it was accepted. */
    Optional<String> handOver(NodeName from, VolumeId volume, ReplicaId target);
}
