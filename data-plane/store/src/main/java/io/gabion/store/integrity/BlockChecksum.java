package io.gabion.store.integrity;

import io.gabion.model.BlockGeometry;
import io.gabion.model.VolumeId;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Checksum of one block: CRC32C over origin volume (16 bytes), block number (8), epoch (8), seq (8), all big-endian, and the 4096
 * bytes. So a block that was written to a wrong place, or is an older version, fails as a damaged one does. Not thread-safe.
 */
public final class BlockChecksum {
    private static final long MIX_1 = 0xbf58476d1ce4e5b9L;
    private static final long MIX_2 = 0x94d049bb133111ebL;
    private static final long STEP = 0x9e3779b97f4a7c15L;

    private static final byte[] ZEROS = new byte[BlockGeometry.BLOCK_BYTES];

    private final CRC32C crc = new CRC32C();
    private final ByteBuffer identity = ByteBuffer.allocate(40);

    /** Reads {@code bytes} from {@code at}; leaves its position alone. */
    public int of(VolumeId origin, long block, long epoch, long seq, ByteBuffer bytes, int at) {
        identity.putLong(0, origin.value().getMostSignificantBits());
        identity.putLong(8, origin.value().getLeastSignificantBits());
        identity.putLong(16, block).putLong(24, epoch).putLong(32, seq);
        crc.reset();
        crc.update(identity.array());
        crc.update(bytes.slice(at, BlockGeometry.BLOCK_BYTES));
        return (int) crc.getValue();
    }

    /**
     * The checksum that a block would have if another volume had written it: of two messages of one length that differ in their
     * first bytes only, the checksums differ by the same whatever the rest is.
     */
    public int renamed(int blockCrc, VolumeId from, VolumeId to) {
        return from.equals(to) ? blockCrc : blockCrc ^ ofName(from) ^ ofName(to);
    }

    private int ofName(VolumeId volume) {
        identity.putLong(0, volume.value().getMostSignificantBits());
        identity.putLong(8, volume.value().getLeastSignificantBits());
        identity.putLong(16, 0).putLong(24, 0).putLong(32, 0);
        crc.reset();
        crc.update(identity.array());
        crc.update(ZEROS);
        return (int) crc.getValue();
    }

    /** Plain CRC32C of a piece of a buffer, as payloads carry it. */
    public int plain(ByteBuffer bytes, int at, int length) {
        crc.reset();
        crc.update(bytes.slice(at, length));
        return (int) crc.getValue();
    }

    /** What a mapped block adds to the hash of its region. Part of the format: all members must agree. */
    public static long regionHash(long block, long epoch, long seq, int blockCrc) {
        long hash = mix(block + STEP);
        hash = mix(hash + epoch + STEP);
        hash = mix(hash + seq + STEP);
        return mix(hash + (blockCrc & 0xffff_ffffL) + STEP);
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * MIX_1;
        z = (z ^ (z >>> 27)) * MIX_2;
        return z ^ (z >>> 31);
    }
}
