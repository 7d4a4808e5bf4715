package io.gabion.store.extent;

import io.gabion.model.VolumeId;
import io.gabion.store.integrity.BlockChecksum;

/** What the extent map knows of one replica. {@code number} is its local number on this disk. */
public final class ReplicaExtents {
    private final int number;
    private final VolumeId origin;
    private final RegionTable regions = new RegionTable();
    private long mappedBlocks;

    public ReplicaExtents(int number, VolumeId origin) {
        this.number = number;
        this.origin = origin;
    }

    public int number() {
        return number;
    }

    public VolumeId origin() {
        return origin;
    }

    public RegionTable regions() {
        return regions;
    }

    /** Blocks that hold data. */
    public long mappedBlocks() {
        return mappedBlocks;
    }

    public void setMappedBlocks(long blocks) {
        mappedBlocks = blocks;
    }

    /** For recovery by a scan: counts block {@code i} of a chunk into sums and region table. */
    public void recount(long block, Chunk chunk, int i) {
        if (chunk.state(i) != Chunk.ABSENT) {
            regions.touch(block, 1, chunk.epoch(i), chunk.seq(i));
        }
        if (chunk.isData(i)) {
            mappedBlocks++;
            regions.addHash(block, BlockChecksum.regionHash(block, chunk.epoch(i), chunk.seq(i), chunk.crc(i)));
        }
    }

    void addMapped(long blocks) {
        mappedBlocks += blocks;
    }
}
