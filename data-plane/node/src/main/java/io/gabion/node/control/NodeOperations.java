package io.gabion.node.control;

import io.gabion.core.volume.ReplicaView;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** What the control interface asks of the process. May block for a moment; called on threads of their own. */
public interface NodeOperations {
    NodeFacts facts();

    /** Of one volume, or of all. */
    List<ReplicaFacts> replicas(Optional<VolumeId> volume);

    /** Asks the replica here to mark a point in the stream. */
    void requestVerify(VolumeId volume, long id);

    /** Asks the replica here to hand the volume over. */
    void requestHandover(VolumeId volume, ReplicaId target);

    /** @param heartbeatAgeMillis -1 when none was ever heard */
    record PeerFacts(NodeName node, boolean up, long heartbeatAgeMillis) {}

    /** @param reason why the disk does not serve, empty when it does */
    record DiskFacts(
            String id,
            String pool,
            long sizeBytes,
            long usedBytes,
            long reservedBytes,
            long freeBytes,
            String state,
            String reason) {}

    record NodeFacts(
            NodeName name,
            ClusterId cluster,
            UUID bootId,
            String softwareVersion,
            String networkBackend,
            String diskBackend,
            List<DiskFacts> disks,
            List<PeerFacts> peers,
            boolean configurationStoreReachable) {}

    /**
     * @param usedBytes of data on the disk
     * @param snapshotBytes the part of them that only snapshots and clones still need
     * @param failure why the state machine was stopped, empty when it runs
     * @param stalledMillis how long writes have been waiting, 0 when they do not
     */
    record ReplicaFacts(
            ReplicaView view,
            long usedBytes,
            long snapshotBytes,
            int snapshots,
            long incarnation,
            Optional<String> failure,
            long stalledMillis) {}
}
