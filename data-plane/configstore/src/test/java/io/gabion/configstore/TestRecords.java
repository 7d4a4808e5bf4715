package io.gabion.configstore;

import io.gabion.model.ClusterId;
import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
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
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.PeerIdentity;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Records and callers for tests. */
final class TestRecords {
    static final ClusterId CLUSTER = new ClusterId(UUID.fromString("6c0f5a2e-0000-4000-8000-000000000001"));
    static final PeerIdentity OPERATOR = new PeerIdentity(CLUSTER, ControlRole.OPERATOR, "ops");

    private static final long SIZE_BYTES = 1 << 20;

    private TestRecords() {}

    static PeerIdentity node(String name) {
        return new PeerIdentity(CLUSTER, ControlRole.NODE, name);
    }

    static VolumeRecord volume(String name, String... nodes) {
        List<ReplicaPlacement> placement = new ArrayList<>();
        List<InSyncMember> inSync = new ArrayList<>();
        for (String node : nodes) {
            ReplicaId replica = new ReplicaId(UUID.randomUUID());
            placement.add(new ReplicaPlacement(replica, new NodeName(node)));
            inSync.add(new InSyncMember(replica, 1));
        }
        VolumeSpec spec =
                new VolumeSpec(name, SIZE_BYTES, nodes.length, 1, "default", PoolFullPolicy.STALL, RecoveryPolicy.ANY);
        VolumeConfig config = new VolumeConfig(
                1, 1, inSync.getFirst().replica(), inSync, 1, SIZE_BYTES, 0, List.of(), 0, "test/" + UUID.randomUUID());
        return new VolumeRecord(new VolumeId(UUID.randomUUID()), spec, placement, List.of(), false, config);
    }

    static DiskRecord disk(DiskId id, String node, long openCount, long version) {
        return new DiskRecord(id, CLUSTER, new NodeName(node), "default", openCount, version);
    }
}
