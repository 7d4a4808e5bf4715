package io.gabion.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** One request of the kernel; a view of the reader's buffer, valid until the next read into it. */
final class FuseRequest {
    private final MemorySegment message;

    private FuseRequest(MemorySegment message) {
        this.message = message;
    }

    /** Throws {@link IllegalArgumentException} when the message is not a request of the length that it states. */
    static FuseRequest of(MemorySegment message) {
        if (message.byteSize() < FuseProtocol.IN_HEADER_BYTES) {
            throw new IllegalArgumentException("a FUSE request of " + message.byteSize() + " bytes");
        }
        FuseRequest request = new FuseRequest(message);
        int stated = message.get(JAVA_INT_UNALIGNED, FuseProtocol.IN_LENGTH);
        if (stated != message.byteSize()) {
            throw new IllegalArgumentException(
                    "a FUSE request that says " + stated + " bytes, of " + message.byteSize());
        }
        return request;
    }

    /** The number of the request in a buffer; 0 where none was read since {@link #clear}. */
    static long uniqueOf(MemorySegment buffer) {
        return buffer.get(JAVA_LONG_UNALIGNED, FuseProtocol.IN_UNIQUE);
    }

    static void clear(MemorySegment buffer) {
        buffer.set(JAVA_LONG_UNALIGNED, FuseProtocol.IN_UNIQUE, 0);
    }

    /** The kernel waits for no answer. */
    boolean isOneWay() {
        return operation() == FuseProtocol.FORGET || operation() == FuseProtocol.BATCH_FORGET;
    }

    int operation() {
        return message.get(JAVA_INT_UNALIGNED, FuseProtocol.IN_OPERATION);
    }

    /** The number to answer under, with the mark of a request that was sent again. */
    long unique() {
        return message.get(JAVA_LONG_UNALIGNED, FuseProtocol.IN_UNIQUE);
    }

    boolean isResent() {
        return (unique() & FuseProtocol.RESENT_BIT) != 0;
    }

    long node() {
        return message.get(JAVA_LONG_UNALIGNED, FuseProtocol.IN_NODE);
    }

    /** Is there as much behind the header? */
    boolean hasBody(long bytes) {
        return message.byteSize() >= FuseProtocol.IN_HEADER_BYTES + bytes;
    }

    int bodyInt(int at) {
        return message.get(JAVA_INT_UNALIGNED, FuseProtocol.IN_HEADER_BYTES + at);
    }

    long bodyLong(int at) {
        return message.get(JAVA_LONG_UNALIGNED, FuseProtocol.IN_HEADER_BYTES + at);
    }

    MemorySegment bodySlice(long at, long length) {
        return message.asSlice(FuseProtocol.IN_HEADER_BYTES + at, length);
    }

    /** The name that ends the body, without its final zero; at most as long as the message. */
    String name() {
        MemorySegment body = message.asSlice(FuseProtocol.IN_HEADER_BYTES);
        byte[] bytes = body.toArray(ValueLayout.JAVA_BYTE);
        int length = 0;
        while (length < bytes.length && bytes[length] != 0) {
            length++;
        }
        return new String(bytes, 0, length, UTF_8);
    }
}
