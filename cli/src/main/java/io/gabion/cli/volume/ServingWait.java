package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.text.CommandFailure;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.v1.ListReplicasRequest;
import io.gabion.protocol.control.v1.ReplicaStatus;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** Waits until a volume's primary serves. */
final class ServingWait {
    private static final String PRIMARY = "primary";
    private static final String SERVING = "serving";

    private ServingWait() {}

    static void untilPrimaryServes(Cluster cluster, RecordAccess records, VolumeId id) {
        AtomicReference<String> last = new AtomicReference<>("nothing is known yet");
        boolean serves = Deadlines.await(Deadlines.CHANGE, () -> {
            Optional<VolumeRecord> record = records.find(id);
            if (record.isEmpty()) {
                throw new CommandFailure("the volume was deleted in the meantime");
            }
            try {
                return primaryServes(cluster, records.nodes(), record.get(), last);
            } catch (CommandFailure e) {
                last.set(String.valueOf(e.getMessage()));
                return false;
            }
        });
        if (!serves) {
            throw new CommandFailure("the volume stands in the configuration store but does not serve after "
                    + Deadlines.CHANGE.toSeconds() + " s: " + last.get()
                    + "; see: gabion volume describe " + id);
        }
    }

    private static boolean primaryServes(
            Cluster cluster, Map<NodeName, NodeRecord> nodes, VolumeRecord record, AtomicReference<String> last) {
        NodeRecord node = record.primaryNode().map(nodes::get).orElse(null);
        if (node == null) {
            last.set("the primary's node has no address in the configuration store");
            return false;
        }
        for (ReplicaStatus replica : cluster.node(
                        node,
                        Deadlines.STATUS,
                        stub -> stub.listReplicas(ListReplicasRequest.newBuilder()
                                .setVolume(record.id().toString())
                                .build()))
                .getReplicasList()) {
            last.set("the replica on " + node.name() + " is " + replica.getRole() + ", " + replica.getPhase());
            if (replica.getRole().equals(PRIMARY) && replica.getPhase().equals(SERVING)) {
                return true;
            }
        }
        return false;
    }
}
