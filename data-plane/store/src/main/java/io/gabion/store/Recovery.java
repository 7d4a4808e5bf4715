package io.gabion.store;

import io.gabion.model.BlockGeometry;
import io.gabion.model.VolumeId;
import io.gabion.store.device.BufferPool;
import io.gabion.store.device.DeviceFile;
import io.gabion.store.device.Superblock;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ChunkHistory;
import io.gabion.store.extent.ExtentMap;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.extent.Version;
import io.gabion.store.integrity.BlockChecksum;
import io.gabion.store.log.BatchBuilder;
import io.gabion.store.log.LogPosition;
import io.gabion.store.log.LogReader;
import io.gabion.store.log.Piece;
import io.gabion.store.log.StoredRecord;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the index of a disk up to the end of its log.
 *
 * <p>Every batch says up to which one the log was durable when it was written. Batches at or below the highest of these are
 * replayed without reading their data. Of those above, data is read and compared: data that does not match ends the prefix of
 * its volume, and of no other. An invalid header ends the log, unless a later one proves that it was durable: then something
 * is lost, nobody knows of whom, and no replica of the disk is intact.
 */
final class Recovery {
    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

    private final DeviceFile file;
    private final Superblock superblock;
    private final MetadataStore metadata;
    private final BlockAllocator allocator;
    private final DiskIndex index;
    private final BlockChecksum checksum = new BlockChecksum();
    private final ByteBuffer block = BufferPool.aligned(BlockGeometry.BLOCK_BYTES);
    private final Set<VolumeId> cut = new HashSet<>();
    private long replayed;

    private Recovery(
            DeviceFile file, Superblock superblock, MetadataStore metadata, BlockAllocator allocator, DiskIndex index) {
        this.file = file;
        this.superblock = superblock;
        this.metadata = metadata;
        this.allocator = allocator;
        this.index = index;
    }

    /** What recovery leaves: everything in memory as of the end of the log. */
    record Recovered(BlockAllocator allocator, DiskIndex index, boolean damaged, long replayedBatches) {}

    /**
     * Recovers.
     *
     * @param superblock as it was found, before this opening changed it
     * @param openCount of this opening
     */
    static Recovered run(
            DeviceFile file, Superblock superblock, long openCount, MetadataStore metadata, long extentCacheBytes)
            throws IOException {
        Optional<byte[]> stored = metadata.get(MetadataKeys.applied());
        if (stored.isEmpty()) {
            throw new IOException("the index of disk " + superblock.disk()
                    + " is empty although the disk was used: format the disk anew and rebuild its replicas");
        }
        AppliedState applied = AppliedState.decode(stored.get());
        if (applied.log().batch() < superblock.lastBatch()) {
            throw new IOException("the index of disk " + superblock.disk() + " ends at batch "
                    + applied.log().batch() + " of the log, but it was durable up to " + superblock.lastBatch()
                    + ": a part of it is lost; format the disk anew and rebuild its replicas");
        }
        BlockAllocator allocator = new BlockAllocator(superblock.capacityBlocks());
        allocator.setZeroedEnd(applied.zeroedEnd());
        DiskIndex index = new DiskIndex(metadata, allocator, extentCacheBytes, applied.log());
        index.load(applied);
        Recovery recovery = new Recovery(file, superblock, metadata, allocator, index);
        boolean damaged = recovery.run(stored.get(), openCount);
        return new Recovered(allocator, index, damaged, recovery.replayed);
    }

    private boolean run(byte[] applied, long openCount) throws IOException {
        // What is found below must not vanish later: it may stand in a cache of the device only.
        file.sync();
        Optional<byte[]> checkpointed = metadata.get(MetadataKeys.checkpointed());
        if (checkpointed.isPresent() && Arrays.equals(checkpointed.get(), applied)) {
            loadBitmap();
        } else {
            LOG.info(
                    "disk {}: bitmap and region tables are not of the index's moment: scanning the index",
                    superblock.disk());
            scanIndex();
        }
        index.loadBadPlaces();
        LogPosition end = replay();
        Optional<Long> lost = lostBatch(end);
        if (lost.isPresent()) {
            LOG.error(
                    "disk {}: batch {} of the log was durable and is damaged (batch {} follows): no replica on this disk is intact",
                    superblock.disk(),
                    end.batch() + 1,
                    lost.get());
            index.damageAll();
            index.moveLog(BatchBuilder.fresh(allocator, lost.get(), openCount));
        } else {
            allocator.reserveExactly(end.place(), end.segmentEnd() - end.place());
            allocator.reserveExactly(end.nextSegment(), end.nextSegmentBlocks());
        }
        allocator.verifyAccounting();
        return lost.isPresent();
    }

    private Optional<Long> lostBatch(LogPosition end) throws IOException {
        return reader().laterBatch(end);
    }

    private LogReader reader() {
        return new LogReader(file, superblock.disk(), superblock.salt(), superblock.capacityBlocks());
    }

    private LogPosition replay() throws IOException {
        LogReader reader = reader();
        LogPosition position = index.log();
        Deque<LogReader.Batch> unproven = new ArrayDeque<>();
        for (Optional<LogReader.Batch> next = reader.next(position); next.isPresent(); next = reader.next(position)) {
            LogReader.Batch batch = next.get();
            while (!unproven.isEmpty()
                    && unproven.element().header().batch() <= batch.header().durableUpTo()) {
                apply(unproven.remove());
            }
            unproven.add(batch);
            position = batch.header().positionAfter(batch.checksum());
        }
        while (!unproven.isEmpty()) {
            applyMatching(unproven.remove());
        }
        return position;
    }

    private void apply(LogReader.Batch batch) {
        allocator.makePending(batch.place(), batch.header().blocks());
        for (int i = 0; i < batch.records().size(); i++) {
            index.apply(batch.records().get(i), batch.header().batch(), i);
        }
        index.commit(batch.header().positionAfter(batch.checksum()));
        replayed++;
    }

    /** As {@link #apply}, up to the first record of each volume whose data does not match. */
    private void applyMatching(LogReader.Batch batch) throws IOException {
        allocator.makePending(batch.place(), batch.header().blocks());
        for (int i = 0; i < batch.records().size(); i++) {
            StoredRecord record = batch.records().get(i);
            if (cut.contains(record.volume())) {
                continue;
            }
            if (dataMatches(record)) {
                index.apply(record, batch.header().batch(), i);
            } else {
                LOG.warn(
                        "disk {}: the tail of volume {} in batch {} never became durable: left out",
                        superblock.disk(),
                        record.volume(),
                        batch.header().batch());
                cut.add(record.volume());
            }
        }
        index.commit(batch.header().positionAfter(batch.checksum()));
        replayed++;
    }

    private boolean dataMatches(StoredRecord record) throws IOException {
        return switch (record) {
            case StoredRecord.Written r ->
                piecesMatch(
                        r.volume(),
                        r.range().firstBlock(),
                        r.lsn().epoch(),
                        r.lsn().seq(),
                        r.pieces());
            case StoredRecord.Copied r -> runsMatch(r.volume(), r.runs());
            case StoredRecord.CopiedUnder r -> runsMatch(r.volume(), r.runs());
            case StoredRecord.Repaired r -> runsMatch(r.origin(), List.of(r.run()));
            case StoredRecord.Trimmed _,
                    StoredRecord.SessionOpened _,
                    StoredRecord.Grown _,
                    StoredRecord.Marked _,
                    StoredRecord.ReplicaChanged _,
                    StoredRecord.ReplicaDeleted _,
                    StoredRecord.SnapshotTaken _,
                    StoredRecord.SnapshotDeleted _,
                    StoredRecord.Quarantined _ -> true;
            // A clone of what was left out never was.
            case StoredRecord.Cloned r -> !cut.contains(r.parent());
        };
    }

    private boolean runsMatch(VolumeId volume, Iterable<StoredRecord.CopiedRun> runs) throws IOException {
        for (StoredRecord.CopiedRun run : runs) {
            if (!piecesMatch(
                    volume, run.firstBlock(), run.lsn().epoch(), run.lsn().seq(), run.pieces())) {
                return false;
            }
        }
        return true;
    }

    private boolean piecesMatch(VolumeId volume, long firstBlock, long epoch, long seq, Iterable<Piece> pieces)
            throws IOException {
        long number = firstBlock;
        for (Piece piece : pieces) {
            for (int i = 0; i < piece.blocks(); i++, number++) {
                file.read((piece.place() + i) * BlockGeometry.BLOCK_BYTES, block.clear());
                if (checksum.of(volume, number, epoch, seq, block, 0) != piece.checksum(i)) {
                    return false;
                }
            }
        }
        return true;
    }

    // ---- bitmap
    private void loadBitmap() {
        try (MetadataStore.MetadataCursor cursor = metadata.cursor()) {
            for (cursor.seek(MetadataKeys.kind('B'));
                    cursor.valid() && MetadataKeys.isNumbered(cursor.key(), 'B');
                    cursor.next()) {
                allocator.loadPage(MetadataKeys.number(cursor.key()), cursor.value());
            }
        }
    }

    /** Bitmap and region hashes from the extents themselves; region history from the change log too. */
    private void scanIndex() {
        allocator.markAllDirty();
        try (MetadataStore.MetadataCursor cursor = metadata.cursor()) {
            for (ReplicaState replica : index.replicas()) {
                replica.extents().regions().clearHashes();
                scanVersions(cursor, replica, true);
                ChangeLog.touchRegions(cursor, replica);
            }
            for (ReplicaState replica : index.retired()) {
                scanVersions(cursor, replica, false);
            }
            for (int number : index.deletedNumbers()) {
                scanDeleted(cursor, number);
            }
        }
    }

    private void scanVersions(MetadataStore.MetadataCursor cursor, ReplicaState replica, boolean hasHead) {
        ReplicaExtents extents = replica.extents();
        extents.setMappedBlocks(0);
        extents.setPinnedBlocks(0);
        cursor.seek(MetadataKeys.extentsFrom(extents.number(), 0));
        while (cursor.valid() && MetadataKeys.isExtentOf(cursor.key(), extents.number())) {
            long chunk = MetadataKeys.extentBlock(cursor.key()) / Chunk.BLOCKS;
            ChunkHistory history = ChunkHistory.load(cursor, extents.number(), chunk);
            for (int i = 0; i < Chunk.BLOCKS; i++) {
                List<Version> versions = history.versions(i);
                for (int n = 0; n < versions.size(); n++) {
                    Version version = versions.get(n);
                    boolean head = hasHead && n == 0;
                    if (version.data()) {
                        allocator.makeLive(version.place(), 1);
                        extents.addPinned(head ? 0 : 1);
                    }
                    if (head) {
                        extents.recount(chunk * Chunk.BLOCKS + i, version);
                    }
                }
            }
        }
    }

    private void scanDeleted(MetadataStore.MetadataCursor cursor, int number) {
        for (cursor.seek(MetadataKeys.extentsFrom(number, 0));
                cursor.valid() && MetadataKeys.isExtentOf(cursor.key(), number);
                cursor.next()) {
            Chunk single = ExtentMap.decode(cursor.key(), cursor.value(), number);
            for (int i = 0; i < Chunk.BLOCKS; i++) {
                if (single.isData(i)) {
                    allocator.makeLive(single.place(i), 1);
                }
            }
        }
    }
}
