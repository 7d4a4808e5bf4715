package io.gabion.store;

import io.gabion.core.message.RegionState;
import io.gabion.model.BlockGeometry;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.device.Superblock;
import io.gabion.store.extent.Bitmap;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ExtentMap;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.integrity.BlockChecksum;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore;
import io.gabion.store.metadata.MetadataStore.MetadataCursor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checks a stopped disk without changing it: superblock, log, every block's checksum, extents against the bitmap, region tables
 * against the extents, accounting of space. Run as a library; blocking.
 */
public final class StoreCheck {
    private final Superblock superblock;
    private final BlockDevice device;
    private final MetadataStore metadata;
    private final Recovery.Recovered recovered;
    private final List<String> findings = new ArrayList<>();
    private final Bitmap referenced;
    private long checkedBlocks;

    private StoreCheck(
            Superblock superblock, BlockDevice device, MetadataStore metadata, Recovery.Recovered recovered) {
        this.superblock = superblock;
        this.device = device;
        this.metadata = metadata;
        this.recovered = recovered;
        this.referenced = new Bitmap(superblock.capacityBlocks());
    }

    /** Throws {@link IOException} when the directory holds no disk, or one in use, or one that cannot be opened at all. */
    public static StoreCheckReport run(Path directory) throws IOException {
        try (StoppedDisk disk = StoppedDisk.open(directory)) {
            return run(disk.superblock(), disk.device(), disk.metadata(), disk.recovered());
        }
    }

    /** As above, for a disk that was recovered and on which nothing happens meanwhile. */
    static StoreCheckReport run(
            Superblock superblock, BlockDevice device, MetadataStore metadata, Recovery.Recovered recovered) {
        return new StoreCheck(superblock, device, metadata, recovered).run();
    }

    private StoreCheckReport run() {
        if (recovered.damaged()) {
            find("a part of the log that was durable is damaged: no replica on this disk is intact");
        }
        Map<Integer, BitSet> regions = scanExtents();
        compareBitmap(recovered.allocator());
        for (ReplicaState replica : recovered.index().replicas()) {
            checkReplica(replica, regions.getOrDefault(replica.extents().number(), new BitSet()));
        }
        VersionCheck versions = new VersionCheck(device, metadata, this::find);
        recovered.index().replicas().forEach(replica -> versions.check(replica, false));
        recovered.index().retired().forEach(replica -> versions.check(replica, true));
        checkedBlocks += versions.checkedBlocks();
        try {
            recovered.allocator().verifyAccounting();
        } catch (IllegalStateException e) {
            find(String.valueOf(e.getMessage()));
        }
        BlockAllocator space = recovered.allocator();
        return new StoreCheckReport(
                superblock.disk(),
                superblock.clean(),
                recovered.index().replicas().size(),
                recovered.replayedBatches(),
                checkedBlocks,
                new DiskSpace(
                        space.totalBlocks() * BlockGeometry.BLOCK_BYTES,
                        space.usedBlocks() * BlockGeometry.BLOCK_BYTES,
                        space.reservedBlocks() * BlockGeometry.BLOCK_BYTES,
                        space.freeBlocks() * BlockGeometry.BLOCK_BYTES,
                        space.liveBlocks() * BlockGeometry.BLOCK_BYTES),
                findings);
    }

    private void find(String finding) {
        if (findings.size() < StoreCheckReport.MAX_FINDINGS) {
            findings.add(finding);
        }
    }

    /** Notes every place that an extent refers to; returns the regions with extents per replica. */
    private Map<Integer, BitSet> scanExtents() {
        Set<Integer> known = new HashSet<>(recovered.index().deletedNumbers());
        for (ReplicaState replica : recovered.index().replicas()) {
            known.add(replica.extents().number());
        }
        for (ReplicaState replica : recovered.index().retired()) {
            known.add(replica.extents().number());
        }
        Map<Integer, BitSet> regions = new HashMap<>();
        try (MetadataCursor cursor = metadata.cursor()) {
            cursor.seek(MetadataKeys.kind('E'));
            while (cursor.valid() && cursor.key()[0] == 'E') {
                int number = MetadataKeys.number(cursor.key());
                if (!known.contains(number)) {
                    find("an extent belongs to replica number " + number + " which does not exist");
                }
                long block = MetadataKeys.extentBlock(cursor.key());
                regions.computeIfAbsent(number, n -> new BitSet()).set((int) (block / BlockGeometry.BLOCKS_PER_REGION));
                noteExtent(ExtentMap.decode(cursor.key(), cursor.value(), number), number, block);
                cursor.next();
            }
        }
        return regions;
    }

    private void noteExtent(Chunk single, int number, long block) {
        for (int i = 0; i < Chunk.BLOCKS; i++) {
            if (single.isData(i)) {
                long place = single.place(i);
                if (place < 1 || place >= recovered.allocator().reserveStart()) {
                    find("replica number " + number + " block " + block + " is at place " + place
                            + " outside the data zone");
                } else if (referenced.set(place, 1) == 0) {
                    find("two extents refer to place " + place + "; one is of replica number " + number + " block "
                            + block);
                }
            }
        }
    }

    private void compareBitmap(BlockAllocator allocator) {
        for (long place = 1; place < allocator.totalBlocks(); place++) {
            if (referenced.get(place) != allocator.isLive(place)) {
                find("place " + place
                        + (allocator.isLive(place)
                                ? " is marked as data but no extent refers to it"
                                : " is referred to by an extent but marked as free"));
            }
        }
    }

    private void checkReplica(ReplicaState replica, BitSet regions) {
        String name = "volume " + replica.record().volume();
        Map<Integer, Long> expected = new HashMap<>();
        for (RegionState region : replica.extents().regions().states()) {
            expected.put(region.region(), region.hash());
        }
        long before = checkedBlocks;
        try (MetadataCursor cursor = metadata.cursor()) {
            RegionReader reader =
                    new RegionReader(device, cursor, replica.extents().layers(ReplicaExtents.HEAD));
            for (int region = regions.nextSetBit(0); region >= 0; region = regions.nextSetBit(region + 1)) {
                long[] hash = new long[1];
                RegionReader.Content content = reader.read(region, BlockGeometry.REGION_BYTES, (block, chunk, i) -> {
                    if (chunk.isData(i)) {
                        checkedBlocks++;
                        hash[0] += BlockChecksum.regionHash(block, chunk.epoch(i), chunk.seq(i), chunk.crc(i));
                    }
                });
                content.bad().forEach(bad -> find(bad.reason()));
                Long stored = expected.remove(region);
                if ((stored == null ? 0 : stored) != hash[0]) {
                    find(name + ": the region table is wrong for region " + region);
                }
            }
        }
        expected.forEach((region, hash) -> {
            if (hash != 0) {
                find(name + ": the region table knows data in region " + region + " which has none");
            }
        });
        if (checkedBlocks - before != replica.extents().mappedBlocks()) {
            find(name + ": " + (checkedBlocks - before) + " blocks are mapped, "
                    + replica.extents().mappedBlocks() + " were counted");
        }
        if (!replica.intact()) {
            find(name + ": the replica lost something that was durable");
        }
    }
}
