package io.gabion.store;

import io.gabion.store.device.Superblock;
import io.gabion.store.metadata.InMemoryMetadata;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * Every state in which a power cut can leave a disk, from the record of what happened to it: at each point, what was synced and
 * any subset of the blocks written since, in their order; up to {@link #WHOLE_BITS} unsynced blocks all subsets, above that a
 * sample; and some in which blocks are torn between sectors.
 *
 * <p>Looks only at the points at which something other than a block is written: the subsets at every point between two of them
 * are among those of the later one.
 */
final class CrashImages {
    private static final int BLOCK = BlockFile.BLOCK;
    private static final int WHOLE_BITS = 10;
    private static final int SAMPLES = 500;
    private static final int TORN_SAMPLES = 6;

    private final List<TracedDisk.Step> trace;
    private final Random random;
    private final Visitor visitor;

    private final Map<Long, byte[]> synced;
    private final List<TracedDisk.Step.BlockWritten> unsynced = new ArrayList<>();
    private long syncedHash;
    private Superblock superblock;
    private InMemoryMetadata index;
    private int indexNumber;
    private int submitted;
    private int acknowledged;

    /** Told of each image. */
    interface Visitor {
        void image(Image image);
    }

    /** A disk after a power cut between {@code acknowledged} and {@code submitted} records of the workload. */
    record Image(
            Map<Long, byte[]> content,
            Superblock superblock,
            InMemoryMetadata index,
            long hash,
            int acknowledged,
            int submitted) {
        MemoryDiskFiles files() {
            return MemoryDiskFiles.of(new HashMap<>(content), index, superblock);
        }
    }

    private CrashImages(TracedDisk.AtRest base, List<TracedDisk.Step> trace, long seed, Visitor visitor) {
        this.trace = trace;
        this.random = new Random(seed);
        this.visitor = visitor;
        this.synced = new HashMap<>(base.content());
        this.superblock = base.superblock();
        this.index = base.indexContent();
    }

    static void enumerate(TracedDisk.AtRest base, List<TracedDisk.Step> trace, long seed, Visitor visitor) {
        new CrashImages(base, trace, seed, visitor).run();
    }

    private void run() {
        for (TracedDisk.Step step : trace) {
            if (!(step instanceof TracedDisk.Step.BlockWritten)) {
                subsets();
            }
            apply(step);
        }
        subsets();
    }

    private void apply(TracedDisk.Step step) {
        switch (step) {
            case TracedDisk.Step.BlockWritten written -> unsynced.add(written);
            case TracedDisk.Step.Synced _ -> {
                for (TracedDisk.Step.BlockWritten written : unsynced) {
                    syncedHash += change(synced, written.block(), written.content());
                }
                unsynced.clear();
            }
            case TracedDisk.Step.SuperblockWritten written -> superblock = written.superblock();
            case TracedDisk.Step.IndexFlushed flushed -> {
                index = flushed.index();
                indexNumber++;
            }
            case TracedDisk.Step.Submitted s -> submitted = s.count();
            case TracedDisk.Step.Acknowledged a -> acknowledged = a.count();
        }
    }

    private void subsets() {
        int count = unsynced.size();
        if (count <= WHOLE_BITS) {
            for (int subset = 0; subset < 1 << count; subset++) {
                emit(subset);
            }
        } else {
            for (int sample = 0; sample < SAMPLES; sample++) {
                emit(sample == 0 ? 0 : sample == 1 ? -1L : random.nextLong());
            }
        }
        for (int sample = 0; count > 0 && sample < TORN_SAMPLES; sample++) {
            emitTorn(random.nextInt(count));
        }
    }

    private void emit(long subset) {
        Map<Long, byte[]> content = new HashMap<>(synced);
        long hash = syncedHash;
        for (int i = 0; i < unsynced.size(); i++) {
            if ((subset & (1L << (i % Long.SIZE))) != 0) {
                hash += change(content, unsynced.get(i).block(), unsynced.get(i).content());
            }
        }
        emit(content, hash);
    }

    /** All unsynced blocks are there, but of one only some sectors. */
    private void emitTorn(int victim) {
        Map<Long, byte[]> content = new HashMap<>(synced);
        long hash = syncedHash;
        for (int i = 0; i < unsynced.size(); i++) {
            TracedDisk.Step.BlockWritten written = unsynced.get(i);
            byte[] bytes = written.content();
            if (i == victim) {
                bytes = BlockFile.torn(content.getOrDefault(written.block(), new byte[BLOCK]), bytes, random);
            }
            hash += change(content, written.block(), bytes);
        }
        emit(content, hash);
    }

    private void emit(Map<Long, byte[]> content, long hash) {
        long whole = mix(hash ^ mix(superblock.sequence() + 31L * indexNumber));
        visitor.image(new Image(content, superblock, index, whole, acknowledged, submitted));
    }

    /** Puts a block; returns by how much the sum of the hashes of all blocks changes. */
    private static long change(Map<Long, byte[]> content, long block, byte[] bytes) {
        byte[] before = content.put(block, bytes);
        return hash(block, bytes) - (before == null ? hash(block, new byte[BLOCK]) : hash(block, before));
    }

    private static long hash(long block, byte[] bytes) {
        CRC32 first = new CRC32();
        first.update(bytes);
        CRC32C second = new CRC32C();
        second.update(bytes);
        return mix(mix(block) + (first.getValue() << 32 | second.getValue()));
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
