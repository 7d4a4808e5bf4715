package io.gabion.store;

import io.gabion.store.device.DeviceFile;
import io.gabion.store.device.Superblock;
import io.gabion.store.metadata.InMemoryMetadata;
import io.gabion.store.metadata.MetadataStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A disk in memory that knows which blocks were written since the last sync, and can lose or tear any of them. */
final class MemoryDiskFiles implements DiskFiles {
    private static final int BLOCK = BlockFile.BLOCK;

    /** Content that survives. */
    private final Map<Long, byte[]> durable;
    /** Content that a read sees. */
    private final Map<Long, byte[]> present;

    private final Set<Long> unsynced = new TreeSet<>();
    private InMemoryMetadata metadata;
    private @Nullable Superblock superblock;
    private boolean exists;
    private volatile Runnable beforeSync = () -> {};
    private volatile @Nullable String failSync;
    private volatile boolean syncIsStubbed;
    /** How often a read of these blocks still fails. */
    private final Map<Long, Integer> unreadable = new HashMap<>();

    MemoryDiskFiles() {
        this(new HashMap<>(), new InMemoryMetadata(), null, false);
    }

    /** A disk as it was found: takes the content over. */
    static MemoryDiskFiles of(Map<Long, byte[]> content, InMemoryMetadata metadata, Superblock superblock) {
        return new MemoryDiskFiles(content, metadata, superblock, true);
    }

    private MemoryDiskFiles(
            Map<Long, byte[]> content, InMemoryMetadata metadata, @Nullable Superblock superblock, boolean exists) {
        this.durable = new HashMap<>(content);
        this.present = content;
        this.metadata = metadata;
        this.superblock = superblock;
        this.exists = exists;
    }

    /** Called on the thread that syncs, before the sync takes effect. */
    void beforeSync(Runnable action) {
        beforeSync = action;
    }

    void failSyncs(String reason) {
        failSync = reason;
    }

    /** Lets syncs return without making anything durable: a disk that lies. */
    void stubSync() {
        syncIsStubbed = true;
    }

    /** What is left after a power cut now: each unsynced block is there, missing, or torn. */
    synchronized MemoryDiskFiles crash(Random random) {
        Map<Long, byte[]> content = new HashMap<>(durable);
        int mode = random.nextInt(4);
        for (long block : unsynced) {
            byte[] newer = present.getOrDefault(block, new byte[BLOCK]);
            int fate = mode == 0 ? 0 : mode == 1 ? 1 : random.nextInt(3);
            if (fate == 0) {
                content.put(block, newer);
            } else if (fate == 2) {
                content.put(block, BlockFile.torn(durable.getOrDefault(block, new byte[BLOCK]), newer, random));
            }
        }
        return new MemoryDiskFiles(content, metadata.crash(), superblock, exists);
    }

    /** The same disk again, everything written included: as after the death of the process alone. */
    synchronized MemoryDiskFiles afterKill() {
        return new MemoryDiskFiles(new HashMap<>(present), metadata.crash(), superblock, exists);
    }

    /** Changes one bit of a block. */
    synchronized void flipBit(long block, int bit) {
        byte[] content = present.getOrDefault(block, new byte[BLOCK]).clone();
        content[bit / 8] ^= (byte) (1 << (bit % 8));
        present.put(block, content);
        durable.put(block, content);
    }

    /** The next reads of a block fail, so many times. */
    synchronized void failReads(long block, int times) {
        unreadable.put(block, times);
    }

    /** The one block with this content. */
    synchronized long placeOf(byte[] content) {
        List<Long> found = present.entrySet().stream()
                .filter(entry -> Arrays.equals(entry.getValue(), content))
                .map(Map.Entry::getKey)
                .toList();
        if (found.size() != 1) {
            throw new AssertionError("blocks with this content: " + found);
        }
        return found.getFirst();
    }

    synchronized List<Long> writtenBlocks() {
        return new ArrayList<>(present.keySet());
    }

    synchronized byte[] block(long number) {
        return present.getOrDefault(number, new byte[BLOCK]);
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
        superblock = Superblock.decode(newSuperblock.encode()).orElseThrow();
    }

    @Override
    public synchronized DeviceFile openData(long createBytes) {
        exists = true;
        return new MemoryFile();
    }

    @Override
    public synchronized MetadataStore openMetadata() {
        metadata = metadata.crash();
        return metadata;
    }

    @Override
    public String name() {
        return "memory";
    }

    private final class MemoryFile extends BlockFile {
        MemoryFile() {
            super(MemoryDiskFiles.this, present);
        }

        @Override
        void reading(long block) throws IOException {
            int left = unreadable.getOrDefault(block, 0);
            if (left > 0) {
                unreadable.put(block, left - 1);
                throw new IOException("Input/output error");
            }
        }

        @Override
        void written(long block, byte[] bytes) {
            unsynced.add(block);
        }

        @Override
        public void sync() throws IOException {
            beforeSync.run();
            String failure = failSync;
            if (failure != null) {
                throw new IOException(failure);
            }
            if (syncIsStubbed) {
                return;
            }
            synchronized (MemoryDiskFiles.this) {
                for (long block : unsynced) {
                    durable.put(block, block(block));
                }
                unsynced.clear();
            }
        }
    }
}
