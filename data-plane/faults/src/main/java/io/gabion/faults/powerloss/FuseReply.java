package io.gabion.faults.powerloss;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;

/**
 * Builds one answer: a header of 16 bytes {length, negated error, unique}, then the body appended by the handler.
 * Reused for the next request after {@link #clear}.
 */
final class FuseReply {
    static final int HEADER_BYTES = 16;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final int BLOCK_BYTES = 4096;
    private static final int SECTOR_BYTES = 512;

    private final MemorySegment bytes;
    private int length = HEADER_BYTES;

    FuseReply(MemorySegment bytes) {
        this.bytes = bytes;
    }

    void clear() {
        length = HEADER_BYTES;
    }

    int bodyLength() {
        return length - HEADER_BYTES;
    }

    FuseReply int16(int value) {
        bytes.set(JAVA_SHORT, length, (short) value);
        length += Short.BYTES;
        return this;
    }

    FuseReply int32(int value) {
        bytes.set(JAVA_INT, length, value);
        length += Integer.BYTES;
        return this;
    }

    FuseReply int64(long value) {
        bytes.set(JAVA_LONG, length, value);
        length += Long.BYTES;
        return this;
    }

    FuseReply raw(byte[] value) {
        MemorySegment.copy(value, 0, bytes, JAVA_BYTE, length, value.length);
        length += value.length;
        return this;
    }

    FuseReply zeros(int count) {
        bytes.asSlice(length, count).fill((byte) 0);
        length += count;
        return this;
    }

    /** Room for data that the caller fills in; it is part of the body from now on. */
    MemorySegment room(int count) {
        MemorySegment room = bytes.asSlice(length, count);
        length += count;
        return room;
    }

    /** Takes back the last bytes of the body: a read that came out shorter. */
    void shorten(int count) {
        length -= count;
    }

    /** struct fuse_entry_out; nothing is cached by the kernel: names and attributes are asked for every time. */
    FuseReply entry(Node node) {
        return int64(node.id).int64(0).int64(0).int64(0).int32(0).int32(0).attributes(node);
    }

    /** struct fuse_attr_out. */
    FuseReply attributeAnswer(Node node) {
        return int64(0).int32(0).int32(0).attributes(node);
    }

    private FuseReply attributes(Node node) {
        long size = node.sizeBytes();
        long seconds = Math.floorDiv(node.modifiedNanos, NANOS_PER_SECOND);
        int nanos = (int) Math.floorMod(node.modifiedNanos, NANOS_PER_SECOND);
        int64(node.id).int64(size).int64((size + SECTOR_BYTES - 1) / SECTOR_BYTES);
        int64(seconds).int64(seconds).int64(seconds).int32(nanos).int32(nanos).int32(nanos);
        int32(node.typeBits() | node.permissions).int32(node.linkCount());
        return int32(node.uid).int32(node.gid).int32(0).int32(BLOCK_BYTES).int32(0);
    }

    /** Writes the header; an error carries no body. */
    MemorySegment finish(long unique, int errno) {
        int total = errno == 0 ? length : HEADER_BYTES;
        bytes.set(JAVA_INT, 0, total);
        bytes.set(JAVA_INT, 4, -errno);
        bytes.set(JAVA_LONG, 8, unique);
        return bytes.asSlice(0, total);
    }
}
