package io.gabion.cli.snapshot;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.cluster.SnapshotNames;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.UsageFailure;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.SnapshotCodec;
import io.gabion.protocol.control.SnapshotRecord;
import io.gabion.protocol.control.v1.SnapshotAnswer;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "create",
        description = "Keeps what the volume holds now: everything acknowledged before, nothing begun after."
                + " Repeating an interrupted command goes on with it.",
        sortOptions = false)
final class SnapshotCreate implements Callable<Integer> {
    /** Each is used up by one change of the primary at just the wrong moment. */
    private static final int MAX_NUMBERS = 8;

    private final Session session;

    @Parameters(index = "0", paramLabel = "VOLUME", description = "Name or id of the volume.")
    private String volumeName = "";

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "NAME",
            description = "Name of the snapshot, unique in its volume (default: s and its number).")
    private @Nullable String name;

    SnapshotCreate(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        if (name != null && !SnapshotRecord.isName(name)) {
            throw new UsageFailure("NAME: must have 1 to " + SnapshotRecord.MAX_NAME_LENGTH
                    + " of a-z, 0-9, \"-\" and \".\", with a letter or digit at both ends, not \"" + name + "\"");
        }
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            SnapshotNames names = new SnapshotNames(cluster);
            VolumeRecord volume = records.volume(volumeName);
            if (volume.deleting()) {
                throw new CommandFailure("volume \"" + volumeName + "\" is being deleted");
            }
            SnapshotRecord wanted = standing(names, volume).orElseGet(() -> begin(records, names, volume));
            SnapshotRecord taken = take(cluster, records, names, wanted);
            SnapshotList.Summary summary = SnapshotList.summary(volume, taken);
            session.output()
                    .show(
                            summary,
                            () -> "snapshot \"" + taken.name() + "\" of volume \""
                                    + volume.spec().name() + "\" taken at " + summary.lsn());
        }
        return 0;
    }

    private Optional<SnapshotRecord> standing(SnapshotNames names, VolumeRecord volume) {
        String wanted = name;
        Optional<SnapshotRecord> found = wanted == null ? Optional.empty() : names.find(volume.id(), wanted);
        found.ifPresent(record -> {
            if (record.deleting()) {
                throw new CommandFailure("NAME: snapshot \"" + wanted + "\" of volume \""
                        + volume.spec().name() + "\" is being deleted; finish that first: gabion snapshot delete "
                        + volume.spec().name() + " " + wanted + " --yes");
            }
            if (record.taken().isPresent()) {
                throw taken(volume, record.name());
            }
        });
        return found;
    }

    private static CommandFailure taken(VolumeRecord volume, String name) {
        return new CommandFailure("NAME: snapshot \"" + name + "\" of volume \""
                + volume.spec().name() + "\" exists already; choose another name");
    }

    private SnapshotRecord begin(RecordAccess records, SnapshotNames names, VolumeRecord volume) {
        long number = reserve(records, volume);
        String chosen = name == null ? "s" + number : name;
        SnapshotRecord first =
                new SnapshotRecord(volume.id(), chosen, number, Optional.empty(), System.currentTimeMillis(), false, 1);
        return names.create(first).orElseThrow(() -> taken(volume, chosen));
    }

    /** The number is this command's alone: only its swap raised the sequence to it. */
    private static long reserve(RecordAccess records, VolumeRecord volume) {
        return records.change(volume, (current, writer) -> {
                    if (current.deleting()) {
                        throw new CommandFailure("volume \"" + current.spec().name() + "\" is being deleted");
                    }
                    long next = current.config().snapSequence() + 1;
                    return current.withConfig(current.config().withSnapSequence(next, writer));
                })
                .config()
                .snapSequence();
    }

    private static SnapshotRecord take(
            Cluster cluster, RecordAccess records, SnapshotNames names, SnapshotRecord wanted) {
        PrimaryCalls primary = new PrimaryCalls(cluster, records);
        SnapshotRecord record = wanted;
        for (int attempt = 0; attempt < MAX_NUMBERS; attempt++) {
            SnapshotAnswer answer = ask(primary, records, record);
            VolumeRecord volume = volume(records, record);
            switch (answer.getResult()) {
                case SNAPSHOT_RESULT_TAKEN -> {
                    return names.change(record.withTaken(new SnapshotRecord.Taken(
                            SnapshotCodec.lsn(answer.getLsn()), volume.config().sizeBytes())));
                }
                case SNAPSHOT_RESULT_NUMBER_USED -> record = names.change(record.withNumber(reserve(records, volume)));
                case SNAPSHOT_RESULT_REFUSED -> {
                    names.remove(record);
                    throw new CommandFailure("the snapshot was not taken: " + answer.getReason()
                            + "; see: gabion snapshot list " + volume.spec().name());
                }
                case SNAPSHOT_RESULT_DELETED,
                        SNAPSHOT_RESULT_NOT_PRIMARY,
                        SNAPSHOT_RESULT_WAITING,
                        SNAPSHOT_RESULT_UNSPECIFIED,
                        UNRECOGNIZED -> throw new IllegalStateException("not decided: " + answer);
            }
        }
        throw new CommandFailure("the primary changed " + MAX_NUMBERS
                + " times while the snapshot was to be taken; repeat the command when the volume is calm");
    }

    private static SnapshotAnswer ask(PrimaryCalls primary, RecordAccess records, SnapshotRecord record) {
        try {
            return primary.take(record.volume(), record.number());
        } catch (CommandFailure e) {
            String volume = volume(records, record).spec().name();
            throw new CommandFailure(
                    "snapshot \"" + record.name() + "\" is not known to be taken: " + e.getMessage()
                            + "; go on with: gabion snapshot create " + volume + " " + record.name()
                            + ", or give it up with: gabion snapshot delete " + volume + " " + record.name() + " --yes",
                    e);
        }
    }

    private static VolumeRecord volume(RecordAccess records, SnapshotRecord record) {
        return records.find(record.volume())
                .orElseThrow(() -> new CommandFailure("the volume was deleted in the meantime"));
    }
}
