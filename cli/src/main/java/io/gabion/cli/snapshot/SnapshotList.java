package io.gabion.cli.snapshot;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.cluster.SnapshotNames;
import io.gabion.cli.text.ByteSize;
import io.gabion.cli.text.TextTable;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.SnapshotRecord;
import io.gabion.protocol.control.v1.ListSnapshotsResponse;
import io.gabion.protocol.control.v1.SnapshotStatus;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "list", description = "Lists snapshots, with the space that each takes on every copy.")
final class SnapshotList implements Callable<Integer> {
    /** What is known of a snapshot from its name and from its volume's primary. */
    enum State {
        READY,
        /** It has a name, but was not taken yet: the command that creates it runs, or was interrupted. */
        PENDING,
        DELETING,
        /** Its volume has it no more, though nobody deleted it by its name. */
        MISSING,
        /** The primary cannot be asked. */
        UNKNOWN
    }

    private final Session session;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "VOLUME",
            description = "Name or id of a volume (default: all).")
    private @Nullable String volumeName;

    SnapshotList(Session session) {
        this.session = session;
    }

    /**
     * @param name null for a snapshot without one
     * @param lsn empty when it was not taken
     * @param uniqueBytes what deleting it alone gives back on each copy, null when not known
     * @param sharedBytes data that the volume, another snapshot or a clone has in common with it, null when not known
     */
    record Summary(
            String volume,
            @Nullable String name,
            long number,
            State state,
            String lsn,
            long sizeBytes,
            long wantedAtMillis,
            @Nullable Long uniqueBytes,
            @Nullable Long sharedBytes) {}

    @Override
    public Integer call() {
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            SnapshotNames names = new SnapshotNames(cluster);
            PrimaryCalls primary = new PrimaryCalls(cluster, records);
            String wanted = volumeName;
            List<VolumeRecord> volumes = wanted == null ? records.volumes() : List.of(records.volume(wanted));
            List<Summary> all = new ArrayList<>();
            for (VolumeRecord volume : volumes) {
                // Without a number ever reserved there is nothing to ask for.
                if (volume.config().snapSequence() > 0 && !volume.deleting()) {
                    all.addAll(join(volume, names.of(volume.id()), primary.list(volume)));
                }
            }
            session.output().show(all, () -> text(all));
        }
        return 0;
    }

    /** Just taken. */
    static Summary summary(VolumeRecord volume, SnapshotRecord record) {
        return of(volume, record, record.taken().isPresent() ? State.READY : State.PENDING, null);
    }

    private static Summary of(
            VolumeRecord volume, SnapshotRecord record, State state, @Nullable SnapshotStatus status) {
        return new Summary(
                volume.spec().name(),
                record.name(),
                record.number(),
                state,
                record.taken().map(taken -> taken.lsn().toString()).orElse(""),
                record.taken().map(SnapshotRecord.Taken::sizeBytes).orElse(0L),
                record.wantedAtMillis(),
                status == null ? null : status.getUniqueBytes(),
                status == null ? null : status.getOwnBytes() - status.getUniqueBytes());
    }

    /** Puts together what names and primary say, by number. Pure. */
    static List<Summary> join(
            VolumeRecord volume, List<SnapshotRecord> names, Optional<ListSnapshotsResponse> primary) {
        Map<Long, SnapshotStatus> held = new TreeMap<>();
        primary.ifPresent(answer -> answer.getSnapshotsList().forEach(status -> held.put(status.getNumber(), status)));
        Map<Long, Summary> joined = new TreeMap<>();
        for (SnapshotRecord record : names) {
            SnapshotStatus status = held.remove(record.number());
            joined.put(record.number(), of(volume, record, state(record, primary.isPresent(), status), status));
        }
        held.forEach((number, status) -> joined.put(
                number,
                new Summary(
                        volume.spec().name(),
                        null,
                        number,
                        State.READY,
                        status.getLsn(),
                        0,
                        0,
                        status.getUniqueBytes(),
                        status.getOwnBytes() - status.getUniqueBytes())));
        return List.copyOf(joined.values());
    }

    private static State state(SnapshotRecord record, boolean asked, @Nullable SnapshotStatus status) {
        if (record.deleting()) {
            return State.DELETING;
        }
        if (!asked) {
            return State.UNKNOWN;
        }
        if (record.taken().isEmpty()) {
            return State.PENDING;
        }
        return status == null ? State.MISSING : State.READY;
    }

    private static String text(List<Summary> all) {
        TextTable table =
                new TextTable("VOLUME", "NAME", "NUMBER", "STATE", "SIZE", "UNIQUE", "SHARED", "AT", "WANTED");
        for (Summary s : all) {
            table.row(
                    s.volume(),
                    s.name() == null ? "-" : s.name(),
                    s.number(),
                    s.state().name().toLowerCase(java.util.Locale.ROOT),
                    s.sizeBytes() == 0 ? "-" : ByteSize.format(s.sizeBytes()),
                    size(s.uniqueBytes()),
                    size(s.sharedBytes()),
                    s.lsn().isEmpty() ? "-" : s.lsn(),
                    s.wantedAtMillis() == 0
                            ? "-"
                            : Instant.ofEpochMilli(s.wantedAtMillis()).truncatedTo(ChronoUnit.SECONDS));
        }
        return table.toString();
    }

    private static String size(@Nullable Long bytes) {
        return bytes == null ? "-" : ByteSize.format(bytes);
    }
}
