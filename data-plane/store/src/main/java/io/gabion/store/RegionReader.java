package io.gabion.store;

import io.gabion.model.BlockGeometry;
import io.gabion.model.VolumeId;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.device.BufferPool;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ExtentMap;
import io.gabion.store.integrity.BlockChecksum;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore.MetadataCursor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Reads a replica region by region through a fixed view of the index, every block checked. Blocking; for one thread that may
 * wait. Regions must be asked for in rising order.
 */
final class RegionReader {
    private final BlockDevice device;
    private final MetadataCursor cursor;
    private final int replica;
    private final VolumeId origin;
    private final ByteBuffer region = BufferPool.aligned(BlockGeometry.REGION_BYTES);
    private final BlockChecksum checksum = new BlockChecksum();
    private static final byte[] ZEROS = new byte[BlockGeometry.REGION_BYTES];

    RegionReader(BlockDevice device, MetadataCursor cursor, int replica, VolumeId origin) {
        this.device = device;
        this.cursor = cursor;
        this.replica = replica;
        this.origin = origin;
        cursor.seek(MetadataKeys.extentsFrom(replica, 0));
    }

    /** Told of every mapped block. */
    interface BlockVisitor {
        void block(long block, Chunk chunk, int i);
    }

    /** Outcome of reading a region: the bytes, valid until the next call, or what is damaged. */
    record Content(ByteBuffer bytes, Optional<String> damage) {}

    Content read(int number, int lengthBytes, BlockVisitor visitor) throws IOException {
        region.clear();
        region.put(0, ZEROS, 0, BlockGeometry.REGION_BYTES);
        long firstBlock = (long) number * BlockGeometry.BLOCKS_PER_REGION;
        long endBlock = firstBlock + BlockGeometry.BLOCKS_PER_REGION;
        BlockFetch fetch = new BlockFetch(origin);
        while (cursor.valid() && MetadataKeys.isExtentOf(cursor.key(), replica)) {
            long start = MetadataKeys.extentBlock(cursor.key());
            if (start >= endBlock) {
                break;
            }
            Chunk single = ExtentMap.decode(cursor.key(), cursor.value(), replica);
            long chunkStart = start / Chunk.BLOCKS * Chunk.BLOCKS;
            for (int i = 0; i < Chunk.BLOCKS; i++) {
                if (single.state(i) != Chunk.ABSENT) {
                    visitor.block(chunkStart + i, single, i);
                }
                if (single.isData(i)) {
                    int offset = (int) (chunkStart + i - firstBlock) * BlockGeometry.BLOCK_BYTES;
                    fetch.add(single, i, chunkStart + i, region, offset);
                }
            }
            cursor.next();
        }
        fill(fetch);
        return new Content(region.slice(0, lengthBytes), fetch.firstDamaged(checksum));
    }

    private void fill(BlockFetch fetch) throws IOException {
        List<BlockDevice.Piece> pieces = fetch.pieces();
        CountDownLatch open = new CountDownLatch(pieces.size());
        AtomicReference<@Nullable IOException> failure = new AtomicReference<>();
        for (BlockDevice.Piece piece : pieces) {
            device.read(List.of(piece), problem -> {
                if (problem != null) {
                    failure.set(problem);
                }
                open.countDown();
            });
        }
        try {
            open.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while reading a region", e);
        }
        IOException first = failure.get();
        if (first != null) {
            throw first;
        }
    }
}
