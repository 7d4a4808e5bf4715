package io.gabion.node;

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
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/** Records for tests. */
public final class Records {
    private Records() {}

    /** A new volume with one replica on each node, all in sync. */
    public static VolumeRecord volume(long sizeBytes, NodeName... nodes) {
        List<ReplicaPlacement> placement = Arrays.stream(nodes)
                .map(node -> new ReplicaPlacement(new ReplicaId(UUID.randomUUID()), node))
                .toList();
        VolumeSpec spec = new VolumeSpec(
                "vol-" + UUID.randomUUID(),
                sizeBytes,
                nodes.length,
                VolumeSpec.defaultMinInSync(nodes.length),
                "default",
                PoolFullPolicy.STALL,
                RecoveryPolicy.ANY);
        List<InSyncMember> inSync =
                placement.stream().map(p -> new InSyncMember(p.replica(), 0)).toList();
        VolumeConfig config = new VolumeConfig(
                1,
                1,
                placement.getFirst().replica(),
                inSync,
                1,
                sizeBytes,
                0,
                List.of(),
                0,
                "test/" + UUID.randomUUID());
        return new VolumeRecord(new VolumeId(UUID.randomUUID()), spec, placement, List.of(), false, config);
    }
}
