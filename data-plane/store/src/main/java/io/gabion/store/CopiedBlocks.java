package io.gabion.store;

import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ExtentMap;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.extent.Version;
import io.gabion.store.log.Piece;
import io.gabion.store.log.StoredRecord;
import java.util.ArrayList;
import java.util.List;

/**
 * Applies blocks that came from another member: under the head, under a snapshot, or in place of content that cannot be read
 * any more. The same way live and in replay. Belongs to the owner loop.
 */
final class CopiedBlocks {
    private final ExtentMap extents;
    private final BlockAllocator allocator;
    private final IndexChanges changes;
    private long repairedBlocks;

    CopiedBlocks(ExtentMap extents, BlockAllocator allocator, IndexChanges changes) {
        this.extents = extents;
        this.allocator = allocator;
        this.changes = changes;
    }

    /** Returns what was touched. */
    List<ByteRange> copied(ReplicaState replica, StoredRecord.Copied r) {
        List<ByteRange> ranges = new ArrayList<>(r.runs().size());
        for (StoredRecord.CopiedRun run : r.runs()) {
            boolean hole = run.pieces().isEmpty();
            Lsn version = hole ? replica.extents().holeVersion(run.lsn(), ReplicaExtents.HEAD) : run.lsn();
            dropDiverged(replica, r.liveEpoch(), run, version);
            if (hole) {
                copiedHole(replica, r.liveEpoch(), run, version);
            } else {
                copiedData(replica, r.liveEpoch(), run);
            }
            ranges.add(touched(replica, run));
        }
        return ranges;
    }

    /** Returns what was touched. */
    List<ByteRange> copiedUnder(ReplicaState replica, StoredRecord.CopiedUnder r) {
        List<ByteRange> ranges = new ArrayList<>(r.runs().size());
        for (StoredRecord.CopiedRun run : r.runs()) {
            if (run.pieces().isEmpty()) {
                Lsn version = replica.extents().holeVersion(run.lsn(), r.at());
                Version hole = new Version(false, version.epoch(), version.seq(), 0, 0);
                for (long block = run.firstBlock(); block < run.firstBlock() + run.blocks(); block++) {
                    extents.putUnder(replica.extents(), block, r.at(), hole);
                }
            }
            eachBlock(run, (block, copy) -> extents.putUnder(replica.extents(), block, r.at(), copy));
            ranges.add(touched(replica, run));
        }
        changes.inheritanceOf(replica);
        return ranges;
    }

    /** Puts good content in place of what {@code chain}, the replica and what it was cloned from, has of the same version. */
    void repaired(List<ReplicaState> chain, StoredRecord.Repaired r) {
        eachBlock(r.run(), (block, copy) -> {
            for (ReplicaState replica : chain) {
                if (extents.replace(replica.extents(), block, copy)) {
                    changes.touched().add(replica);
                    changes.inheritanceOf(replica);
                    repairedBlocks++;
                    return;
                }
            }
            allocator.makePending(copy.place(), 1);
        });
    }

    /** Since the disk was opened. */
    long repairedBlocks() {
        return repairedBlocks;
    }

    private interface BlockVisitor {
        void block(long block, Version copy);
    }

    private static void eachBlock(StoredRecord.CopiedRun run, BlockVisitor visitor) {
        long block = run.firstBlock();
        for (Piece piece : run.pieces()) {
            for (int i = 0; i < piece.blocks(); i++, block++) {
                visitor.block(
                        block,
                        new Version(true, run.lsn().epoch(), run.lsn().seq(), piece.place() + i, piece.checksum(i)));
            }
        }
    }

    private ByteRange touched(ReplicaState replica, StoredRecord.CopiedRun run) {
        extents.touch(
                replica.extents(),
                run.firstBlock(),
                run.blocks(),
                run.lsn().epoch(),
                run.lsn().seq());
        return ByteRange.ofBlocks(run.firstBlock(), run.blocks());
    }

    private void copiedHole(ReplicaState replica, long liveEpoch, StoredRecord.CopiedRun run, Lsn version) {
        for (long block = run.firstBlock(); block < run.firstBlock() + run.blocks(); block++) {
            if (!cameLive(replica, block, liveEpoch, run.lsn())) {
                extents.trim(replica.extents(), block, 1, version.epoch(), version.seq());
            }
        }
    }

    private void dropDiverged(ReplicaState replica, long liveEpoch, StoredRecord.CopiedRun run, Lsn version) {
        if (!replica.extents().hasHistory()) {
            return;
        }
        for (long block = run.firstBlock(); block < run.firstBlock() + run.blocks(); block++) {
            if (!cameLive(replica, block, liveEpoch, run.lsn())) {
                extents.dropNewer(replica.extents(), block, version.epoch(), version.seq());
            }
        }
        // What clones inherit may be among the dropped.
        changes.inheritanceOf(replica);
    }

    private void copiedData(ReplicaState replica, long liveEpoch, StoredRecord.CopiedRun run) {
        eachBlock(run, (block, copy) -> {
            if (cameLive(replica, block, liveEpoch, run.lsn())) {
                allocator.makePending(copy.place(), 1);
            } else {
                extents.put(replica.extents(), block, copy.epoch(), copy.seq(), copy.place(), copy.crc());
            }
        });
    }

    /** True when the block's present version came by the live stream and is newer than the copy. */
    private boolean cameLive(ReplicaState replica, long block, long liveEpoch, Lsn copy) {
        Chunk chunk = extents.chunk(replica.extents(), block / Chunk.BLOCKS);
        int i = (int) (block % Chunk.BLOCKS);
        return chunk.isOwn(i) && chunk.epoch(i) == liveEpoch && new Lsn(chunk.epoch(i), chunk.seq(i)).isAfter(copy);
    }
}
