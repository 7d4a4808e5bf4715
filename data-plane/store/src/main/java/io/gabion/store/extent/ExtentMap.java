package io.gabion.store.extent;

import io.gabion.model.Lsn;
import io.gabion.store.integrity.BlockChecksum;
import io.gabion.store.metadata.MetadataBatch;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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
    private final Map<Long, Changing> before = new HashMap<>();

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
        Chunk loaded = resolve(replica.layers(ReplicaExtents.HEAD), number);
        cache.put(key, loaded);
        return loaded;
    }

    /** As {@link #chunk}, of an earlier point that is pinned. */
    public Chunk chunk(ReplicaExtents replica, long number, Lsn at) {
        return resolve(replica.layers(at), number);
    }

    private Chunk resolve(List<ReplicaExtents.Layer> layers, long number) {
        return resolve(layers, layer -> {
            Changing changing = before.get(key(layer.replica(), number));
            if (changing == null) {
                return load(cursor, layer, number);
            }
            Chunk chunk = new Chunk();
            ChunkHistory history = changing.history(cursor);
            for (int i = 0; i < Chunk.BLOCKS; i++) {
                int block = i;
                history.at(i, layer.at().epoch(), layer.at().seq()).ifPresent(version -> version.putInto(chunk, block));
            }
            return chunk;
        });
    }

    /** Reads a chunk through any cursor, past the cache. */
    public static Chunk resolve(MetadataStore.MetadataCursor cursor, List<ReplicaExtents.Layer> layers, long number) {
        return resolve(layers, layer -> load(cursor, layer, number));
    }

    private static Chunk resolve(List<ReplicaExtents.Layer> layers, Function<ReplicaExtents.Layer, Chunk> loader) {
        Chunk chunk = loader.apply(layers.getFirst());
        BitSet open = new BitSet(Chunk.BLOCKS);
        for (int i = 0; layers.size() > 1 && i < Chunk.BLOCKS; i++) {
            open.set(i, !chunk.isOwn(i));
        }
        for (int n = 1; n < layers.size() && !open.isEmpty(); n++) {
            Chunk inherited = loader.apply(layers.get(n));
            for (int i = open.nextSetBit(0); i >= 0; i = open.nextSetBit(i + 1)) {
                if (inherited.isOwn(i)) {
                    open.clear(i);
                    if (inherited.isData(i)) {
                        chunk.setInherited(i, inherited, layers.get(n).origin());
                    }
                }
            }
        }
        return chunk;
    }

    /** The newest version of each block that is not after the layer's LSN. */
    private static Chunk load(MetadataStore.MetadataCursor cursor, ReplicaExtents.Layer layer, long number) {
        Chunk chunk = new Chunk();
        long first = number * Chunk.BLOCKS;
        long epoch = layer.at().epoch();
        long seq = layer.at().seq();
        cursor.seek(MetadataKeys.extentsFrom(layer.replica(), first));
        while (cursor.valid()) {
            byte[] key = cursor.key();
            if (!MetadataKeys.isExtentOf(key, layer.replica())
                    || MetadataKeys.extentBlock(key) >= first + Chunk.BLOCKS) {
                break;
            }
            long entryEpoch = MetadataKeys.extentEpoch(key);
            long entrySeq = MetadataKeys.extentSeq(key);
            if (entryEpoch < epoch || (entryEpoch == epoch && entrySeq <= seq)) {
                ExtentCodec.decode(
                        cursor.value(), (int) (MetadataKeys.extentBlock(key) - first), entryEpoch, entrySeq, chunk);
            }
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
        Changing changing = changing(replica, block / Chunk.BLOCKS);
        int i = (int) (block % Chunk.BLOCKS);
        leave(replica, changing, i, block, epoch, seq);
        allocator.makeLive(place, 1);
        changing.chunk.setData(i, epoch, seq, place, crc);
        changing.becameHead(i);
        replica.addMapped(1);
        replica.regions().addHash(block, BlockChecksum.regionHash(block, epoch, seq, crc));
    }

    /** The blocks read as zeros, with this version; with no version what was never written is gone without a trace. */
    public void trim(ReplicaExtents replica, long firstBlock, long blocks, long epoch, long seq) {
        for (long block = firstBlock; block < firstBlock + blocks; block++) {
            Changing changing = changing(replica, block / Chunk.BLOCKS);
            int i = (int) (block % Chunk.BLOCKS);
            leave(replica, changing, i, block, epoch, seq);
            if ((epoch | seq) == 0 && replica.parent().isEmpty()) {
                changing.chunk.setAbsent(i);
                changing.stale = true;
            } else {
                changing.chunk.setTombstone(i, epoch, seq);
                changing.becameHead(i);
            }
        }
    }

    /** The head of the block makes room for a version that follows it; it stays in the index if a snapshot sees it. */
    private void leave(ReplicaExtents replica, Changing changing, int i, long block, long epoch, long seq) {
        Chunk chunk = changing.chunk;
        if (!chunk.isOwn(i)) {
            return;
        }
        boolean kept = replica.pins().see(chunk.epoch(i), chunk.seq(i), epoch, seq);
        if (chunk.isData(i)) {
            notHead(replica, block, chunk, i);
            if (kept) {
                replica.addPinned(1);
            } else {
                allocator.free(chunk.place(i), 1);
            }
        }
        changing.left(i, kept);
    }

    private static void notHead(ReplicaExtents replica, long block, Chunk chunk, int i) {
        replica.addMapped(-1);
        replica.regions().addHash(block, -BlockChecksum.regionHash(block, chunk.epoch(i), chunk.seq(i), chunk.crc(i)));
    }

    /**
     * Another member says that this is the newest version of the block: whatever is newer here diverged and is dropped, also
     * where snapshots see it.
     */
    public void dropNewer(ReplicaExtents replica, long block, long epoch, long seq) {
        Chunk head = chunk(replica, block / Chunk.BLOCKS);
        int i = (int) (block % Chunk.BLOCKS);
        if (!replica.hasHistory() || !head.isOwn(i) || !Version.of(head, i).isAfter(epoch, seq)) {
            return;
        }
        Changing changing = changing(replica, block / Chunk.BLOCKS);
        changing.stale = true;
        ChunkHistory history = changing.history(cursor);
        notedHead(replica, changing, i, block, false);
        for (Version version : List.copyOf(history.versions(i))) {
            if (version.isAfter(epoch, seq)) {
                drop(replica, history, i, version);
            }
        }
        changing.chunk.setAbsent(i);
        history.newest(i).ifPresent(version -> version.putInto(changing.chunk, i));
        notedHead(replica, changing, i, block, true);
    }

    /**
     * A reader at {@code at} finds this version of the block from now on; a hole of no version is none at all. What is not older
     * and not after {@code at} goes; what came after {@code at} stays, the head included.
     */
    public void putUnder(ReplicaExtents replica, long block, Lsn at, Version copy) {
        int i = (int) (block % Chunk.BLOCKS);
        Changing changing = changing(replica, block / Chunk.BLOCKS);
        changing.stale = true;
        ChunkHistory history = changing.history(cursor);
        notedHead(replica, changing, i, block, false);
        for (Version version : List.copyOf(history.versions(i))) {
            boolean between = !version.isAfter(at.epoch(), at.seq()) && !copy.isAfter(version.epoch(), version.seq());
            if (between) {
                drop(replica, history, i, version);
            }
        }
        if (copy.data()) {
            allocator.makeLive(copy.place(), 1);
            replica.addPinned(1);
        }
        boolean leavesNoTrace = !copy.data() && copy.epoch() == 0 && copy.seq() == 0;
        if (!leavesNoTrace || replica.parent().isPresent()) {
            history.add(i, copy);
        }
        Version next = null;
        for (Version version : List.copyOf(history.versions(i))) {
            if (next != null && !replica.pins().see(version.epoch(), version.seq(), next.epoch(), next.seq())) {
                drop(replica, history, i, version);
            }
            next = version;
        }
        changing.chunk.setAbsent(i);
        history.newest(i).ifPresent(version -> version.putInto(changing.chunk, i));
        notedHead(replica, changing, i, block, true);
    }

    /**
     * The content of exactly this version, with the checksum that it had, is now at the place of {@code copy}; its old place is
     * free. False, and nothing changes, when the replica itself has no such version.
     */
    public boolean replace(ReplicaExtents replica, long block, Version copy) {
        long number = block / Chunk.BLOCKS;
        int i = (int) (block % Chunk.BLOCKS);
        Chunk head = chunk(replica, number);
        if (head.state(i) == Chunk.DATA && copy.sameContent(Version.of(head, i))) {
            Changing changing = changing(replica, number);
            allocator.free(head.place(i), 1);
            allocator.makeLive(copy.place(), 1);
            copy.putInto(changing.chunk, i);
            changing.becameHead(i);
            return true;
        }
        if (!replica.hasHistory()) {
            return false;
        }
        ChunkHistory history = changing(replica, number).history(cursor);
        for (Version version : List.copyOf(history.versions(i))) {
            if (version.data() && copy.sameContent(version)) {
                allocator.free(version.place(), 1);
                allocator.makeLive(copy.place(), 1);
                history.add(i, copy);
                return true;
            }
        }
        return false;
    }

    /** True when the replica itself has this version of the block with content. */
    public boolean has(ReplicaExtents replica, long block, Lsn lsn) {
        int i = (int) (block % Chunk.BLOCKS);
        ReplicaExtents.Layer layer = new ReplicaExtents.Layer(replica.number(), replica.origin(), lsn);
        Chunk chunk = resolve(List.of(layer), block / Chunk.BLOCKS);
        return chunk.state(i) == Chunk.DATA && chunk.epoch(i) == lsn.epoch() && chunk.seq(i) == lsn.seq();
    }

    private void drop(ReplicaExtents replica, ChunkHistory history, int i, Version version) {
        history.remove(i, version.epoch(), version.seq());
        if (version.data()) {
            allocator.free(version.place(), 1);
            replica.addPinned(-1);
        }
    }

    /** Counts the data of a block as the head's, or as a snapshot's only. */
    private static void notedHead(ReplicaExtents replica, Changing changing, int i, long block, boolean head) {
        Chunk chunk = changing.chunk;
        if (!chunk.isOwn(i) || !chunk.isData(i)) {
            return;
        }
        if (head) {
            replica.addMapped(1);
            replica.addPinned(-1);
            replica.regions()
                    .addHash(block, BlockChecksum.regionHash(block, chunk.epoch(i), chunk.seq(i), chunk.crc(i)));
        } else {
            notHead(replica, block, chunk, i);
            replica.addPinned(1);
        }
    }

    private Changing changing(ReplicaExtents replica, long number) {
        Chunk chunk = chunk(replica, number);
        return before.computeIfAbsent(key(replica, number), k -> new Changing(replica.number(), number, chunk));
    }

    /** Notes that an operation touched the blocks. */
    public void touch(ReplicaExtents replica, long firstBlock, long blocks, long epoch, long seq) {
        replica.regions().touch(firstBlock, blocks, epoch, seq);
    }

    /** Adds every change since the last call to the batch. The batch must be written before anything else is read. */
    public void flush(MetadataBatch batch) {
        for (Map.Entry<Long, Changing> changed : before.entrySet()) {
            changed.getValue().write(batch);
            if (changed.getValue().stale) {
                cache.remove(changed.getKey());
            }
        }
        before.clear();
    }

    // ---- collecting
    /**
     * Removes from chunk {@code number} what nobody sees any more, and adds that to the batch; not while changes wait to be
     * flushed. Returns the number of entries looked at.
     */
    public int collect(ReplicaExtents replica, long number, boolean headless, MetadataBatch batch) {
        ChunkHistory history = ChunkHistory.load(cursor, replica.number(), number);
        history.collect(replica.pins(), headless, (i, version) -> {
            if (version.data()) {
                allocator.free(version.place(), 1);
                replica.addPinned(-1);
            }
        });
        history.write(batch);
        if (headless) {
            // Its heads may be among what went.
            cache.remove(key(replica, number));
        }
        return history.entryCount();
    }

    /** Brings the cache back to its size; only when nothing waits to be flushed. */
    public void trimCache() {
        Iterator<Long> eldest = cache.keySet().iterator();
        while (cache.size() > maxChunks) {
            eldest.next();
            eldest.remove();
        }
    }

    /** Forgets everything cached of a replica that was deleted. Only when nothing waits to be flushed. */
    public void forget(ReplicaExtents replica) {
        cache.keySet().removeIf(key -> (int) (key >>> CHUNK_BITS) == replica.number());
    }

    /** Forgets everything cached: what a clone inherits may have changed. Only when nothing waits to be flushed. */
    public void forgetAll() {
        cache.clear();
    }

    private static long key(ReplicaExtents replica, long chunk) {
        return key(replica.number(), chunk);
    }

    private static long key(int replica, long chunk) {
        return ((long) replica << CHUNK_BITS) | chunk;
    }

    /** A chunk whose changes wait to be written. */
    private static final class Changing {
        private final int replica;
        private final long number;
        private final Chunk chunk;
        private final List<Chunk.Entry> headBefore;
        /** Versions that left the head since and that snapshots see. */
        private final List<ChunkHistory.Cell> retained = new ArrayList<>(0);

        private @Nullable ChunkHistory history;
        private boolean stale;

        Changing(int replica, long number, Chunk chunk) {
            this.replica = replica;
            this.number = number;
            this.chunk = chunk;
            this.headBefore = chunk.entries();
        }

        /** The head of the block goes. */
        void left(int i, boolean kept) {
            ChunkHistory known = history;
            if (known == null) {
                if (kept) {
                    retained.add(new ChunkHistory.Cell(i, Version.of(chunk, i)));
                }
            } else if (!kept) {
                known.remove(i, chunk.epoch(i), chunk.seq(i));
            }
        }

        void becameHead(int i) {
            ChunkHistory known = history;
            if (known != null) {
                known.add(i, Version.of(chunk, i));
            }
        }

        /** Everything known of the chunk, what waits included; from now on kept up to date here. */
        ChunkHistory history(MetadataStore.MetadataCursor cursor) {
            ChunkHistory known = history;
            if (known != null) {
                return known;
            }
            ChunkHistory loaded = ChunkHistory.load(cursor, replica, number);
            for (Chunk.Entry entry : headBefore) {
                for (int i = entry.start(); i < entry.start() + entry.blocks(); i++) {
                    loaded.remove(i, entry.epoch(), entry.seq());
                }
            }
            retained.forEach(cell -> loaded.add(cell.i(), cell.version()));
            for (int i = 0; i < Chunk.BLOCKS; i++) {
                if (chunk.isOwn(i)) {
                    loaded.add(i, Version.of(chunk, i));
                }
            }
            history = loaded;
            return loaded;
        }

        void write(MetadataBatch batch) {
            ChunkHistory known = history;
            if (known != null) {
                known.write(batch);
                return;
            }
            long first = number * Chunk.BLOCKS;
            List<ChunkHistory.StoredRun> after = new ArrayList<>(ChunkHistory.StoredRun.ofHead(chunk));
            if (!retained.isEmpty()) {
                after.addAll(ChunkHistory.Cell.runs(retained));
            }
            Set<Chunk.Entry> kept = new HashSet<>();
            after.forEach(run -> kept.add(run.entry()));
            for (Chunk.Entry old : headBefore) {
                if (!kept.remove(old)) {
                    batch.delete(MetadataKeys.extent(replica, first + old.start(), old.epoch(), old.seq()));
                }
            }
            for (ChunkHistory.StoredRun run : after) {
                if (kept.contains(run.entry())) {
                    run.put(batch, replica, first);
                }
            }
        }
    }

    @Override
    public void close() {
        cursor.close();
    }
}
