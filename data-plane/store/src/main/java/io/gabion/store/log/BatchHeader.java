package io.gabion.store.log;

import io.gabion.model.BlockGeometry;
import io.gabion.model.DiskId;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * Head of a batch of the log, in whole blocks; its records follow the fixed part.
 *
 * <pre>
 *   0 magic "GBNBATCH"     8 crc32c over salt and bytes 12 .. 96 + record bytes   12 format version (4)
 *  16 disk (16)           32 batch number (8)     40 open count (8)   48 crc32c of the previous batch (4)
 *  52 record count (4)    56 record bytes (4)     60 data blocks directly behind the header (4)
 *  64 durableUpTo (8): this batch and all before it were durable when this one was written
 *  72 place of the next header (8)   80 blocks of the log from there on (4)
 *  84 place of the segment behind (8)   92 its blocks (4)   96 records
 * </pre>
 */
public record BatchHeader(
        DiskId disk,
        long batch,
        long openCount,
        int previousChecksum,
        int recordCount,
        int recordBytes,
        int inlineBlocks,
        long durableUpTo,
        long nextPlace,
        int nextBlocks,
        long nextSegment,
        int nextSegmentBlocks) {
    public static final int FIXED_BYTES = 96;
    /** Bounds what one batch may say of itself, and so what recovery reads for it. */
    public static final int MAX_BLOCKS = 24;

    public static final int MAX_RECORD_BYTES = MAX_BLOCKS * BlockGeometry.BLOCK_BYTES - FIXED_BYTES;
    public static final int FORMAT_VERSION = 1;

    private static final long MAGIC = 0x47424e4241544348L;

    /** Blocks of a header with that many bytes of records. */
    public static int blocksFor(int recordBytes) {
        return (FIXED_BYTES + recordBytes + BlockGeometry.BLOCK_BYTES - 1) / BlockGeometry.BLOCK_BYTES;
    }

    public int blocks() {
        return blocksFor(recordBytes);
    }

    /** Writes the fixed part at position 0 of the buffer, where the records already stand behind it; returns the checksum. */
    public int encode(ByteBuffer out, UUID salt) {
        out.putLong(0, MAGIC).putInt(12, FORMAT_VERSION);
        out.putLong(16, disk.value().getMostSignificantBits());
        out.putLong(24, disk.value().getLeastSignificantBits());
        out.putLong(32, batch).putLong(40, openCount).putInt(48, previousChecksum);
        out.putInt(52, recordCount).putInt(56, recordBytes).putInt(60, inlineBlocks);
        out.putLong(64, durableUpTo).putLong(72, nextPlace).putInt(80, nextBlocks);
        out.putLong(84, nextSegment).putInt(92, nextSegmentBlocks);
        int checksum = checksum(out, recordBytes, salt);
        out.putInt(8, checksum);
        return checksum;
    }

    /** Reads the fixed part at position 0; checks everything but the checksum. Empty when this is no header of the disk. */
    public static Optional<BatchHeader> decode(ByteBuffer in, DiskId disk) {
        if (in.getLong(0) != MAGIC || in.getInt(12) != FORMAT_VERSION) {
            return Optional.empty();
        }
        DiskId found = new DiskId(new UUID(in.getLong(16), in.getLong(24)));
        int recordBytes = in.getInt(56);
        if (!found.equals(disk) || recordBytes < 0 || recordBytes > MAX_RECORD_BYTES) {
            return Optional.empty();
        }
        return Optional.of(new BatchHeader(
                found,
                in.getLong(32),
                in.getLong(40),
                in.getInt(48),
                in.getInt(52),
                recordBytes,
                in.getInt(60),
                in.getLong(64),
                in.getLong(72),
                in.getInt(80),
                in.getLong(84),
                in.getInt(92)));
    }

    /** Checksum that the header claims to have. */
    public static int claimedChecksum(ByteBuffer in) {
        return in.getInt(8);
    }

    /** Checksum that fixed part and records have. */
    public static int checksum(ByteBuffer bytes, int recordBytes, UUID salt) {
        ByteBuffer seed = ByteBuffer.allocate(16)
                .putLong(0, salt.getMostSignificantBits())
                .putLong(8, salt.getLeastSignificantBits());
        CRC32C crc = new CRC32C();
        crc.update(seed);
        crc.update(bytes.slice(12, FIXED_BYTES - 12 + recordBytes));
        return (int) crc.getValue();
    }

    /** Where the log stands once this batch is in it. */
    public LogPosition positionAfter(int checksum) {
        return new LogPosition(
                batch, openCount, checksum, nextPlace, nextPlace + nextBlocks, nextSegment, nextSegmentBlocks);
    }
}
