package io.gabion.cli.snapshot;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.cluster.SnapshotNames;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.UsageFailure;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.SnapshotRecord;
import io.gabion.protocol.control.v1.SnapshotAnswer;
import io.gabion.protocol.control.v1.SnapshotResult;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "delete",
        description = "Deletes a snapshot; its space comes back by and by. Clones of it keep what they need.",
        sortOptions = false)
final class SnapshotDelete implements Callable<Integer> {
    private final Session session;

    @Parameters(index = "0", paramLabel = "VOLUME", description = "Name or id of the volume.")
    private String volumeName = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "NAME", description = "Name of the snapshot.")
    private @Nullable String name;

    @Option(
            names = "--number",
            paramLabel = "N",
            description = "Its number, for one that has no name (see: gabion snapshot list).")
    private @Nullable Long number;

    @Option(names = "--yes", description = "Confirms: what only the snapshot holds is gone for good.")
    private boolean confirmed;

    SnapshotDelete(Session session) {
        this.session = session;
    }

    private record Deleted(String volume, String name, long number, boolean deleted) {}

    @Override
    public Integer call() {
        if ((name == null) == (number == null)) {
            throw new UsageFailure("say which snapshot: either its NAME or --number N");
        }
        if (number != null && number < 1) {
            throw new UsageFailure("--number: snapshots are numbered from 1, not " + number);
        }
        if (!confirmed) {
            throw new UsageFailure("deleting a snapshot cannot be undone; confirm with --yes");
        }
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            SnapshotNames names = new SnapshotNames(cluster);
            VolumeRecord volume = records.volume(volumeName);
            Optional<SnapshotRecord> named = find(names, volume);
            Optional<SnapshotRecord> deleting =
                    named.map(record -> record.deleting() ? record : names.change(record.withDeleting()));
            long doomed = deleting.map(SnapshotRecord::number)
                    .or(() -> Optional.ofNullable(number))
                    .orElseThrow();
            delete(cluster, records, volume, doomed);
            deleting.ifPresent(names::remove);
            String shown = deleting.map(SnapshotRecord::name).orElse("number " + doomed);
            session.output()
                    .show(
                            new Deleted(volume.spec().name(), shown, doomed, true),
                            () -> "snapshot \"" + shown + "\" of volume \""
                                    + volume.spec().name() + "\" deleted");
        }
        return 0;
    }

    private Optional<SnapshotRecord> find(SnapshotNames names, VolumeRecord volume) {
        List<SnapshotRecord> all = names.of(volume.id());
        Long wanted = number;
        if (wanted != null) {
            if (wanted > volume.config().snapSequence()) {
                throw new CommandFailure("--number: volume \"" + volume.spec().name() + "\" never had a snapshot "
                        + wanted + "; its highest number is " + volume.config().snapSequence());
            }
            return all.stream().filter(s -> s.number() == wanted).findFirst();
        }
        return Optional.of(all.stream()
                .filter(s -> s.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new CommandFailure("NAME: volume \"" + volume.spec().name()
                                + "\" has no snapshot \"" + name + "\"; it has: "
                                + all.stream().map(SnapshotRecord::name).toList())));
    }

    private static void delete(Cluster cluster, RecordAccess records, VolumeRecord volume, long number) {
        SnapshotAnswer answer;
        try {
            answer = new PrimaryCalls(cluster, records).delete(volume.id(), number);
        } catch (CommandFailure e) {
            throw new CommandFailure(
                    "the snapshot is not known to be deleted: " + e.getMessage() + "; this command may be repeated", e);
        }
        if (answer.getResult() != SnapshotResult.SNAPSHOT_RESULT_DELETED) {
            throw new CommandFailure("the snapshot was not deleted: " + answer.getReason());
        }
    }
}
