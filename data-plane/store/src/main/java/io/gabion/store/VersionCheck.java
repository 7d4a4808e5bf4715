package io.gabion.store;

import io.gabion.model.BlockGeometry;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.device.BufferPool;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ChunkHistory;
import io.gabion.store.extent.Version;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore;
import io.gabion.store.metadata.MetadataStore.MetadataCursor;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;

/**
 * Checks what snapshots and clones keep: each version is seen by one of them or waits to be collected, its content is right, and
 * the sums of the replica are.
 */
final class VersionCheck {
    private final BlockDevice device;
    private final MetadataStore metadata;
    private final Consumer<String> find;
    private final ByteBuffer buffer = BufferPool.aligned(BlockGeometry.BLOCK_BYTES);
    private long checkedBlocks;

    VersionCheck(BlockDevice device, MetadataStore metadata, Consumer<String> find) {
        this.device = device;
        this.metadata = metadata;
        this.find = find;
    }

    long checkedBlocks() {
        return checkedBlocks;
    }

    /** A replica without a head is one whose volume was deleted. */
    void check(ReplicaState replica, boolean headless) {
        int number = replica.extents().number();
        long pinned = 0;
        try (MetadataCursor cursor = metadata.cursor()) {
            cursor.seek(MetadataKeys.extentsFrom(number, 0));
            while (cursor.valid() && MetadataKeys.isExtentOf(cursor.key(), number)) {
                long chunk = MetadataKeys.extentBlock(cursor.key()) / Chunk.BLOCKS;
                ChunkHistory history = ChunkHistory.load(cursor, number, chunk);
                for (int i = 0; i < Chunk.BLOCKS; i++) {
                    List<Version> versions = history.versions(i);
                    for (int n = headless ? 0 : 1; n < versions.size(); n++) {
                        pinned += versions.get(n).data() ? 1 : 0;
                        checkVersion(replica, chunk * Chunk.BLOCKS + i, versions, n);
                    }
                }
            }
        }
        if (pinned != replica.extents().pinnedBlocks()) {
            find.accept(name(replica) + ": snapshots keep " + pinned + " blocks, "
                    + replica.extents().pinnedBlocks() + " were counted");
        }
    }

    private void checkVersion(ReplicaState replica, long block, List<Version> versions, int n) {
        Version version = versions.get(n);
        boolean seen = n == 0
                ? replica.extents().pins().seeNewest(version.epoch(), version.seq())
                : replica.extents()
                        .pins()
                        .see(
                                version.epoch(),
                                version.seq(),
                                versions.get(n - 1).epoch(),
                                versions.get(n - 1).seq());
        if (!seen && !replica.ancestry().isCollecting()) {
            find.accept(name(replica) + ": nobody sees version " + version.lsn() + " of block " + block
                    + ", and it is not being collected");
        }
        if (version.data()) {
            checkContent(replica, block, version);
        }
    }

    private void checkContent(ReplicaState replica, long block, Version version) {
        checkedBlocks++;
        BlockFetch fetch = new BlockFetch(replica.extents().origin());
        fetch.add(version, block, buffer, 0);
        fetch.readAndWait(device).forEach(bad -> find.accept(bad.reason()));
    }

    private static String name(ReplicaState replica) {
        return "volume " + replica.record().volume();
    }
}
