package io.gabion.store;

import io.gabion.core.port.LogRecord;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.log.StoredRecord.Cloned;
import io.gabion.store.log.StoredRecord.SnapshotDeleted;
import io.gabion.store.log.StoredRecord.SnapshotTaken;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/**
 * Disks that were written by earlier versions and that every later one must open, as zip files among the resources. {@code main}
 * writes the one of the present version: {@code StoredDisks FILE.zip}. A stored disk is never written anew; a version that changes
 * what is on a disk adds one.
 */
final class StoredDisks {
    static final VolumeId VOLUME = new VolumeId(new UUID(5, 1));
    static final VolumeId CLONE = new VolumeId(new UUID(5, 2));
    static final VolumeId DELETED = new VolumeId(new UUID(5, 3));
    static final long SIZE = 4L << 20;

    private StoredDisks() {}

    public static void main(String[] arguments) throws IOException {
        Path directory = Files.createTempDirectory("disk");
        write(directory);
        try (OutputStream out = Files.newOutputStream(Path.of(arguments[0]))) {
            pack(directory, out);
        }
        TracedDisk.delete(directory);
    }

    /** Half of it is in the index, half only in the log; the process is killed. */
    private static void write(Path directory) throws IOException {
        StoreRig rig = StoreRig.open(StoreRig.options(directory));
        rig.appendNow(VOLUME, StoreRig.created(VOLUME, SIZE));
        rig.appendNow(DELETED, StoreRig.created(DELETED, SIZE));
        rig.appendNow(VOLUME, StoreRig.written(1, 1, 0, StoreRig.filled(40, 0x11)));
        rig.appendNow(DELETED, StoreRig.written(1, 1, 7, StoreRig.filled(3, 0x33)));
        rig.appendNow(new SnapshotTaken(VOLUME, new Lsn(1, 2), 1));
        rig.appendNow(VOLUME, StoreRig.written(1, 3, 10, StoreRig.filled(4, 0x12)));
        rig.appendNow(new SnapshotTaken(VOLUME, new Lsn(1, 4), 2));
        rig.checkpoint();
        rig.appendNow(VOLUME, StoreRig.trimmed(1, 5, 12, 4));
        rig.appendNow(new Cloned(CLONE, StoreRig.record(CLONE, SIZE, 2, 0, new Lsn(2, 0)), VOLUME, new Lsn(1, 2)));
        rig.appendNow(CLONE, StoreRig.written(2, 1, 2, StoreRig.filled(2, 0x21)));
        rig.appendNow(new SnapshotDeleted(VOLUME, new Lsn(1, 6), 2));
        rig.appendNow(DELETED, new LogRecord.ReplicaDeleted());
        rig.abandon();
    }

    private static void pack(Path directory, OutputStream out) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(out);
                Stream<Path> files = Files.walk(directory)) {
            List<Path> kept = files.filter(Files::isRegularFile)
                    .filter(file -> !file.getFileName().toString().startsWith("LOG"))
                    .sorted()
                    .toList();
            for (Path file : kept) {
                ZipEntry entry = new ZipEntry(directory.relativize(file).toString());
                entry.setTime(0);
                zip.putNextEntry(entry);
                Files.copy(file, zip);
                zip.closeEntry();
            }
        }
    }

    /** Unpacks the stored disk {@code name} into an empty directory. */
    static Path unpack(String name, Path directory) throws IOException {
        try (InputStream in = StoredDisks.class.getResourceAsStream("/disks/" + name);
                ZipInputStream zip = new ZipInputStream(in)) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                Path file = directory.resolve(entry.getName());
                Files.createDirectories(file.getParent());
                Files.copy(zip, file);
            }
        }
        return directory;
    }
}
