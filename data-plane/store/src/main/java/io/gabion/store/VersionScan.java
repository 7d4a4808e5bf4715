package io.gabion.store;

import io.gabion.core.message.RegionState;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ChunkHistory;
import io.gabion.store.extent.ExtentMap;
import io.gabion.store.extent.Pins;
import io.gabion.store.extent.RegionTable;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.extent.Version;
import io.gabion.store.integrity.BlockChecksum;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore.MetadataCursor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/** Answers about the versions of a replica that need a pass over its part of the index; for a thread that may wait. */
final class VersionScan {
    /** Bounds one page of changed blocks. */
    static final int PAGE_RANGES = 4096;

    static final int PAGE_CHUNKS = 16_384;

    private final MetadataCursor cursor;
    private final int replica;

    VersionScan(MetadataCursor cursor, int replica) {
        this.cursor = cursor;
        this.replica = replica;
    }

    /** The region table as readers of the layers find it, what the first inherits included, under its volume's name. */
    static List<RegionState> regions(MetadataCursor cursor, List<ReplicaExtents.Layer> layers) {
        RegionTable table = new RegionTable();
        BlockChecksum checksum = new BlockChecksum();
        VolumeId name = layers.getFirst().origin();
        for (long number = nextChunk(cursor, layers, 0); number >= 0; number = nextChunk(cursor, layers, number + 1)) {
            Chunk chunk = ExtentMap.resolve(cursor, layers, number);
            for (int i = 0; i < Chunk.BLOCKS; i++) {
                boolean data = chunk.isData(i);
                if (data || chunk.isOwn(i)) {
                    VolumeId inherited = chunk.inheritedFrom(i);
                    int crc = inherited == null ? chunk.crc(i) : checksum.renamed(chunk.crc(i), inherited, name);
                    table.add(number * Chunk.BLOCKS + i, new Version(data, chunk.epoch(i), chunk.seq(i), 0, crc));
                }
            }
        }
        return table.states();
    }

    /** The first chunk from {@code number} on of which any layer has something; -1: none. */
    private static long nextChunk(MetadataCursor cursor, List<ReplicaExtents.Layer> layers, long number) {
        long first = -1;
        for (ReplicaExtents.Layer layer : layers) {
            cursor.seek(MetadataKeys.extentsFrom(layer.replica(), number * Chunk.BLOCKS));
            if (cursor.valid() && MetadataKeys.isExtentOf(cursor.key(), layer.replica())) {
                long found = MetadataKeys.extentBlock(cursor.key()) / Chunk.BLOCKS;
                first = first < 0 ? found : Math.min(first, found);
            }
        }
        return first;
    }

    /** Blocks whose newest version at {@code upTo} is after {@code after}, from block {@code from} on. */
    ChangedBlocks changed(Lsn after, Lsn upTo, long from) {
        List<ByteRange> ranges = new ArrayList<>();
        long start = -1;
        long end = -1;
        int chunks = 0;
        cursor.seek(MetadataKeys.extentsFrom(replica, from / Chunk.BLOCKS * Chunk.BLOCKS));
        while (cursor.valid() && MetadataKeys.isExtentOf(cursor.key(), replica)) {
            long chunk = MetadataKeys.extentBlock(cursor.key()) / Chunk.BLOCKS;
            if (ranges.size() >= PAGE_RANGES || chunks++ >= PAGE_CHUNKS) {
                addRange(ranges, start, end);
                return new ChangedBlocks(ranges, OptionalLong.of(chunk * Chunk.BLOCKS));
            }
            ChunkHistory history = ChunkHistory.load(cursor, replica, chunk);
            for (int i = 0; i < Chunk.BLOCKS; i++) {
                long block = chunk * Chunk.BLOCKS + i;
                if (block < from || !isChanged(history.versions(i), after, upTo)) {
                    continue;
                }
                if (block != end) {
                    addRange(ranges, start, end);
                    start = block;
                }
                end = block + 1;
            }
        }
        addRange(ranges, start, end);
        return new ChangedBlocks(ranges, OptionalLong.empty());
    }

    private static void addRange(List<ByteRange> ranges, long start, long end) {
        if (start >= 0) {
            ranges.add(ByteRange.ofBlocks(start, end - start));
        }
    }

    private static boolean isChanged(List<Version> versions, Lsn after, Lsn upTo) {
        for (Version version : versions) {
            if (!version.lsn().isAfter(upTo)) {
                return version.lsn().isAfter(after);
            }
        }
        return false;
    }

    /** Space of each snapshot; {@code pins} are all of the replica. */
    SortedMap<Long, SnapshotUsage> usage(Map<Long, Lsn> snapshots, Pins pins) {
        Map<Long, long[]> sums = new TreeMap<>();
        snapshots.keySet().forEach(number -> sums.put(number, new long[2]));
        cursor.seek(MetadataKeys.extentsFrom(replica, 0));
        while (cursor.valid() && MetadataKeys.isExtentOf(cursor.key(), replica)) {
            long chunk = MetadataKeys.extentBlock(cursor.key()) / Chunk.BLOCKS;
            ChunkHistory history = ChunkHistory.load(cursor, replica, chunk);
            for (int i = 0; i < Chunk.BLOCKS; i++) {
                List<Version> versions = history.versions(i);
                for (int n = 0; n < versions.size(); n++) {
                    Version version = versions.get(n);
                    Lsn next =
                            n == 0 ? ReplicaExtents.HEAD : versions.get(n - 1).lsn();
                    // The head reads the newest too.
                    boolean shared = n == 0 || pins.count(version.lsn(), next, 2) > 1;
                    if (version.data()) {
                        count(sums, snapshots, version.lsn(), next, shared);
                    }
                }
            }
        }
        SortedMap<Long, SnapshotUsage> usage = new TreeMap<>();
        sums.forEach((number, sum) -> usage.put(
                number, new SnapshotUsage(sum[0] * BlockGeometry.BLOCK_BYTES, sum[1] * BlockGeometry.BLOCK_BYTES)));
        return usage;
    }

    private static void count(Map<Long, long[]> sums, Map<Long, Lsn> snapshots, Lsn version, Lsn next, boolean shared) {
        snapshots.forEach((number, lsn) -> {
            long[] sum = sums.get(number);
            if (sum != null && !version.isAfter(lsn) && next.isAfter(lsn)) {
                sum[0]++;
                sum[1] += shared ? 0 : 1;
            }
        });
    }
}
