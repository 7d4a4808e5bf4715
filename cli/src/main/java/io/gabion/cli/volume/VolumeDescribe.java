package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.NodeSurvey;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.Ages;
import io.gabion.cli.text.ByteSize;
import io.gabion.cli.text.TextTable;
import io.gabion.cli.volume.VolumeDescription.Replica;
import io.gabion.model.VolumeRecord;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "describe", description = "Says how a volume is, replica by replica, and why writes wait.")
final class VolumeDescribe implements Callable<Integer> {
    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name or id of the volume.")
    private String name = "";

    VolumeDescribe(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            VolumeRecord volume = records.volume(name);
            var answers = NodeSurvey.ask(cluster, records.nodes().values(), Optional.of(volume.id()));
            long now = System.currentTimeMillis();
            // What the nodes said may be newer than the first reading of the record.
            VolumeDescription description =
                    VolumeDescription.of(records.find(volume.id()).orElse(volume), answers, now);
            session.output().show(description, () -> text(description, now));
        }
        return 0;
    }

    static String text(VolumeDescription d, long nowMillis) {
        StringBuilder text = new StringBuilder();
        text.append(d.name()).append(": ").append(d.health()).append("\n\n");
        line(text, "id", d.id());
        line(
                text,
                "size",
                ByteSize.format(d.sizeBytes())
                        + (d.sizeBytes() == d.wantedSizeBytes()
                                ? ""
                                : ", growing to " + ByteSize.format(d.wantedSizeBytes())));
        line(text, "replicas", d.wantedReplicas() + ", writes need " + d.minInSync() + " in sync");
        line(text, "pool", d.pool() + ", when full: " + d.onPoolFull());
        line(text, "configuration", "version " + d.version() + ", epoch " + d.epoch());
        line(
                text,
                "attached to",
                d.attachments().isEmpty()
                        ? "nobody"
                        : d.attachments().stream()
                                .map(a -> a.node() + " (generation " + a.generation()
                                        + (a.readOnly() ? ", read only" : "") + ")")
                                .collect(Collectors.joining(", ")));
        d.replicas().stream()
                .filter(r -> r.replica().equals(d.primary()) && r.snapshots() + r.snapshotBytes() > 0)
                .findFirst()
                .ifPresent(r -> line(text, "snapshots", snapshots(d, r)));
        line(text, "sessions", d.sessions().isEmpty() ? "none" : String.join(", ", d.sessions()));
        VolumeDescription.Stall stall = d.stall();
        if (stall != null) {
            line(
                    text,
                    "writes wait",
                    stall.reason() + ", for " + stall.waitsFor() + ", since "
                            + Instant.ofEpochMilli(stall.sinceMillis()) + " ("
                            + Ages.text(nowMillis - stall.sinceMillis()) + ")");
        }
        TextTable table =
                new TextTable("NODE", "ROLE", "PHASE", "EPOCH", "LAST", "COMMITTED", "USED", "RESYNC", "REPLICA");
        StringBuilder notes = new StringBuilder();
        for (Replica r : d.replicas()) {
            row(table, r);
            if (!r.failure().isEmpty()) {
                notes.append(r.node()).append(": ").append(r.failure()).append('\n');
            }
        }
        return text.append('\n')
                .append(table)
                .append(notes.isEmpty() ? "" : "\n" + notes)
                .toString();
    }

    private static String snapshots(VolumeDescription d, Replica primary) {
        return primary.snapshots() + "; of the " + ByteSize.format(primary.usedBytes()) + " used, "
                + ByteSize.format(primary.snapshotBytes())
                + " are kept for snapshots and clones alone (one by one: gabion snapshot list " + d.name() + ")";
    }

    private static void row(TextTable table, Replica r) {
        if (!r.reachable() || r.role().isEmpty()) {
            Long silent = r.silentMillis();
            String heard = silent == null ? "-" : "last heard of " + Ages.text(silent) + " ago";
            table.row(r.node(), r.reachable() ? "-" : "unreachable", heard, "-", "-", "-", "-", "-", r.replica());
            return;
        }
        table.row(
                r.node(),
                r.role() + (r.tombstone() ? " (to be removed)" : ""),
                r.phase(),
                r.promisedEpoch() == r.epoch() ? r.epoch() : r.epoch() + " (promised " + r.promisedEpoch() + ")",
                r.lastLsn(),
                r.committedLsn(),
                ByteSize.format(r.usedBytes()),
                r.resyncTotalBytes() == 0
                        ? "-"
                        : ByteSize.format(r.resyncComparedBytes()) + " of " + ByteSize.format(r.resyncTotalBytes())
                                + ", copied " + ByteSize.format(r.resyncCopiedBytes()),
                r.replica());
    }

    private static void line(StringBuilder text, String label, String value) {
        text.append(String.format("  %-14s %s%n", label, value));
    }
}
