package io.gabion.faults.powerloss;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * One request as the kernel wrote it.
 *
 * <pre>
 *   0        4        8          16        24    28    32    36           40
 *   | length | opcode | unique   | node id | uid | gid | pid | extensions | body ...
 * </pre>
 *
 * Offsets given to the accessors count from the start of the body. The request owns no memory: it is valid until its
 * reader reads the next one; {@link #copy} makes one that outlives it.
 */
record FuseRequest(MemorySegment bytes) {
    static final int HEADER_BYTES = 40;

    int opcode() {
        return bytes.get(JAVA_INT, 4);
    }

    long unique() {
        return bytes.get(JAVA_LONG, 8);
    }

    long nodeId() {
        return bytes.get(JAVA_LONG, 16);
    }

    int uid() {
        return bytes.get(JAVA_INT, 24);
    }

    int gid() {
        return bytes.get(JAVA_INT, 28);
    }

    int int32(int offset) {
        return bytes.get(JAVA_INT, HEADER_BYTES + offset);
    }

    long int64(int offset) {
        return bytes.get(JAVA_LONG, HEADER_BYTES + offset);
    }

    /** The zero-terminated string at the offset. */
    String string(int offset) {
        return bytes.getString(HEADER_BYTES + offset, StandardCharsets.UTF_8);
    }

    /** The second of two zero-terminated strings. */
    String stringAfter(int offset) {
        long end = (long) HEADER_BYTES + offset;
        while (bytes.get(JAVA_BYTE, end) != 0) {
            end++;
        }
        return bytes.getString(end + 1, StandardCharsets.UTF_8);
    }

    MemorySegment data(int offset, int length) {
        return bytes.asSlice(HEADER_BYTES + offset, length);
    }

    FuseRequest copy() {
        MemorySegment kept = Arena.ofAuto().allocate(bytes.byteSize(), Long.BYTES);
        kept.copyFrom(bytes);
        return new FuseRequest(kept);
    }
}
