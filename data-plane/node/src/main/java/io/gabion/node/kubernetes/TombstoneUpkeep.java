package io.gabion.node.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.api.v1alpha1.ReplicaTombstone;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.model.BlockGeometry;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.RecoveryPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import io.gabion.node.configstore.RecordUpkeep;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Obeys the tombstones of this node's StorageNode: copies of volumes that were deleted while the node was away. A copy is
 * deleted only when it has a tombstone and, by a quorum read, no Volume any more. What is gone is reported, so that the operator
 * may take the tombstone away. Blocks; for a thread of its own.
 */
final class TombstoneUpkeep {
    private static final Logger LOG = LoggerFactory.getLogger(TombstoneUpkeep.class);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** Above any version and epoch that a volume can reach: the last word on it. */
    private static final long LAST_VERSION = Long.MAX_VALUE / 2;
    /** Volumes looked up per round; the others come next. */
    private static final int LOOK_UPS = 100;

    private final NodeObjects nodes;
    private final NodeName self;
    private final Function<VolumeId, ReadOutcome> read;
    private final RecordUpkeep.Replicas replicas;
    private final Turns turns = new Turns(LOOK_UPS);

    TombstoneUpkeep(
            NodeObjects nodes, NodeName self, Function<VolumeId, ReadOutcome> read, RecordUpkeep.Replicas replicas) {
        this.nodes = nodes;
        this.self = self;
        this.read = read;
        this.replicas = replicas;
    }

    /** Only while the disk serves: a replica that is not hosted then does not exist here. */
    void settle() {
        StorageNode own = nodes.knownOwn();
        if (own == null) {
            return;
        }
        List<ReplicaTombstone> wanted = own.getSpec().getTombstones();
        List<ReplicaTombstone> reported = own.getStatus().getErased();
        if (wanted.isEmpty() && reported.isEmpty()) {
            return;
        }
        List<ReplicaTombstone> erased = new ArrayList<>(
                wanted.stream().filter(t -> contains(reported, t)).toList());
        List<ReplicaTombstone> open =
                wanted.stream().filter(t -> !contains(reported, t)).toList();
        turns.next(open).stream().filter(this::isGone).forEach(erased::add);
        if (erased.size() != reported.size() || !erased.stream().allMatch(t -> contains(reported, t))) {
            try {
                nodes.merge(JSON.createObjectNode().set("erased", JSON.<JsonNode>valueToTree(erased)));
            } catch (KubernetesClientException e) {
                LOG.debug("erased copies are not reported yet: {}", e.getMessage());
            }
        }
    }

    private static boolean contains(List<ReplicaTombstone> all, ReplicaTombstone tombstone) {
        return all.stream()
                .anyMatch(t -> t.getReplica().equals(tombstone.getReplica())
                        && t.getVolumeId().equals(tombstone.getVolumeId()));
    }

    private boolean isGone(ReplicaTombstone tombstone) {
        VolumeId volume;
        ReplicaId replica;
        try {
            volume = VolumeId.of(tombstone.getVolumeId());
            replica = ReplicaId.of(tombstone.getReplica());
        } catch (IllegalArgumentException e) {
            LOG.error("a tombstone of this node is malformed and not obeyed: {}", e.getMessage());
            return false;
        }
        boolean hosted = replicas.isHosted(volume);
        return switch (read.apply(volume)) {
            case ReadOutcome.Absent() -> {
                if (hosted) {
                    LOG.info("volume {} was deleted while this node was away: erasing replica {}", volume, replica);
                    replicas.hint(lastWord(volume, replica));
                }
                yield !hosted;
            }
            // The volume's own record has the word while there is one.
            case ReadOutcome.Found(VolumeRecord record) -> !hosted && !names(record, replica);
            case ReadOutcome.Unavailable _ -> false;
        };
    }

    private static boolean names(VolumeRecord record, ReplicaId replica) {
        return record.nodeOf(replica).isPresent()
                || record.removed().stream().anyMatch(p -> p.replica().equals(replica));
    }

    private VolumeRecord lastWord(VolumeId volume, ReplicaId replica) {
        return new VolumeRecord(
                volume,
                new VolumeSpec(
                        "deleted",
                        BlockGeometry.BLOCK_BYTES,
                        1,
                        1,
                        "deleted",
                        PoolFullPolicy.STALL,
                        RecoveryPolicy.ANY),
                List.of(),
                List.of(new ReplicaPlacement(replica, self)),
                true,
                new VolumeConfig(
                        LAST_VERSION,
                        LAST_VERSION,
                        replica,
                        List.of(new InSyncMember(replica, 0)),
                        0,
                        BlockGeometry.BLOCK_BYTES,
                        0,
                        List.of(),
                        0,
                        self + "/tombstone"));
    }
}
