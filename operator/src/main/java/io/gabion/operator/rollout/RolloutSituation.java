package io.gabion.operator.rollout;

import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What decides whether a storage node may be restarted now.
 *
 * @param paused somebody wants nothing restarted
 * @param pods the data plane, one per node
 * @param missing nodes that should have a pod and have none
 * @param lost nodes whose storage process does not serve
 */
public record RolloutSituation(
        boolean paused, List<NodePod> pods, Set<NodeName> missing, Set<NodeName> lost, List<VolumeState> volumes) {
    public RolloutSituation {
        pods = List.copyOf(pods);
        missing = Set.copyOf(missing);
        lost = Set.copyOf(lost);
        volumes = List.copyOf(volumes);
    }

    /**
     * A pod of the data plane.
     *
     * @param current made from the newest template
     * @param ready serving, and not about to end
     */
    public record NodePod(NodeName node, String pod, String uid, boolean current, boolean ready) {}

    /**
     * A volume.
     *
     * @param copies nodes of the copies that should exist
     * @param inSync nodes of the in-sync copies
     * @param wanted copies
     * @param heir an in-sync copy on another node than the leader's
     */
    public record VolumeState(
            String name,
            VolumeId id,
            Set<NodeName> copies,
            Set<NodeName> inSync,
            int wanted,
            Optional<NodeName> leader,
            Optional<Heir> heir) {
        public VolumeState {
            copies = Set.copyOf(copies);
            inSync = Set.copyOf(inSync);
        }

        boolean isRedundant() {
            return inSync.size() >= wanted;
        }
    }

    /** A copy that can take the lead. */
    public record Heir(NodeName node, ReplicaId replica) {}
}
