package io.gabion.store;

import io.gabion.store.device.BlockDevice;
import io.gabion.store.device.DirectFile;
import io.gabion.store.device.Superblock;
import io.gabion.store.device.SuperblockSlots;
import io.gabion.store.device.ThreadedBlockDevice;
import io.gabion.store.metadata.InMemoryMetadata;
import io.gabion.store.metadata.MetadataBatch;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore;
import io.gabion.store.metadata.rocksdb.RocksMetadata;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A disk that no process has open, for tools: nothing on it is changed. The index is copied to memory and brought up to the end
 * of the log there, so it takes heap in proportion to the number of extents (about 250 bytes each).
 */
final class StoppedDisk implements AutoCloseable {
    private static final Duration LOCK_WAIT = Duration.ofSeconds(2);
    private static final long CACHE_BYTES = 8L << 20;
    private static final int COPY_BYTES = 1 << 20;

    private final Superblock superblock;
    private final BlockDevice device;
    private final InMemoryMetadata metadata;
    private final Recovery.Recovered recovered;

    private StoppedDisk(
            Superblock superblock, BlockDevice device, InMemoryMetadata metadata, Recovery.Recovered recovered) {
        this.superblock = superblock;
        this.device = device;
        this.metadata = metadata;
        this.recovered = recovered;
    }

    /** Throws when there is no disk, when it is in use, or when it is so damaged that it could not be opened at all. */
    static StoppedDisk open(Path directory) throws IOException {
        Path data = directory.resolve(DirectoryFiles.DATA);
        if (!Files.exists(data)) {
            throw new IOException(directory + " holds no Gabion disk: there is no data file");
        }
        DirectFile file = DirectFile.openReadOnly(data, LOCK_WAIT);
        boolean opened = false;
        try {
            Superblock superblock = new SuperblockSlots(directory)
                    .newest()
                    .orElseThrow(() -> new IOException("no valid superblock in " + directory));
            DiskOpening.checkData(file, superblock, directory.toString());
            InMemoryMetadata metadata = copyIndex(directory.resolve(DirectoryFiles.INDEX));
            Recovery.Recovered recovered =
                    Recovery.run(file, superblock, superblock.openCount(), metadata, CACHE_BYTES);
            StoppedDisk disk = new StoppedDisk(superblock, new ThreadedBlockDevice(file, "tool"), metadata, recovered);
            opened = true;
            return disk;
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } catch (IllegalStateException e) {
            throw new IOException(directory + " cannot be recovered: " + e.getMessage(), e);
        } finally {
            if (!opened) {
                file.close();
            }
        }
    }

    private static InMemoryMetadata copyIndex(Path index) throws IOException {
        InMemoryMetadata copy = new InMemoryMetadata();
        MetadataBatch batch = new MetadataBatch();
        try (RocksMetadata stored = RocksMetadata.openReadOnly(index, CACHE_BYTES);
                MetadataStore.MetadataCursor cursor = stored.cursor()) {
            for (cursor.seek(MetadataKeys.kind((char) 0)); cursor.valid(); cursor.next()) {
                batch.put(cursor.key(), cursor.value());
                if (batch.sizeBytes() > COPY_BYTES) {
                    copy.write(batch);
                    batch.clear();
                }
            }
        }
        copy.write(batch);
        return copy;
    }

    Superblock superblock() {
        return superblock;
    }

    BlockDevice device() {
        return device;
    }

    InMemoryMetadata metadata() {
        return metadata;
    }

    Recovery.Recovered recovered() {
        return recovered;
    }

    @Override
    public void close() throws IOException {
        recovered.index().close();
        device.close();
    }
}
