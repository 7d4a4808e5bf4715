package io.gabion.store.extent;

import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;
import io.gabion.store.metadata.MalformedMetadataException;

/**
 * Value of an extent in the index.
 *
 * <pre>
 * version (1) = 1 | flags (1) | blocks (1)
 * data:       [origin volume (16), flag 2] place (8) | crc32c per block (4 each)
 *             [key id (4), then per block nonce (12) and tag (16), flag 4]
 * tombstone (flag 1): nothing more
 * </pre>
 *
 * Flags 2 (the extent was written for another volume: clones) and 4 (sealed: encryption) are part of the format and not used yet.
 */
final class ExtentCodec {
    private static final int VERSION = 1;
    private static final int TOMBSTONE = 1;
    private static final int KNOWN_FLAGS = TOMBSTONE;

    private ExtentCodec() {}

    static byte[] encode(Chunk.Entry entry, int[] crcs) {
        BinaryOutput out = new BinaryOutput(16 + 4 * entry.blocks());
        boolean data = entry.state() == Chunk.DATA;
        out.putByte(VERSION).putByte(data ? 0 : TOMBSTONE).putByte(entry.blocks());
        if (data) {
            out.putLong(entry.place());
            for (int crc : crcs) {
                out.putInt(crc);
            }
        }
        return out.toBytes();
    }

    /** Puts a stored run that starts at block {@code start} of the chunk into it, except where the chunk has a newer version. */
    static void decode(byte[] value, int start, long epoch, long seq, Chunk chunk) {
        BinaryInput in = new BinaryInput(value);
        int version = in.getByte();
        int flags = in.getByte();
        int blocks = in.getByte();
        if (version != VERSION || (flags & ~KNOWN_FLAGS) != 0 || blocks < 1 || start + blocks > Chunk.BLOCKS) {
            throw new MalformedMetadataException(
                    "extent: version " + version + " flags " + flags + " start " + start + " blocks " + blocks);
        }
        if ((flags & TOMBSTONE) != 0) {
            for (int i = start; i < start + blocks; i++) {
                if (chunk.isOlder(i, epoch, seq)) {
                    chunk.setTombstone(i, epoch, seq);
                }
            }
            return;
        }
        long place = in.getLong();
        for (int i = 0; i < blocks; i++) {
            int crc = in.getInt();
            if (chunk.isOlder(start + i, epoch, seq)) {
                chunk.setData(start + i, epoch, seq, place + i, crc);
            }
        }
    }
}
