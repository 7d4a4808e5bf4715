package io.gabion.store;

import io.gabion.store.device.DeviceFile;
import io.gabion.store.device.DirectFile;
import io.gabion.store.device.Superblock;
import io.gabion.store.device.SuperblockSlots;
import io.gabion.store.metadata.MetadataStore;
import io.gabion.store.metadata.rocksdb.RocksMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** A disk in a directory: {@code superblock.a}, {@code superblock.b}, {@code data} and {@code index/}. */
final class DirectoryFiles implements DiskFiles {
    static final String DATA = "data";
    static final String INDEX = "index";
    /** Every new ext file system has it. */
    private static final Set<String> IGNORED = Set.of("lost+found");

    private final Path directory;
    private final Duration lockWait;
    private final long indexCacheBytes;
    private final SuperblockSlots slots;

    DirectoryFiles(Path directory, Duration lockWait, long indexCacheBytes) {
        this.directory = directory;
        this.lockWait = lockWait;
        this.indexCacheBytes = indexCacheBytes;
        this.slots = new SuperblockSlots(directory);
    }

    @Override
    public boolean isEmpty() throws IOException {
        if (!Files.exists(directory)) {
            return true;
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.allMatch(path -> IGNORED.contains(String.valueOf(path.getFileName())));
        }
    }

    @Override
    public Optional<Superblock> superblock() throws IOException {
        return slots.newest();
    }

    @Override
    public void writeSuperblock(Superblock superblock) throws IOException {
        slots.write(superblock);
    }

    @Override
    public DeviceFile openData(long createBytes) throws IOException {
        Files.createDirectories(directory);
        DirectFile file = DirectFile.open(directory.resolve(DATA), createBytes > 0, lockWait);
        boolean ready = false;
        try {
            if (createBytes > 0) {
                file.allocate(createBytes);
                SuperblockSlots.syncDirectory(directory);
            }
            ready = true;
            return file;
        } finally {
            if (!ready) {
                file.close();
            }
        }
    }

    @Override
    public MetadataStore openMetadata() throws IOException {
        return RocksMetadata.open(directory.resolve(INDEX), indexCacheBytes);
    }

    @Override
    public String name() {
        return directory.toString();
    }
}
