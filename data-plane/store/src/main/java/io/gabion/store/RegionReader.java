package io.gabion.store;

import io.gabion.model.BlockGeometry;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.device.BufferPool;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ExtentMap;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.metadata.MetadataStore.MetadataCursor;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Reads a replica region by region through a fixed view of the index, every block checked. Blocking; for one thread that may
 * wait.
 */
final class RegionReader {
    private final BlockDevice device;
    private final MetadataCursor cursor;
    private final List<ReplicaExtents.Layer> layers;
    private final ByteBuffer region = BufferPool.aligned(BlockGeometry.REGION_BYTES);
    private static final byte[] ZEROS = new byte[BlockGeometry.REGION_BYTES];

    RegionReader(BlockDevice device, MetadataCursor cursor, List<ReplicaExtents.Layer> layers) {
        this.device = device;
        this.cursor = cursor;
        this.layers = layers;
    }

    /** Told of every block of which the replica itself has a version. */
    interface BlockVisitor {
        void block(long block, Chunk chunk, int i);
    }

    /** Outcome of reading a region: the bytes, valid until the next call, and which of them are bad. */
    record Content(ByteBuffer bytes, List<BlockFetch.Bad> bad) {}

    Content read(int number, int lengthBytes, BlockVisitor visitor) {
        region.clear();
        region.put(0, ZEROS, 0, BlockGeometry.REGION_BYTES);
        long firstBlock = (long) number * BlockGeometry.BLOCKS_PER_REGION;
        long endBlock = firstBlock + BlockGeometry.BLOCKS_PER_REGION;
        BlockFetch fetch = new BlockFetch(layers.getFirst().origin());
        for (long start = firstBlock; start < endBlock; start += Chunk.BLOCKS) {
            Chunk chunk = ExtentMap.resolve(cursor, layers, start / Chunk.BLOCKS);
            for (int i = 0; i < Chunk.BLOCKS; i++) {
                if (chunk.isOwn(i)) {
                    visitor.block(start + i, chunk, i);
                }
                if (chunk.isData(i)) {
                    fetch.add(chunk, i, start + i, region, (int) (start + i - firstBlock) * BlockGeometry.BLOCK_BYTES);
                }
            }
        }
        return new Content(region.slice(0, lengthBytes), fetch.readAndWait(device));
    }
}
