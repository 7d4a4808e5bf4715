package io.gabion.cli.snapshot;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.cluster.SnapshotNames;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.volume.ReplicaDigests;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.SnapshotRecord;
import io.gabion.protocol.control.v1.StartSnapshotDigestRequest;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "verify",
        description = "Reads every block of a snapshot on every copy that is in sync and compares.",
        sortOptions = false)
final class SnapshotVerify implements Callable<Integer> {
    private final Session session;

    @Parameters(index = "0", paramLabel = "VOLUME", description = "Name or id of the volume.")
    private String volumeName = "";

    @Parameters(index = "1", paramLabel = "NAME", description = "Name of the snapshot.")
    private String name = "";

    SnapshotVerify(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            VolumeRecord volume = records.volume(volumeName);
            List<SnapshotRecord> all = new SnapshotNames(cluster).of(volume.id());
            SnapshotRecord snapshot = all.stream()
                    .filter(s -> s.name().equals(name))
                    .findFirst()
                    .orElseThrow(() ->
                            new CommandFailure("NAME: volume \"" + volume.spec().name()
                                    + "\" has no snapshot \"" + name + "\"; it has: "
                                    + all.stream().map(SnapshotRecord::name).toList()));
            Map<NodeName, NodeRecord> nodes = records.nodes();
            Map<NodeName, Long> asked = new TreeMap<>();
            for (ReplicaPlacement placement : volume.placement()) {
                // A copy that is being made equal has not all of it yet.
                if (volume.config().member(placement.replica()).isPresent()) {
                    asked.put(
                            placement.node(),
                            start(cluster, Optional.ofNullable(nodes.get(placement.node())), volume, snapshot));
                }
            }
            ReplicaDigests.Result result = ReplicaDigests.gather(cluster, nodes, volume, asked);
            session.output().show(result, () -> ReplicaDigests.text(result));
            return result.identical() ? 0 : 1;
        }
    }

    private static long start(
            Cluster cluster, Optional<NodeRecord> node, VolumeRecord volume, SnapshotRecord snapshot) {
        NodeRecord asked = node.orElseThrow(() -> new CommandFailure("a node of the volume has no address"));
        try {
            return cluster.snapshotsRaw(
                            asked,
                            Deadlines.CALL,
                            stub -> stub.startSnapshotDigest(StartSnapshotDigestRequest.newBuilder()
                                    .setVolume(volume.id().toString())
                                    .setNumber(snapshot.number())
                                    .build()))
                    .getId();
        } catch (StatusRuntimeException e) {
            throw new CommandFailure(ControlErrors.describe(Cluster.nodeName(asked), e), e);
        }
    }
}
