package io.gabion.store;

import io.gabion.store.device.DeviceFile;
import io.gabion.store.device.Superblock;
import io.gabion.store.metadata.InMemoryMetadata;
import io.gabion.store.metadata.MetadataBatch;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore;
import io.gabion.store.metadata.rocksdb.RocksMetadata;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A disk whose data file is in memory and whose index is the real RocksDB in a directory. Everything that happens to it is
 * recorded in order. When a flush of the index ends, its directory is copied and opened by RocksDB as after a crash; what it then
 * holds is the index of every crash image from there to the next flush.
 */
final class TracedDisk implements DiskFiles {
    private static final long CACHE_BYTES = 1 << 20;
    private static final int COPY_ATTEMPTS = 20;

    /** What happened. */
    sealed interface Step {
        /** The content must not be changed. */
        @SuppressWarnings("ArrayRecordComponent") // never compared
        record BlockWritten(long block, byte[] content) implements Step {}

        record Synced() implements Step {}

        record SuperblockWritten(Superblock superblock) implements Step {}

        record IndexFlushed(InMemoryMetadata index) implements Step {}

        /** Of the workload's records, this many have been handed to the store. */
        record Submitted(int count) implements Step {}

        record Acknowledged(int count) implements Step {}
    }

    /** A disk at rest from which workloads begin. */
    record AtRest(Map<Long, byte[]> content, Superblock superblock, Path index, InMemoryMetadata indexContent) {}

    private final Path directory;
    private final Map<Long, byte[]> content;
    private final List<Step> trace = new ArrayList<>();
    private @Nullable Superblock superblock;
    private boolean exists;
    private boolean syncIsStubbed;
    private int copies;

    /** An empty disk; {@code directory} must be empty. */
    TracedDisk(Path directory) {
        this.directory = directory;
        this.content = new HashMap<>();
    }

    TracedDisk(Path directory, AtRest base) throws IOException {
        this.directory = directory;
        this.content = new HashMap<>(base.content());
        this.superblock = base.superblock();
        this.exists = true;
        copy(base.index(), directory.resolve("index"));
    }

    /** Syncs are not recorded from now on: a disk that lies. */
    synchronized void stubSync() {
        syncIsStubbed = true;
    }

    synchronized void add(Step step) {
        trace.add(step);
    }

    synchronized List<Step> trace() {
        return List.copyOf(trace);
    }

    /** The disk as it is, for a closed one. */
    synchronized AtRest base() throws IOException {
        Superblock present = superblock;
        if (present == null) {
            throw new IOException("the disk was never formatted");
        }
        Path index = directory.resolve("index");
        return new AtRest(Map.copyOf(content), present, index, contentOf(index));
    }

    @Override
    public synchronized boolean isEmpty() {
        return !exists;
    }

    @Override
    public synchronized Optional<Superblock> superblock() {
        return Optional.ofNullable(superblock);
    }

    @Override
    public synchronized void writeSuperblock(Superblock newSuperblock) {
        superblock = newSuperblock;
        trace.add(new Step.SuperblockWritten(newSuperblock));
    }

    @Override
    public synchronized DeviceFile openData(long createBytes) {
        exists = true;
        return new TracedFile();
    }

    @Override
    public MetadataStore openMetadata() throws IOException {
        return new TracedIndex(RocksMetadata.open(directory.resolve("index"), CACHE_BYTES));
    }

    @Override
    public String name() {
        return "traced";
    }

    private void recordFlush() {
        try {
            add(new Step.IndexFlushed(flushedContent()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private InMemoryMetadata flushedContent() throws IOException {
        for (int attempt = 1; ; attempt++) {
            Path copy;
            synchronized (this) {
                copy = directory.resolve("flushed-" + ++copies);
            }
            try {
                copy(directory.resolve("index"), copy);
                return contentOf(copy);
            } catch (IOException e) {
                // A compaction replaced tables while they were copied one by one; a power cut takes all at one moment.
                if (attempt == COPY_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    /** What RocksDB finds in a directory. */
    private static InMemoryMetadata contentOf(Path index) throws IOException {
        InMemoryMetadata found = new InMemoryMetadata();
        MetadataBatch batch = new MetadataBatch();
        try (RocksMetadata stored = RocksMetadata.openReadOnly(index, CACHE_BYTES);
                MetadataStore.MetadataCursor cursor = stored.cursor()) {
            for (cursor.seek(MetadataKeys.kind((char) 0)); cursor.valid(); cursor.next()) {
                batch.put(cursor.key(), cursor.value());
            }
        }
        found.write(batch);
        found.flush();
        return found;
    }

    /** Tables never change and are linked, the rest is copied. */
    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".sst")) {
                    Files.createLink(to.resolve(name), file);
                } else if (!name.startsWith("LOG") && !name.equals("LOCK")) {
                    Files.copy(file, to.resolve(name));
                }
            }
        }
    }

    static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private final class TracedFile extends BlockFile {
        TracedFile() {
            super(TracedDisk.this, content);
        }

        @Override
        void written(long block, byte[] bytes) {
            trace.add(new Step.BlockWritten(block, bytes));
        }

        @Override
        public void sync() {
            synchronized (TracedDisk.this) {
                if (!syncIsStubbed) {
                    trace.add(new Step.Synced());
                }
            }
        }
    }

    /** RocksDB, whose flushes are recorded when their end is seen. */
    private final class TracedIndex implements MetadataStore {
        private final RocksMetadata index;
        private boolean flushing;

        TracedIndex(RocksMetadata index) {
            this.index = index;
        }

        @Override
        public Optional<byte[]> get(byte[] key) {
            return index.get(key);
        }

        @Override
        public void write(MetadataBatch batch) {
            index.write(batch);
        }

        @Override
        public MetadataCursor cursor() {
            return index.cursor();
        }

        @Override
        public MetadataView view() {
            return index.view();
        }

        @Override
        public synchronized void startFlush() {
            flushing = true;
            index.startFlush();
        }

        @Override
        public synchronized boolean flushPending() {
            boolean pending = index.flushPending();
            if (!pending && flushing) {
                flushing = false;
                recordFlush();
            }
            return pending;
        }

        @Override
        public void flush() {
            index.flush();
            recordFlush();
        }

        @Override
        public void close() {
            index.close();
        }
    }
}
