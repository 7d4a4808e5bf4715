package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.nbd.NbdClient;
import io.gabion.cli.text.ByteSize;
import io.gabion.cli.text.CommandFailure;
import io.gabion.model.VolumeRecord;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "import",
        description = "Overwrites an attached volume with a file of the same size, and makes it durable.")
final class VolumeImport implements Callable<Integer> {
    private final Session session;

    @Parameters(index = "0", paramLabel = "NAME", description = "Name or id of the volume.")
    private String name = "";

    @Parameters(index = "1", paramLabel = "FILE", description = "Exactly as long as the volume.")
    private Path file = Path.of("");

    VolumeImport(Session session) {
        this.session = session;
    }

    private record Imported(String name, String file, long sizeBytes) {}

    @Override
    public Integer call() throws IOException {
        if (!Files.isReadable(file)) {
            throw new CommandFailure("FILE: " + file + " cannot be read");
        }
        try (Cluster cluster = session.connect();
                FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            VolumeRecord volume = new RecordAccess(cluster).volume(name);
            try (NbdClient device = AttachedDevice.open(cluster, volume)) {
                if (in.size() != device.sizeBytes()) {
                    throw new CommandFailure("FILE: " + file + " has " + in.size() + " bytes, volume \"" + name
                            + "\" has " + device.sizeBytes()
                            + "; they must be equal (grow the volume, or extend the file with truncate -s)");
                }
                copy(in, device);
                session.output()
                        .show(
                                new Imported(name, file.toString(), device.sizeBytes()),
                                () -> ByteSize.format(device.sizeBytes()) + " from " + file
                                        + " are durable in volume \"" + name + "\"");
            }
        }
        return 0;
    }

    /** Zeros are written too: the volume may hold something else there. */
    private static void copy(FileChannel in, NbdClient device) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(NbdClient.REQUEST_BYTES);
        long at = 0;
        while (at < device.sizeBytes()) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), device.sizeBytes() - at));
            while (buffer.hasRemaining()) {
                if (in.read(buffer, at + buffer.position()) < 0) {
                    throw new EOFException("the file became shorter while it was read");
                }
            }
            buffer.flip();
            int length = buffer.remaining();
            device.write(at, buffer);
            at += length;
        }
        device.flush();
    }
}
