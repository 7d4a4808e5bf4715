package io.gabion.cli;

import io.gabion.cli.cluster.Session;
import io.gabion.cli.nbd.ZeroRuns;
import io.gabion.cli.text.ByteSize;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.TextTable;
import io.gabion.cli.text.UsageFailure;
import io.gabion.store.StoreExport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "export",
        description =
                "Reads a volume from the disks of stopped nodes, with nothing else running. Blocks that are damaged on"
                        + " one disk come from another one.",
        sortOptions = false)
final class StoreExporting implements Callable<Integer> {
    private static final int NOT_ALL = 1;

    private final Session session;

    @Parameters(arity = "1..*", paramLabel = "DIR", description = "Data directories of stopped nodes.")
    private List<Path> directories = List.of();

    @Option(
            names = "--volume",
            paramLabel = "NAME_OR_ID",
            description = "Which volume (default: says what the disks hold).")
    private @Nullable String volume;

    @Option(names = "--out", paramLabel = "FILE", description = "Where to; must not exist. Zeros become holes.")
    private @Nullable Path out;

    @Option(
            names = "--snapshot",
            paramLabel = "N",
            description = "What the snapshot with this number holds, not the volume as it was last.")
    private long snapshot;

    StoreExporting(Session session) {
        this.session = session;
    }

    /** A copy on one of the disks. */
    record Copy(
            String directory,
            String volume,
            String name,
            String replica,
            String status,
            boolean whole,
            long epoch,
            String lastLsn,
            String committedLsn,
            long sizeBytes,
            List<Long> snapshots) {}

    private record Exported(
            String volume,
            String name,
            String file,
            Copy from,
            long sizeBytes,
            long fetchedBlocks,
            List<String> lost) {}

    @Override
    public Integer call() throws IOException {
        if ((volume == null) != (out == null)) {
            throw new UsageFailure("--volume and --out belong together");
        }
        if (snapshot < 0 || (snapshot > 0 && volume == null)) {
            throw new UsageFailure("--snapshot: must be the number of a snapshot of --volume, from 1");
        }
        List<StoreExport.Held> held = new ArrayList<>();
        for (Path directory : directories) {
            held.addAll(StoreExport.survey(DiskDirectory.of(directory)));
        }
        Path file = out;
        if (file == null) {
            List<Copy> all = held.stream().map(StoreExporting::copy).toList();
            session.output().show(all, () -> text(all));
            return 0;
        }
        return export(choose(held), file);
    }

    private static Copy copy(StoreExport.Held held) {
        return new Copy(
                held.directory().toString(),
                held.volume().toString(),
                held.record().spec().name(),
                held.replica().toString(),
                held.status().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                held.isWhole(),
                held.record().config().epoch(),
                held.lastLsn().toString(),
                held.committed().toString(),
                held.record().config().sizeBytes(),
                held.snapshots().points().stream().map(point -> point.number()).toList());
    }

    /** Best first. */
    private List<StoreExport.Held> choose(List<StoreExport.Held> held) {
        List<StoreExport.Held> found = held.stream()
                .filter(h -> h.record().spec().name().equals(volume)
                        || h.volume().toString().equals(volume))
                .sorted(StoreExport.BEST_FIRST)
                .toList();
        if (found.isEmpty()) {
            throw new CommandFailure("--volume: these disks hold no copy of \"" + volume + "\"; they hold: "
                    + held.stream()
                            .map(h -> h.record().spec().name())
                            .distinct()
                            .collect(Collectors.joining(", ")));
        }
        if (found.stream().map(StoreExport.Held::volume).distinct().count() > 1) {
            throw new CommandFailure("--volume: several volumes were called \"" + volume + "\"; give the id of one: "
                    + found.stream().map(h -> h.volume().toString()).distinct().collect(Collectors.joining(", ")));
        }
        return found;
    }

    private int export(List<StoreExport.Held> copies, Path file) throws IOException {
        if (Files.exists(file)) {
            throw new CommandFailure("--out: " + file + " exists already; choose another name");
        }
        StoreExport.Outcome outcome;
        try (FileChannel target = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            outcome = StoreExport.write(copies, snapshot, (offset, bytes) -> write(target, offset, bytes));
            extend(target, outcome.sizeBytes());
            target.force(true);
        }
        StoreExport.Held from = copies.getFirst();
        Exported exported = new Exported(
                from.volume().toString(),
                from.record().spec().name(),
                file.toString(),
                copy(from),
                outcome.sizeBytes(),
                outcome.fetchedBlocks(),
                outcome.lost());
        session.output().show(exported, () -> text(exported));
        return outcome.lost().isEmpty() && from.isWhole() ? 0 : NOT_ALL;
    }

    private static void write(FileChannel target, long offset, ByteBuffer bytes) throws IOException {
        if (ZeroRuns.isZero(bytes.duplicate())) {
            return;
        }
        ByteBuffer left = bytes.duplicate();
        long at = offset;
        while (left.hasRemaining()) {
            at += target.write(left, at);
        }
    }

    /** A hole at the end, too, counts. */
    private static void extend(FileChannel target, long sizeBytes) throws IOException {
        if (target.size() < sizeBytes) {
            int written = target.write(ByteBuffer.allocate(1), sizeBytes - 1);
            if (written != 1) {
                throw new IOException("the file could not be made " + sizeBytes + " bytes long");
            }
        }
    }

    private static String text(List<Copy> copies) {
        TextTable table =
                new TextTable("VOLUME", "SIZE", "STATUS", "WHOLE", "EPOCH", "LAST", "SNAPSHOTS", "DIRECTORY", "ID");
        for (Copy c : copies) {
            table.row(
                    c.name(),
                    ByteSize.format(c.sizeBytes()),
                    c.status(),
                    c.whole() ? "yes" : "NO",
                    c.epoch(),
                    c.lastLsn(),
                    c.snapshots().isEmpty() ? "-" : c.snapshots(),
                    c.directory(),
                    c.volume());
        }
        return table.toString();
    }

    private static String text(Exported e) {
        StringBuilder text = new StringBuilder();
        e.lost().forEach(lost -> text.append("lost: ").append(lost).append('\n'));
        if (!e.from().whole()) {
            text.append("this copy was ")
                    .append(e.from().status())
                    .append(": a mixture of two states of the volume, to be trusted in parts only\n");
        }
        return text.append(ByteSize.format(e.sizeBytes()))
                .append(" of volume \"")
                .append(e.name())
                .append("\" in ")
                .append(e.file())
                .append(", from ")
                .append(e.from().directory())
                .append(", up to ")
                .append(e.from().lastLsn())
                .append(e.fetchedBlocks() == 0 ? "" : ", " + e.fetchedBlocks() + " damaged blocks from other disks")
                .append(e.lost().isEmpty() ? "" : "; " + e.lost().size() + " BLOCKS ARE LOST (zeros)")
                .toString();
    }
}
