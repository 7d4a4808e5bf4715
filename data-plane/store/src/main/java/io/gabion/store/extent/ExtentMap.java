package io.gabion.store.extent;

import io.gabion.store.integrity.BlockChecksum;
import io.gabion.store.metadata.MetadataBatch;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The mapping of all replicas of a disk: which place holds which version of a block. Changes collect in memory and go out as one
 * batch; a bounded cache of resolved chunks stands in front of the index. Belongs to the owner loop.
 */
public final class ExtentMap implements AutoCloseable {
    /** Heap that one cached chunk takes, about. */
    private static final int CHUNK_HEAP_BYTES = 1300;

    private static final int CHUNK_BITS = 40;

    private final MetadataStore.MetadataCursor cursor;
    private final BlockAllocator allocator;
    private final int maxChunks;
    private final LinkedHashMap<Long, Chunk> cache = new LinkedHashMap<>(1024, 0.75f, true);
    private final Map<Long, List<Chunk.Entry>> before = new HashMap<>();

    public ExtentMap(MetadataStore metadata, BlockAllocator allocator, long cacheBytes) {
        this.cursor = metadata.cursor();
        this.allocator = allocator;
        this.maxChunks = Math.clamp(cacheBytes / CHUNK_HEAP_BYTES, 64, 1 << 24);
    }

    // ---- reading
    /** State of chunk {@code number} of the replica, changes that are not written yet included. Only valid for now. */
    public Chunk chunk(ReplicaExtents replica, long number) {
        long key = key(replica, number);
        Chunk cached = cache.get(key);
        if (cached != null) {
            return cached;
        }
        if (before.isEmpty()) {
            trimCache();
        }
        Chunk loaded = load(cursor, replica.number(), number);
        cache.put(key, loaded);
        return loaded;
    }

    /** Reads a chunk through any cursor, past the cache. */
    public static Chunk load(MetadataStore.MetadataCursor cursor, int replica, long number) {
        Chunk chunk = new Chunk();
        long first = number * Chunk.BLOCKS;
        cursor.seek(MetadataKeys.extentsFrom(replica, first));
        while (cursor.valid()) {
            byte[] key = cursor.key();
            if (!MetadataKeys.isExtentOf(key, replica) || MetadataKeys.extentBlock(key) >= first + Chunk.BLOCKS) {
                break;
            }
            ExtentCodec.decode(
                    cursor.value(),
                    (int) (MetadataKeys.extentBlock(key) - first),
                    MetadataKeys.extentEpoch(key),
                    MetadataKeys.extentSeq(key),
                    chunk);
            cursor.next();
        }
        return chunk;
    }

    /** The one stored run of {@code replica} with this key and value, alone in a chunk. */
    public static Chunk decode(byte[] key, byte[] value, int replica) {
        if (!MetadataKeys.isExtentOf(key, replica)) {
            throw new IllegalStateException("not an extent of replica " + replica);
        }
        Chunk chunk = new Chunk();
        ExtentCodec.decode(
                value,
                (int) (MetadataKeys.extentBlock(key) % Chunk.BLOCKS),
                MetadataKeys.extentEpoch(key),
                MetadataKeys.extentSeq(key),
                chunk);
        return chunk;
    }

    // ---- changing
    /** The block's content is now at {@code place}, which becomes live. */
    public void put(ReplicaExtents replica, long block, long epoch, long seq, long place, int crc) {
        Chunk chunk = changing(replica, block / Chunk.BLOCKS);
        int i = (int) (block % Chunk.BLOCKS);
        unmap(replica, chunk, i, block);
        allocator.makeLive(place, 1);
        chunk.setData(i, epoch, seq, place, crc);
        replica.addMapped(1);
        replica.regions().addHash(block, BlockChecksum.regionHash(block, epoch, seq, crc));
    }

    /** The blocks read as zeros, with this version. */
    public void trim(ReplicaExtents replica, long firstBlock, long blocks, long epoch, long seq) {
        for (long block = firstBlock; block < firstBlock + blocks; block++) {
            Chunk chunk = changing(replica, block / Chunk.BLOCKS);
            int i = (int) (block % Chunk.BLOCKS);
            unmap(replica, chunk, i, block);
            if ((epoch | seq) == 0) {
                chunk.setAbsent(i);
            } else {
                chunk.setTombstone(i, epoch, seq);
            }
        }
    }

    private void unmap(ReplicaExtents replica, Chunk chunk, int i, long block) {
        if (chunk.isData(i)) {
            allocator.free(chunk.place(i), 1);
            replica.addMapped(-1);
            replica.regions()
                    .addHash(block, -BlockChecksum.regionHash(block, chunk.epoch(i), chunk.seq(i), chunk.crc(i)));
        }
    }

    private Chunk changing(ReplicaExtents replica, long number) {
        Chunk chunk = chunk(replica, number);
        before.computeIfAbsent(key(replica, number), k -> chunk.entries());
        return chunk;
    }

    /** Notes that an operation touched the blocks. */
    public void touch(ReplicaExtents replica, long firstBlock, long blocks, long epoch, long seq) {
        replica.regions().touch(firstBlock, blocks, epoch, seq);
    }

    /** Adds every change since the last call to the batch. The batch must be written before anything else is read. */
    public void flush(MetadataBatch batch) {
        for (Map.Entry<Long, List<Chunk.Entry>> changed : before.entrySet()) {
            Chunk chunk = cache.get(changed.getKey());
            if (chunk == null) {
                throw new IllegalStateException("a changed chunk left the cache");
            }
            int replica = (int) (changed.getKey() >>> CHUNK_BITS);
            long first = (changed.getKey() & ((1L << CHUNK_BITS) - 1)) * Chunk.BLOCKS;
            List<Chunk.Entry> after = chunk.entries();
            Set<Chunk.Entry> kept = new HashSet<>(after);
            for (Chunk.Entry old : changed.getValue()) {
                if (!kept.remove(old)) {
                    batch.delete(MetadataKeys.extent(replica, first + old.start(), old.epoch(), old.seq()));
                }
            }
            for (Chunk.Entry entry : after) {
                if (kept.contains(entry)) {
                    batch.put(
                            MetadataKeys.extent(replica, first + entry.start(), entry.epoch(), entry.seq()),
                            ExtentCodec.encode(chunk, entry));
                }
            }
        }
        before.clear();
    }

    /** Brings the cache back to its size; only when nothing waits to be flushed. */
    public void trimCache() {
        Iterator<Long> eldest = cache.keySet().iterator();
        while (cache.size() > maxChunks) {
            eldest.next();
            eldest.remove();
        }
    }

    /** Forgets everything cached of a replica that was deleted. */
    public void forget(ReplicaExtents replica) {
        cache.keySet().removeIf(key -> (int) (key >>> CHUNK_BITS) == replica.number());
        before.keySet().removeIf(key -> (int) (key >>> CHUNK_BITS) == replica.number());
    }

    private static long key(ReplicaExtents replica, long chunk) {
        return ((long) replica.number() << CHUNK_BITS) | chunk;
    }

    @Override
    public void close() {
        cursor.close();
    }
}
