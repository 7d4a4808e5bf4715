package io.gabion.store.log;

import io.gabion.model.BlockGeometry;
import io.gabion.model.DiskId;
import io.gabion.store.device.BufferPool;
import io.gabion.store.device.DeviceFile;
import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.MalformedMetadataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Reads batches of the log one after the other. For recovery and tools: blocking. */
public final class LogReader {
    private static final int WINDOW_BLOCKS = 256;

    private final DeviceFile file;
    private final DiskId disk;
    private final UUID salt;
    private final long totalBlocks;
    private final ByteBuffer buffer = BufferPool.aligned(BatchHeader.MAX_BLOCKS * BlockGeometry.BLOCK_BYTES);

    public LogReader(DeviceFile file, DiskId disk, UUID salt, long totalBlocks) {
        this.file = file;
        this.disk = disk;
        this.salt = salt;
        this.totalBlocks = totalBlocks;
    }

    /** A valid batch, its checksum and records. */
    public record Batch(BatchHeader header, long place, int checksum, List<StoredRecord> records) {}

    /** The batch that follows {@code position}; empty when there is no valid one: the log ends. */
    public Optional<Batch> next(LogPosition position) throws IOException {
        return at(position.place())
                .filter(batch -> batch.header().batch() == position.batch() + 1
                        && batch.header().previousChecksum() == position.checksum()
                        && batch.header().openCount() >= position.openCount());
    }

    /**
     * Looks for a batch that proves that the one missing at {@code position} was durable: any valid later one in the rest of
     * the log's segments. Returns its number, or empty.
     */
    public Optional<Long> laterBatch(LogPosition position) throws IOException {
        Optional<Long> inSegment = laterBatch(position, position.place(), position.segmentEnd());
        return inSegment.isPresent()
                ? inSegment
                : laterBatch(position, position.nextSegment(), position.nextSegment() + position.nextSegmentBlocks());
    }

    private Optional<Long> laterBatch(LogPosition position, long from, long to) throws IOException {
        ByteBuffer window = BufferPool.aligned(WINDOW_BLOCKS * BlockGeometry.BLOCK_BYTES);
        long end = Math.min(to, totalBlocks);
        for (long start = from; start < end; start += WINDOW_BLOCKS) {
            int blocks = (int) Math.min(WINDOW_BLOCKS, end - start);
            file.read(start * BlockGeometry.BLOCK_BYTES, window.clear().limit(blocks * BlockGeometry.BLOCK_BYTES));
            for (int i = 0; i < blocks; i++) {
                ByteBuffer block = window.slice(i * BlockGeometry.BLOCK_BYTES, BlockGeometry.BLOCK_BYTES);
                Optional<BatchHeader> header = BatchHeader.decode(block, disk);
                if (header.isPresent()
                        && header.get().batch() > position.batch() + 1
                        && at(start + i).isPresent()) {
                    return Optional.of(header.get().batch());
                }
            }
        }
        return Optional.empty();
    }

    /** The valid batch whose header stands at {@code place}. */
    private Optional<Batch> at(long place) throws IOException {
        if (place < 1 || place >= totalBlocks) {
            return Optional.empty();
        }
        buffer.clear().limit(BlockGeometry.BLOCK_BYTES);
        file.read(place * BlockGeometry.BLOCK_BYTES, buffer);
        Optional<BatchHeader> decoded = BatchHeader.decode(buffer, disk);
        if (decoded.isEmpty() || place + decoded.get().blocks() > totalBlocks) {
            return Optional.empty();
        }
        BatchHeader header = decoded.get();
        int blocks = header.blocks();
        if (blocks > 1) {
            buffer.limit(blocks * BlockGeometry.BLOCK_BYTES).position(BlockGeometry.BLOCK_BYTES);
            file.read((place + 1) * BlockGeometry.BLOCK_BYTES, buffer);
        }
        int checksum = BatchHeader.checksum(buffer, header.recordBytes(), salt);
        if (checksum != BatchHeader.claimedChecksum(buffer)) {
            return Optional.empty();
        }
        byte[] bytes = new byte[header.recordBytes()];
        buffer.get(BatchHeader.FIXED_BYTES, bytes);
        return Optional.of(new Batch(header, place, checksum, records(bytes, header.recordCount())));
    }

    private static List<StoredRecord> records(byte[] bytes, int count) {
        BinaryInput in = new BinaryInput(bytes);
        List<StoredRecord> records = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            records.add(StoredRecordCodec.decode(in));
        }
        if (in.remaining() != 0) {
            throw new MalformedMetadataException(in.remaining() + " bytes follow the last record of a batch");
        }
        return records;
    }
}
