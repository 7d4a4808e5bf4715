package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.nbd.NbdClient;
import io.gabion.cli.nbd.ZeroRuns;
import io.gabion.cli.text.ByteSize;
import io.gabion.cli.text.CommandFailure;
import io.gabion.model.VolumeRecord;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "export", description = "Copies an attached volume into a file; holes stay holes.")
final class VolumeExport implements Callable<Integer> {
    /** Asked for at once; the server may answer for less. */
    private static final int STATUS_BYTES = 64 * 1024 * 1024;

    private final Session session;

    @Parameters(index = "0", paramLabel = "NAME", description = "Name or id of the volume.")
    private String name = "";

    @Parameters(index = "1", paramLabel = "FILE", description = "Is created; must not exist.")
    private Path file = Path.of("");

    @Option(names = "--overwrite", description = "Replace an existing file.")
    private boolean overwrite;

    VolumeExport(Session session) {
        this.session = session;
    }

    private record Exported(String name, String file, long sizeBytes, long dataBytes) {}

    @Override
    public Integer call() throws IOException {
        if (Files.exists(file) && !overwrite) {
            throw new CommandFailure("FILE: " + file + " exists; choose another name or say --overwrite");
        }
        try (Cluster cluster = session.connect()) {
            VolumeRecord volume = new RecordAccess(cluster).volume(name);
            try (NbdClient device = AttachedDevice.open(cluster, volume);
                    RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
                out.setLength(0);
                out.setLength(device.sizeBytes());
                long copied = copy(device, out.getChannel());
                out.getChannel().force(true);
                session.output()
                        .show(
                                new Exported(name, file.toString(), device.sizeBytes(), copied),
                                () -> ByteSize.format(device.sizeBytes()) + " of volume \"" + name + "\" in " + file
                                        + ", " + ByteSize.format(copied) + " of them data");
            }
        }
        return 0;
    }

    private static long copy(NbdClient device, FileChannel out) throws IOException {
        long[] copied = new long[1];
        long at = 0;
        while (at < device.sizeBytes()) {
            int length = (int) Math.min(STATUS_BYTES, device.sizeBytes() - at);
            List<NbdClient.Extent> extents = device.extents(at, length);
            device.read(extents.stream().filter(e -> !e.hole()).toList(), (offset, bytes) -> {
                copied[0] += bytes.remaining();
                write(out, offset, bytes);
            });
            NbdClient.Extent last = extents.getLast();
            at = last.offset() + last.length();
        }
        return copied[0];
    }

    private static void write(FileChannel out, long offset, ByteBuffer bytes) throws IOException {
        if (ZeroRuns.isZero(bytes)) {
            return;
        }
        long at = offset;
        while (bytes.hasRemaining()) {
            at += out.write(bytes, at);
        }
    }
}
