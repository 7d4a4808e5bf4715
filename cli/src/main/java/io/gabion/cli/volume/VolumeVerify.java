package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.CommandFailure;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.v1.StartVerifyRequest;
import io.gabion.protocol.control.v1.StartVerifyResponse;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "verify",
        description = "Reads every block of every replica at one point of the volume's history and compares.")
final class VolumeVerify implements Callable<Integer> {
    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name or id of the volume.")
    private String name = "";

    VolumeVerify(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            VolumeRecord volume = records.volume(name);
            Map<NodeName, NodeRecord> nodes = records.nodes();
            StartVerifyResponse started = start(cluster, nodes, volume);
            Map<NodeName, Long> asked = new TreeMap<>();
            volume.placement().forEach(placement -> asked.put(placement.node(), started.getId()));
            ReplicaDigests.Result result = ReplicaDigests.gather(cluster, nodes, volume, asked);
            session.output().show(result, () -> ReplicaDigests.text(result));
            return result.identical() ? 0 : 1;
        }
    }

    private static StartVerifyResponse start(Cluster cluster, Map<NodeName, NodeRecord> nodes, VolumeRecord volume) {
        NodeRecord primary = volume.primaryNode()
                .map(nodes::get)
                .orElseThrow(() -> new CommandFailure("the primary's node has no address"));
        return cluster.node(
                primary,
                Deadlines.CALL,
                stub -> stub.startVerify(StartVerifyRequest.newBuilder()
                        .setVolume(volume.id().toString())
                        .build()));
    }
}
