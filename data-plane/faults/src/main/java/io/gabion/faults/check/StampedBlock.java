package io.gabion.faults.check;

import java.nio.ByteBuffer;

/**
 * What the checker writes: every sector begins with the stamp of the write, the rest follows from stamp and address.
 *
 * <pre>
 *   sector (512 B)   0        8                                                  512
 *                    | stamp  | 63 words that only this stamp at this address has |
 *   stamp            client (16 bit) | operation (48 bit)
 * </pre>
 *
 * So a block that is older, torn, of another place or damaged is told apart from the right one.
 */
final class StampedBlock {
    static final int BLOCK_BYTES = 4096;
    private static final int SECTOR_BYTES = 512;
    private static final int OPERATION_BITS = 48;
    /** The stamp of a block of zeros: never written, or trimmed. */
    static final long ZEROS = 0;

    /** The block is not of one write: sectors of several, damaged bytes, bytes of another place. */
    static final long DAMAGED = -1;

    private StampedBlock() {}

    static long stamp(int client, long operation) {
        return (long) client << OPERATION_BITS | operation;
    }

    static int clientOf(long stamp) {
        return (int) (stamp >>> OPERATION_BITS);
    }

    static long operationOf(long stamp) {
        return stamp & ((1L << OPERATION_BITS) - 1);
    }

    /** Fills the buffer, from position to limit, with whole blocks for this offset of the volume; then flips nothing. */
    static void fill(ByteBuffer buffer, long stamp, long offset) {
        long sector = offset / SECTOR_BYTES;
        for (int at = buffer.position(); at < buffer.limit(); at += SECTOR_BYTES) {
            buffer.putLong(at, stamp);
            for (int word = 1; word < SECTOR_BYTES / Long.BYTES; word++) {
                buffer.putLong(at + word * Long.BYTES, word(stamp, sector, word));
            }
            sector++;
        }
    }

    /** Stamp of the block at {@code at} in the buffer, {@link #ZEROS} or {@link #DAMAGED}. */
    static long read(ByteBuffer buffer, int at, long offset) {
        long stamp = buffer.getLong(at);
        long firstSector = offset / SECTOR_BYTES;
        for (int sector = 0; sector < BLOCK_BYTES / SECTOR_BYTES; sector++) {
            int start = at + sector * SECTOR_BYTES;
            if (buffer.getLong(start) != stamp || !restMatches(buffer, start, stamp, firstSector + sector)) {
                return DAMAGED;
            }
        }
        return stamp;
    }

    private static boolean restMatches(ByteBuffer buffer, int start, long stamp, long sector) {
        for (int word = 1; word < SECTOR_BYTES / Long.BYTES; word++) {
            long expected = stamp == ZEROS ? 0 : word(stamp, sector, word);
            if (buffer.getLong(start + word * Long.BYTES) != expected) {
                return false;
            }
        }
        return true;
    }

    /** What the sectors of a damaged block say, for the message. */
    static String describe(ByteBuffer buffer, int at, long offset) {
        StringBuilder text = new StringBuilder("sectors");
        for (int sector = 0; sector < BLOCK_BYTES / SECTOR_BYTES; sector++) {
            int start = at + sector * SECTOR_BYTES;
            long stamp = buffer.getLong(start);
            boolean whole = restMatches(buffer, start, stamp, offset / SECTOR_BYTES + sector);
            text.append(' ').append(nameOf(stamp)).append(whole ? "" : "(damaged)");
        }
        return text.toString();
    }

    static String nameOf(long stamp) {
        return stamp == ZEROS ? "zeros" : clientOf(stamp) + "/" + operationOf(stamp);
    }

    /** The finalizer of SplitMix64: cheap, and any two inputs differ in half of the bits. */
    private static long word(long stamp, long sector, int index) {
        long mixed = stamp * 0x9E3779B97F4A7C15L + sector * 0xD1B54A32D192ED03L + index * 0x8CB92BA72F3D8DD7L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }
}
