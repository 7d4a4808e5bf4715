package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.cluster.NodeSurvey;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.cluster.SnapshotNames;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.UsageFailure;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.SnapshotRecord;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "delete", description = "Deletes a volume and its data on every node.")
final class VolumeDelete implements Callable<Integer> {
    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name or id of the volume.")
    private String name = "";

    @Option(names = "--with-snapshots", description = "Also deletes the snapshots that the volume has.")
    private boolean withSnapshots;

    @Option(names = "--yes", description = "Confirms: the data is gone for good.")
    private boolean confirmed;

    VolumeDelete(Session session) {
        this.session = session;
    }

    private record Deleted(String id, String name, boolean deleted) {}

    @Override
    public Integer call() {
        if (!confirmed) {
            throw new UsageFailure("deleting \"" + name + "\" cannot be undone; confirm with --yes");
        }
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            VolumeRecord volume = records.volume(name);
            checkSnapshots(cluster, volume);
            VolumeRecord deleting = records.change(volume, VolumeDelete::markDeleting);
            boolean gone = Deadlines.await(Deadlines.CHANGE, () -> {
                Optional<VolumeRecord> now = records.find(deleting.id());
                return now.isEmpty() || (now.get().placement().isEmpty() && records.remove(now.get()));
            });
            if (!gone) {
                throw new CommandFailure(explain(cluster, records, deleting));
            }
            session.output()
                    .show(
                            new Deleted(
                                    deleting.id().toString(), deleting.spec().name(), true),
                            () -> "volume \"" + deleting.spec().name() + "\" deleted on every node");
        }
        return 0;
    }

    private void checkSnapshots(Cluster cluster, VolumeRecord volume) {
        if (withSnapshots || volume.deleting()) {
            return;
        }
        List<String> snapshots = new SnapshotNames(cluster)
                .of(volume.id()).stream().map(SnapshotRecord::name).toList();
        if (!snapshots.isEmpty()) {
            throw new CommandFailure("volume \"" + volume.spec().name() + "\" has snapshots that would go with it: "
                    + snapshots + "; give --with-snapshots if that is meant");
        }
    }

    private static VolumeRecord markDeleting(VolumeRecord current, String writer) {
        if (current.deleting()) {
            return current;
        }
        if (!current.config().attachments().isEmpty()) {
            throw new CommandFailure("volume \"" + current.spec().name() + "\" is attached to "
                    + current.config().attachments().getFirst().node() + "; detach it first: gabion volume detach "
                    + current.spec().name());
        }
        return current.withDeleting(writer);
    }

    private static String explain(Cluster cluster, RecordAccess records, VolumeRecord deleting) {
        List<NodeName> waiting = records.find(deleting.id()).stream()
                .flatMap(v -> v.placement().stream())
                .map(ReplicaPlacement::node)
                .toList();
        Map<NodeName, NodeSurvey.Answer> answers =
                NodeSurvey.ask(cluster, records.nodes().values(), Optional.empty());
        List<String> reasons = waiting.stream()
                .map(node -> Optional.ofNullable(answers.get(node))
                        .map(answer -> answer.failure().isEmpty() ? node + " is still erasing" : answer.failure())
                        .orElse(node + " has no address"))
                .toList();
        return "volume \"" + deleting.spec().name() + "\" serves no more, but not every node has erased it yet: "
                + String.join("; ", reasons)
                + ". It goes on by itself when they are back; this command may be repeated";
    }
}
