package io.gabion.store.extent;

import io.gabion.core.message.RegionState;
import io.gabion.model.BlockGeometry;
import io.gabion.model.Lsn;
import io.gabion.store.integrity.BlockChecksum;
import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Per region of 1 MiB of one replica: highest LSN of an operation that touched it, and the sum of the hashes of its mapped
 * blocks. In pages of {@link #PAGE_REGIONS}, of which only touched ones exist. Belongs to the owner loop.
 */
public final class RegionTable {
    public static final int PAGE_REGIONS = 128;
    private static final int LONGS_PER_REGION = 3;

    private final TreeMap<Integer, long[]> pages = new TreeMap<>();
    private final BitSet dirty = new BitSet();

    private long[] page(int region) {
        int number = region / PAGE_REGIONS;
        dirty.set(number);
        return pages.computeIfAbsent(number, n -> new long[PAGE_REGIONS * LONGS_PER_REGION]);
    }

    /** Adds to the hash of the region of {@code block}; take away by adding the negated hash. */
    void addHash(long block, long hash) {
        int region = (int) (block / BlockGeometry.BLOCKS_PER_REGION);
        page(region)[(region % PAGE_REGIONS) * LONGS_PER_REGION + 2] += hash;
    }

    /** An operation touched these blocks. */
    public void touch(long firstBlock, long blocks, long epoch, long seq) {
        int last = (int) ((firstBlock + blocks - 1) / BlockGeometry.BLOCKS_PER_REGION);
        for (int region = (int) (firstBlock / BlockGeometry.BLOCKS_PER_REGION); region <= last; region++) {
            long[] page = page(region);
            int at = (region % PAGE_REGIONS) * LONGS_PER_REGION;
            if (epoch > page[at] || (epoch == page[at] && seq > page[at + 1])) {
                page[at] = epoch;
                page[at + 1] = seq;
            }
        }
    }

    /** Counts a version that a reader of the table's moment finds in the block. */
    public void add(long block, Version version) {
        touch(block, 1, version.epoch(), version.seq());
        if (version.data()) {
            addHash(block, BlockChecksum.regionHash(block, version.epoch(), version.seq(), version.crc()));
        }
    }

    /** All regions that have data or history. */
    public List<RegionState> states() {
        List<RegionState> states = new ArrayList<>();
        for (Map.Entry<Integer, long[]> entry : pages.entrySet()) {
            long[] page = entry.getValue();
            for (int i = 0; i < PAGE_REGIONS; i++) {
                int at = i * LONGS_PER_REGION;
                if ((page[at] | page[at + 1] | page[at + 2]) != 0) {
                    states.add(new RegionState(
                            entry.getKey() * PAGE_REGIONS + i, new Lsn(page[at], page[at + 1]), page[at + 2]));
                }
            }
        }
        return states;
    }

    /** Hash of one region. */
    public long hash(int region) {
        long[] page = pages.get(region / PAGE_REGIONS);
        return page == null ? 0 : page[(region % PAGE_REGIONS) * LONGS_PER_REGION + 2];
    }

    /** Hands out the pages that changed since the last call. */
    public void takeDirtyPages(BlockAllocator.PageVisitor visitor) {
        for (int number = dirty.nextSetBit(0); number >= 0; number = dirty.nextSetBit(number + 1)) {
            long[] page = pages.get(number);
            if (page != null) {
                BinaryOutput out = new BinaryOutput(page.length * Long.BYTES);
                for (long value : page) {
                    out.putLong(value);
                }
                visitor.page(number, out.toBytes());
            }
        }
        dirty.clear();
    }

    /** For recovery. */
    public void loadPage(int number, byte[] content) {
        BinaryInput in = new BinaryInput(content);
        long[] page = new long[PAGE_REGIONS * LONGS_PER_REGION];
        for (int i = 0; i < page.length; i++) {
            page[i] = in.getLong();
        }
        pages.put(number, page);
    }

    /** For recovery from an index whose pages are of another time: forgets the hashes, keeps the history. */
    public void clearHashes() {
        for (Map.Entry<Integer, long[]> entry : pages.entrySet()) {
            long[] page = entry.getValue();
            for (int i = 2; i < page.length; i += LONGS_PER_REGION) {
                page[i] = 0;
            }
            dirty.set(entry.getKey());
        }
    }
}
