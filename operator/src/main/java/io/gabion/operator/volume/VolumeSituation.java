package io.gabion.operator.volume;

import static java.util.Objects.requireNonNull;

import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import io.gabion.operator.placement.NodeFacts;
import io.gabion.operator.placement.PoolFacts;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Everything that decides what is to be done next with one volume.
 *
 * @param wanted the specification as the user left it
 * @param specChanged it was changed after the record was last touched on its behalf
 * @param record absent until the volume was placed
 * @param labelled nodes whose replica label the Volume carries
 * @param deletion present once somebody deleted the Volume
 * @param buried copies for which their node has a tombstone of its own
 * @param pool absent when no such pool exists
 * @param nodes every storage node
 * @param preferred node that should lead
 */
public record VolumeSituation(
        VolumeId id,
        VolumeSpec wanted,
        boolean specChanged,
        Optional<VolumeRecord> record,
        Set<NodeName> labelled,
        Optional<Deletion> deletion,
        Set<ReplicaId> buried,
        Optional<PoolFacts> pool,
        Map<NodeName, NodeFacts> nodes,
        Optional<NodeName> preferred,
        Instant now) {
    public VolumeSituation {
        requireNonNull(id, "id is null");
        requireNonNull(wanted, "wanted is null");
        requireNonNull(record, "record is null");
        requireNonNull(deletion, "deletion is null");
        requireNonNull(pool, "pool is null");
        requireNonNull(preferred, "preferred is null");
        requireNonNull(now, "now is null");
        labelled = Set.copyOf(labelled);
        buried = Set.copyOf(buried);
        nodes = Map.copyOf(nodes);
    }

    /**
     * Somebody wants the volume gone.
     *
     * @param isProtected the specification forbids it
     * @param since when this process first saw it
     * @param pods that keep it in use, as far as they are known
     */
    public record Deletion(boolean isProtected, Instant since, List<String> pods) {
        public Deletion {
            requireNonNull(since, "since is null");
            pods = List.copyOf(pods);
        }
    }

    /** A node nobody knows any more is as lost as one can be. */
    Optional<Instant> lostSince(NodeName node) {
        NodeFacts facts = nodes.get(node);
        return facts == null ? Optional.of(Instant.EPOCH) : facts.lostSince();
    }

    boolean isDraining(NodeName node) {
        NodeFacts facts = nodes.get(node);
        return facts != null && facts.offer().draining();
    }

    /** Not in sync, and its node did not serve for the pool's delay: another node may take over. */
    boolean isLost(ReplicaPlacement copy, VolumeRecord standing, PoolFacts rules) {
        return standing.config().member(copy.replica()).isEmpty()
                && lostSince(copy.node())
                        .filter(t -> !t.plus(rules.replacementDelay()).isAfter(now))
                        .isPresent();
    }
}
