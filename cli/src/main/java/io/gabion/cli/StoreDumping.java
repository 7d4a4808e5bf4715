package io.gabion.cli;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.CommandFailure;
import io.gabion.model.VolumeId;
import io.gabion.store.StoreDump;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "dump", description = "Writes every block of one replica of a stopped node, in order, holes as zeros.")
final class StoreDumping implements Callable<Integer> {
    private static final int BUFFER_BYTES = 1 << 20;

    private final Session session;

    @Option(names = "--raw", required = true, paramLabel = "DIR", description = "The node's --data directory.")
    private Path directory = Path.of("");

    @Option(
            names = "--volume",
            required = true,
            paramLabel = "NAME_OR_ID",
            description = "Whose replica; a name is looked up in the configuration store.")
    private String volume = "";

    @Option(names = "--out", paramLabel = "FILE", description = "Where to (default: standard output).")
    private @Nullable Path out;

    StoreDumping(Session session) {
        this.session = session;
    }

    private record Dumped(String volume, String file, long sizeBytes) {}

    @Override
    public Integer call() throws IOException {
        VolumeId id = find();
        Path file = out;
        if (file == null) {
            // Errors go to the other stream; these bytes are all that standard output gets.
            OutputStream standard = new BufferedOutputStream(System.out, BUFFER_BYTES);
            StoreDump.raw(DiskDirectory.of(directory), id, standard);
            standard.flush();
            return 0;
        }
        if (Files.exists(file) && !Files.isWritable(file)) {
            throw new CommandFailure("--out: " + file + " cannot be written");
        }
        try (FileOutputStream stream = new FileOutputStream(file.toFile());
                OutputStream buffered = new BufferedOutputStream(stream, BUFFER_BYTES)) {
            StoreDump.raw(DiskDirectory.of(directory), id, buffered);
            buffered.flush();
            stream.getFD().sync();
        }
        Dumped dumped = new Dumped(id.toString(), file.toString(), Files.size(file));
        session.output().show(dumped, () -> dumped.sizeBytes() + " bytes of volume " + id + " in " + file);
        return 0;
    }

    private VolumeId find() throws IOException {
        VolumeId id;
        try {
            id = VolumeId.of(volume);
        } catch (IllegalArgumentException e) {
            try (Cluster cluster = session.connect()) {
                id = new RecordAccess(cluster).volume(volume).id();
            } catch (CommandFailure failure) {
                throw new CommandFailure(
                        "--volume: " + failure.getMessage() + " (an id works without the configuration store; "
                                + directory + " holds " + StoreDump.volumes(DiskDirectory.of(directory)) + ")",
                        failure);
            }
        }
        List<VolumeId> held = StoreDump.volumes(DiskDirectory.of(directory));
        if (!held.contains(id)) {
            throw new CommandFailure("--volume: " + directory + " holds no replica of " + id + "; it holds " + held);
        }
        return id;
    }
}
