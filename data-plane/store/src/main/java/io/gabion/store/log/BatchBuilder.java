package io.gabion.store.log;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.Payload;
import io.gabion.core.port.LogRecord;
import io.gabion.model.BlockGeometry;
import io.gabion.model.DiskId;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.device.BufferPool;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.Run;
import io.gabion.store.integrity.BlockChecksum;
import io.gabion.store.metadata.BinaryOutput;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Turns records into a batch: gives their data a place (directly behind the header in the same run whenever it fits), copies it
 * once into the batch's buffer, computes checksums, encodes the header. One batch at a time: the buffer is used again for the
 * next. Belongs to the owner loop.
 */
public final class BatchBuilder {
    /** Data of one batch: more does not make it more efficient, and one sync waits for all of it. */
    public static final int MAX_DATA_BLOCKS = 2 * BlockGeometry.MAX_IO_BYTES / BlockGeometry.BLOCK_BYTES;

    /** A segment is left when fewer blocks than the largest header needs would remain. */
    private static final int LEAST_REMAINING = BatchHeader.MAX_BLOCKS;
    /** Shortest run worth a segment. */
    private static final int LEAST_SEGMENT = 2 * BatchHeader.MAX_BLOCKS;

    private static final int MAX_SEGMENT = 1024;
    private static final int PIECE_BYTES = 13;
    private static final int RUN_BYTES = 32;

    private final DiskId disk;
    private final UUID salt;
    private final long openCount;
    private final BlockAllocator allocator;
    private final Origins origins;
    private final int segmentBlocks;
    private final ByteBuffer buffer =
            BufferPool.aligned((MAX_DATA_BLOCKS + BatchHeader.MAX_BLOCKS) * BlockGeometry.BLOCK_BYTES);
    private final BlockChecksum checksum = new BlockChecksum();
    private final BinaryOutput records = new BinaryOutput(BatchHeader.MAX_RECORD_BYTES);
    private final BinaryOutput scratch = new BinaryOutput(1024);

    /** Knows under whose name a version of a volume's blocks was written: the volume's own, or that of one it was cloned from. */
    @FunctionalInterface
    public interface Origins {
        /** The volume itself when nobody has the version. */
        VolumeId of(VolumeId volume, BlockRun run);
    }

    public BatchBuilder(DiskId disk, UUID salt, long openCount, BlockAllocator allocator, Origins origins) {
        this.disk = disk;
        this.origins = origins;
        this.salt = salt;
        this.openCount = openCount;
        this.allocator = allocator;
        this.segmentBlocks = segmentBlocks(allocator);
    }

    private static int segmentBlocks(BlockAllocator allocator) {
        return Math.clamp(allocator.reserveStart() / 64, LEAST_SEGMENT, MAX_SEGMENT);
    }

    /** A record on its way into the log. */
    public sealed interface Item {
        /** Its data needs a place. */
        record Change(VolumeId volume, LogRecord record) implements Item {}

        /** Brings no data. */
        record Ready(StoredRecord.DataFree record) implements Item {}
    }

    /** A batch ready to be written. The log stands at {@code after} once it is durable. */
    public record Batch(
            List<StoredRecord> records,
            List<BlockDevice.Piece> pieces,
            long headerPlace,
            int headerBlocks,
            int dataBlocks,
            LogPosition after) {
        public Batch {
            records = List.copyOf(records);
            pieces = List.copyOf(pieces);
        }
    }

    /** A position for a disk whose log is empty, or whose last segments must not be used again. */
    public static LogPosition fresh(BlockAllocator allocator, long lastBatch, long openCount) {
        int blocks = segmentBlocks(allocator);
        Run first = allocator.reserveSegment(blocks, LEAST_SEGMENT).orElseThrow(BatchBuilder::logFull);
        Run second = allocator.reserveSegment(blocks, LEAST_SEGMENT).orElseThrow(BatchBuilder::logFull);
        return new LogPosition(lastBatch, openCount, 0, first.start(), first.end(), second.start(), second.blocks());
    }

    private static IllegalStateException logFull() {
        return new IllegalStateException("no room for the log");
    }

    /** Blocks of data that the item brings. */
    public static int dataBlocks(Item item) {
        return switch (item) {
            case Item.Change change -> dataBlocks(change.record());
            case Item.Ready _ -> 0;
        };
    }

    /** Most bytes that the item can take in a header, however scattered its data. */
    public int maxRecordBytes(Item item) {
        return recordBytes(item, Integer.MAX_VALUE);
    }

    private int recordBytes(Item item, int piecesPerPayload) {
        return switch (item) {
            case Item.Change change -> recordBytes(change.record(), piecesPerPayload);
            case Item.Ready ready -> {
                scratch.clear();
                StoredRecordCodec.encode(ready.record(), scratch);
                yield scratch.size();
            }
        };
    }

    /** Blocks of data that the record brings. */
    private static int dataBlocks(LogRecord record) {
        return switch (record) {
            case LogRecord.Written r -> r.payload().length() / BlockGeometry.BLOCK_BYTES;
            case LogRecord.Copied r -> copiedBlocks(r.runs());
            case LogRecord.CopiedUnder r -> copiedBlocks(r.runs());
            case LogRecord.Repaired r -> r.run().blocks();
            case LogRecord.Trimmed _,
                    LogRecord.SessionOpened _,
                    LogRecord.Grown _,
                    LogRecord.Marked _,
                    LogRecord.SnapshotTaken _,
                    LogRecord.SnapshotDeleted _,
                    LogRecord.ReplicaChanged _,
                    LogRecord.ReplicaDeleted _ -> 0;
        };
    }

    private static int copiedBlocks(List<BlockRun> runs) {
        int blocks = 0;
        for (BlockRun run : runs) {
            blocks += run.payload().isPresent() ? run.blocks() : 0;
        }
        return blocks;
    }

    private int recordBytes(LogRecord record, int piecesPerPayload) {
        return switch (record) {
            case LogRecord.Written r -> 85 + payloadBytes(r.payload(), piecesPerPayload);
            case LogRecord.Trimmed _ -> 81;
            case LogRecord.SessionOpened _ -> 65;
            case LogRecord.Grown _ -> 41;
            case LogRecord.Marked _ -> 33;
            case LogRecord.SnapshotTaken _, LogRecord.SnapshotDeleted _ -> 41;
            case LogRecord.Copied r -> 29 + runBytes(r.runs(), piecesPerPayload);
            case LogRecord.CopiedUnder r -> 45 + runBytes(r.runs(), piecesPerPayload);
            case LogRecord.Repaired r -> 33 + runBytes(List.of(r.run()), piecesPerPayload);
            case LogRecord.ReplicaChanged r -> {
                scratch.clear();
                ReplicaRecordCodec.encode(r.record(), scratch);
                yield 17 + scratch.size();
            }
            case LogRecord.ReplicaDeleted _ -> 17;
        };
    }

    private static int runBytes(List<BlockRun> runs, int piecesPerPayload) {
        int bytes = 0;
        for (BlockRun run : runs) {
            bytes += RUN_BYTES;
            if (run.payload().isPresent()) {
                bytes += payloadBytes(run.payload().get(), piecesPerPayload);
            }
        }
        return bytes;
    }

    private static int payloadBytes(Payload payload, int pieces) {
        int blocks = payload.length() / BlockGeometry.BLOCK_BYTES;
        return PIECE_BYTES * Math.min(pieces, blocks) + Integer.BYTES * blocks;
    }

    /**
     * Builds the batch that follows {@code position}; empty when there is no room on the disk, in which case nothing changed.
     * The payloads are read, not released.
     */
    public Optional<Batch> build(LogPosition position, List<Item> items) {
        int dataBlocks = 0;
        int inlineBytes = 0;
        for (Item item : items) {
            dataBlocks += dataBlocks(item);
            inlineBytes += recordBytes(item, 1);
        }
        int headerBlocks = BatchHeader.blocksFor(inlineBytes);
        boolean inline = position.place() + headerBlocks + dataBlocks <= position.segmentEnd()
                && (dataBlocks == 0 || !allocator.inReserveZone(position.place()));
        List<Run> places;
        if (inline) {
            places = dataBlocks == 0 ? List.of() : List.of(new Run(position.place() + headerBlocks, dataBlocks));
        } else {
            Optional<List<Run>> elsewhere = allocator.reservePieces(dataBlocks);
            if (elsewhere.isEmpty()) {
                return Optional.empty();
            }
            places = elsewhere.get();
            // Each additional run can cut one more payload in two.
            headerBlocks = BatchHeader.blocksFor(inlineBytes + PIECE_BYTES * (places.size() - 1));
        }
        long end = position.place() + headerBlocks + (inline ? dataBlocks : 0);
        Optional<LogPosition> next = nextPlace(position, end);
        if (next.isEmpty()) {
            if (!inline) {
                places.forEach(run -> allocator.unreserve(run.start(), run.blocks()));
            }
            return Optional.empty();
        }
        List<StoredRecord> stored = fill(items, places, headerBlocks);
        int headerChecksum = encodeHeader(position, next.get(), stored.size(), inline ? dataBlocks : 0, headerBlocks);
        LogPosition after = new LogPosition(
                position.batch() + 1,
                openCount,
                headerChecksum,
                next.get().place(),
                next.get().segmentEnd(),
                next.get().nextSegment(),
                next.get().nextSegmentBlocks());
        List<BlockDevice.Piece> pieces = slices(position.place(), headerBlocks, inline, places);
        return Optional.of(new Batch(stored, pieces, position.place(), headerBlocks, dataBlocks, after));
    }

    /** Where the next header goes when this batch ends at {@code end}; only the places count. */
    private Optional<LogPosition> nextPlace(LogPosition position, long end) {
        if (position.segmentEnd() - end >= LEAST_REMAINING) {
            return Optional.of(new LogPosition(
                    0, 0, 0, end, position.segmentEnd(), position.nextSegment(), position.nextSegmentBlocks()));
        }
        Optional<Run> segment = allocator.reserveSegment(segmentBlocks, LEAST_SEGMENT);
        if (segment.isEmpty()) {
            return Optional.empty();
        }
        if (position.segmentEnd() > end) {
            allocator.unreserve(end, position.segmentEnd() - end);
        }
        return Optional.of(new LogPosition(
                0,
                0,
                0,
                position.nextSegment(),
                position.nextSegment() + position.nextSegmentBlocks(),
                segment.get().start(),
                segment.get().blocks()));
    }

    private int encodeHeader(LogPosition position, LogPosition next, int count, int inlineBlocks, int headerBlocks) {
        int recordBytes = records.size();
        if (BatchHeader.blocksFor(recordBytes) > headerBlocks) {
            throw new IllegalStateException(
                    "records take " + recordBytes + " bytes, more than " + headerBlocks + " blocks");
        }
        int padding = (headerBlocks * BlockGeometry.BLOCK_BYTES) - BatchHeader.FIXED_BYTES - recordBytes;
        buffer.clear();
        buffer.put(BatchHeader.FIXED_BYTES, records.array(), 0, recordBytes);
        buffer.put(BatchHeader.FIXED_BYTES + recordBytes, new byte[padding]);
        BatchHeader header = new BatchHeader(
                disk,
                position.batch() + 1,
                openCount,
                position.checksum(),
                count,
                recordBytes,
                inlineBlocks,
                position.batch(),
                next.place(),
                (int) (next.segmentEnd() - next.place()),
                next.nextSegment(),
                next.nextSegmentBlocks());
        return header.encode(buffer, salt);
    }

    private List<BlockDevice.Piece> slices(long headerPlace, int headerBlocks, boolean inline, List<Run> places) {
        List<BlockDevice.Piece> pieces = new ArrayList<>();
        if (inline) {
            int blocks =
                    headerBlocks + (places.isEmpty() ? 0 : places.getFirst().blocks());
            pieces.add(new BlockDevice.Piece(headerPlace, slice(0, blocks)));
            return pieces;
        }
        pieces.add(new BlockDevice.Piece(headerPlace, slice(0, headerBlocks)));
        int at = headerBlocks;
        for (Run run : places) {
            pieces.add(new BlockDevice.Piece(run.start(), slice(at, run.blocks())));
            at += run.blocks();
        }
        return pieces;
    }

    private ByteBuffer slice(int firstBlock, int blocks) {
        return buffer.slice(firstBlock * BlockGeometry.BLOCK_BYTES, blocks * BlockGeometry.BLOCK_BYTES);
    }

    // ---- data
    private List<StoredRecord> fill(List<Item> items, List<Run> places, int headerBlocks) {
        records.clear();
        List<StoredRecord> stored = new ArrayList<>(items.size());
        Placement placement = new Placement(places, headerBlocks);
        for (Item item : items) {
            StoredRecord record =
                    switch (item) {
                        case Item.Change change -> store(change.volume(), change.record(), placement);
                        case Item.Ready ready -> ready.record();
                    };
            StoredRecordCodec.encode(record, records);
            stored.add(record);
        }
        return stored;
    }

    private StoredRecord store(VolumeId volume, LogRecord record, Placement placement) {
        return switch (record) {
            case LogRecord.Written r ->
                new StoredRecord.Written(
                        volume,
                        r.lsn(),
                        r.committed(),
                        r.range(),
                        r.request(),
                        placement.place(volume, r.range().firstBlock(), r.lsn(), r.payload()));
            case LogRecord.Trimmed r ->
                new StoredRecord.Trimmed(volume, r.lsn(), r.committed(), r.range(), r.request());
            case LogRecord.SessionOpened r -> new StoredRecord.SessionOpened(volume, r.lsn(), r.session());
            case LogRecord.Grown r -> new StoredRecord.Grown(volume, r.lsn(), r.sizeBytes());
            case LogRecord.Marked r -> new StoredRecord.Marked(volume, r.lsn());
            case LogRecord.SnapshotTaken r -> new StoredRecord.SnapshotTaken(volume, r.lsn(), r.number());
            case LogRecord.SnapshotDeleted r -> new StoredRecord.SnapshotDeleted(volume, r.lsn(), r.number());
            case LogRecord.Copied r ->
                new StoredRecord.Copied(volume, r.liveEpoch(), copiedRuns(volume, r.runs(), placement));
            case LogRecord.CopiedUnder r ->
                new StoredRecord.CopiedUnder(volume, r.liveEpoch(), r.at(), copiedRuns(volume, r.runs(), placement));
            case LogRecord.Repaired r -> {
                VolumeId origin = origins.of(volume, r.run());
                yield new StoredRecord.Repaired(
                        volume,
                        origin,
                        copiedRuns(origin, List.of(r.run()), placement).getFirst());
            }
            case LogRecord.ReplicaChanged r -> new StoredRecord.ReplicaChanged(volume, r.record());
            case LogRecord.ReplicaDeleted _ -> new StoredRecord.ReplicaDeleted(volume);
        };
    }

    private static List<StoredRecord.CopiedRun> copiedRuns(VolumeId volume, List<BlockRun> runs, Placement placement) {
        List<StoredRecord.CopiedRun> stored = new ArrayList<>(runs.size());
        for (BlockRun run : runs) {
            List<Piece> pieces = run.payload().isEmpty()
                    ? List.of()
                    : placement.place(
                            volume, run.firstBlock(), run.lsn(), run.payload().get());
            stored.add(new StoredRecord.CopiedRun(run.firstBlock(), run.blocks(), run.lsn(), pieces));
        }
        return stored;
    }

    /** Hands out places and buffer space in order. */
    private final class Placement {
        private final List<Run> places;
        private int bufferBlock;
        private int run;
        private int usedOfRun;

        Placement(List<Run> places, int headerBlocks) {
            this.places = places;
            this.bufferBlock = headerBlocks;
        }

        List<Piece> place(VolumeId volume, long firstBlock, Lsn lsn, Payload payload) {
            int at = bufferBlock * BlockGeometry.BLOCK_BYTES;
            int blocks = payload.length() / BlockGeometry.BLOCK_BYTES;
            buffer.put(at, payload.bytes(), 0, payload.length());
            if (checksum.plain(buffer, at, payload.length()) != payload.crc32c()) {
                throw new IllegalStateException("payload for " + volume + " block " + firstBlock
                        + " does not match its checksum: damaged in memory");
            }
            bufferBlock += blocks;
            List<Piece> pieces = new ArrayList<>(1);
            for (int done = 0; done < blocks; ) {
                Run from = places.get(run);
                int count = Math.min(blocks - done, from.blocks() - usedOfRun);
                int[] checksums = new int[count];
                for (int i = 0; i < count; i++) {
                    int offset = at + (done + i) * BlockGeometry.BLOCK_BYTES;
                    checksums[i] = checksum.of(volume, firstBlock + done + i, lsn.epoch(), lsn.seq(), buffer, offset);
                }
                pieces.add(new Piece(from.start() + usedOfRun, checksums));
                done += count;
                usedOfRun += count;
                if (usedOfRun == from.blocks()) {
                    run++;
                    usedOfRun = 0;
                }
            }
            return pieces;
        }
    }
}
