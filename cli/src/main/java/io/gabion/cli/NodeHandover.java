package io.gabion.cli;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.UsageFailure;
import io.gabion.cli.volume.Handover;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "handover", description = "Lets other nodes lead every volume that this node leads.")
final class NodeHandover implements Callable<Integer> {
    private final Session session;

    @Parameters(paramLabel = "NODE", description = "The node that is to lead nothing, before it is stopped.")
    private String node = "";

    NodeHandover(Session session) {
        this.session = session;
    }

    private record Moved(String node, List<String> moved, List<String> failed) {}

    @Override
    public Integer call() {
        NodeName from;
        try {
            from = new NodeName(node);
        } catch (IllegalArgumentException e) {
            throw new UsageFailure("NODE: " + e.getMessage());
        }
        List<String> moved = new ArrayList<>();
        List<String> failed = new ArrayList<>();
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            records.node(from);
            for (VolumeRecord volume : records.volumes()) {
                if (volume.deleting() || !volume.primaryNode().equals(Optional.of(from))) {
                    continue;
                }
                try {
                    Handover.move(cluster, records, volume, otherMember(volume));
                    moved.add(volume.spec().name());
                } catch (CommandFailure e) {
                    failed.add(String.valueOf(e.getMessage()));
                }
            }
        }
        if (!failed.isEmpty()) {
            throw new CommandFailure(
                    moved.size() + " volumes moved, " + failed.size() + " not: " + String.join("; ", failed));
        }
        session.output()
                .show(new Moved(node, moved, failed), () -> node + " leads no volume any more; moved: " + moved);
        return 0;
    }

    private static ReplicaId otherMember(VolumeRecord volume) {
        return volume.config().inSync().stream()
                .map(InSyncMember::replica)
                .filter(replica -> !replica.equals(volume.config().primary()))
                .findFirst()
                .orElseThrow(
                        () -> new CommandFailure("volume \"" + volume.spec().name() + "\" has no other copy in sync"));
    }
}
