package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.SnapshotNames;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.UsageFailure;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeOrigin;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.SnapshotRecord;
import io.gabion.protocol.control.v1.ListSnapshotsRequest;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The snapshot that a new volume begins with.
 *
 * @param sizeBytes the least that the new volume can have
 * @param founders nodes whose copy of the parent is in sync and holds the snapshot: there the clone needs no copying
 */
record CloneSource(VolumeRecord parent, VolumeOrigin origin, long sizeBytes, List<NodeName> founders) {
    private static final char AT = '@';

    CloneSource {
        founders = List.copyOf(founders);
    }

    /** @param from {@code VOLUME@SNAPSHOT} */
    static CloneSource find(Cluster cluster, RecordAccess records, String from) {
        int at = from.lastIndexOf(AT);
        if (at <= 0 || at == from.length() - 1) {
            throw new UsageFailure("--from: must be VOLUME@SNAPSHOT, not \"" + from + "\"; see: gabion snapshot list");
        }
        VolumeRecord parent = records.volume(from.substring(0, at));
        if (parent.deleting()) {
            throw new CommandFailure("--from: volume \"" + parent.spec().name() + "\" is being deleted");
        }
        SnapshotRecord snapshot = snapshot(cluster, parent, from.substring(at + 1));
        SnapshotRecord.Taken taken = snapshot.taken()
                .orElseThrow(() -> new CommandFailure("--from: snapshot \"" + from
                        + "\" is not taken yet; finish that first: gabion snapshot create "
                        + parent.spec().name() + " " + snapshot.name()));
        return new CloneSource(
                parent,
                new VolumeOrigin(parent.id(), snapshot.number(), taken.lsn()),
                taken.sizeBytes(),
                founders(cluster, records.nodes(), parent, snapshot));
    }

    private static SnapshotRecord snapshot(Cluster cluster, VolumeRecord parent, String name) {
        List<SnapshotRecord> all = new SnapshotNames(cluster).of(parent.id());
        SnapshotRecord found = all.stream()
                .filter(s -> s.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new CommandFailure("--from: volume \"" + parent.spec().name()
                                + "\" has no snapshot \"" + name + "\"; it has: "
                                + all.stream().map(SnapshotRecord::name).toList()));
        if (found.deleting()) {
            throw new CommandFailure("--from: snapshot \"" + name + "\" is being deleted");
        }
        return found;
    }

    private static List<NodeName> founders(
            Cluster cluster, Map<NodeName, NodeRecord> nodes, VolumeRecord parent, SnapshotRecord snapshot) {
        List<NodeName> founders = new ArrayList<>();
        List<String> others = new ArrayList<>();
        for (ReplicaPlacement placement : parent.placement()) {
            NodeRecord node = nodes.get(placement.node());
            if (node == null || parent.config().member(placement.replica()).isEmpty()) {
                others.add(placement.node() + " is not in sync");
                continue;
            }
            try {
                boolean holds = cluster
                        .snapshotsRaw(
                                node,
                                Deadlines.STATUS,
                                stub -> stub.listSnapshots(ListSnapshotsRequest.newBuilder()
                                        .setVolume(parent.id().toString())
                                        .build()))
                        .getSnapshotsList()
                        .stream()
                        .anyMatch(status -> status.getNumber() == snapshot.number());
                if (holds) {
                    founders.add(placement.node());
                } else {
                    others.add(placement.node() + " does not hold it");
                }
            } catch (StatusRuntimeException e) {
                others.add(ControlErrors.describe(Cluster.nodeName(node), e));
            }
        }
        if (founders.isEmpty()) {
            throw new CommandFailure(
                    "--from: no copy of volume \"" + parent.spec().name()
                            + "\" that can be reached holds the snapshot \"" + snapshot.name() + "\": "
                            + String.join("; ", others));
        }
        return founders;
    }
}
