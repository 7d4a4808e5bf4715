package io.gabion.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream of bytes into frames. Lengths are checked against the limits of the type before they are waited for; memory
 * is spent on bytes that arrived, or on one payload of at most {@link Frames#MAX_PAYLOAD_BYTES}. A frame that lies in one
 * piece in the input is not copied. Not thread-safe.
 */
final class FrameReader implements AutoCloseable {
    /** Receives each frame; may throw {@link WireFormatException}. */
    @FunctionalInterface
    interface Sink {
        void frame(FrameBody body);
    }

    /** First size of the buffer for a head that arrives in pieces; grows with what arrives. */
    private static final int FIRST_HEAD_BYTES = 256;

    private final ByteBufAllocator allocator;
    private final Checksums checksums = new Checksums();
    private final FrameBody body = new FrameBody(checksums);
    private final Sink sink;
    /** Role of the sender, once it is known; until then only control frames are read. */
    private @Nullable Role sender;

    private Role receiver = Role.NODE;

    /** Header and body so far, when they came in pieces. */
    private @Nullable ByteBuf head;
    /** Payload so far, when it came in pieces; then {@link #head} holds the whole head. */
    private @Nullable ByteBuf partialPayload;

    private long framesRead;
    private boolean closed;

    FrameReader(ByteBufAllocator allocator, Sink sink) {
        this.allocator = allocator;
        this.sink = sink;
    }

    /** The peer is known: what may flow between these roles is read from now on. */
    void admit(Role newSender, Role newReceiver) {
        sender = newSender;
        receiver = newReceiver;
    }

    long framesRead() {
        return framesRead;
    }

    /** Reads all of {@code in}; does not release it. Throws {@link WireFormatException}, after which nothing may be read. */
    void read(ByteBuf in) {
        while (in.isReadable() && !closed) {
            if (partialPayload != null) {
                continuePayload(in, partialPayload);
            } else if (head != null) {
                continueHead(in, head);
            } else {
                readInPlace(in);
            }
        }
    }

    private void readInPlace(ByteBuf in) {
        int start = in.readerIndex();
        int available = in.readableBytes();
        if (available < Frames.HEADER_BYTES) {
            startHead(in, Frames.HEADER_BYTES);
            return;
        }
        FrameType type = checkHeader(in, start);
        int headLength = headLength(in, start);
        if (available < headLength) {
            startHead(in, headLength);
            return;
        }
        checkBody(type, in, start);
        int payloadLength = in.getInt(start + Frames.PAYLOAD_LENGTH_AT);
        if (available - headLength < payloadLength) {
            ByteBuf kept = allocator.buffer(headLength);
            kept.writeBytes(in, headLength);
            head = kept;
            partialPayload = allocator.buffer(payloadLength, payloadLength);
            return;
        }
        in.skipBytes(headLength);
        ByteBuf payload = payloadLength == 0 ? Unpooled.EMPTY_BUFFER : in.readRetainedSlice(payloadLength);
        deliver(type, in, start, payload);
    }

    private void startHead(ByteBuf in, int wanted) {
        ByteBuf started = allocator.buffer(Math.min(wanted, Math.max(FIRST_HEAD_BYTES, in.readableBytes())));
        started.writeBytes(in);
        head = started;
    }

    private void continueHead(ByteBuf in, ByteBuf kept) {
        if (kept.readableBytes() < Frames.HEADER_BYTES) {
            append(in, kept, Frames.HEADER_BYTES);
            if (kept.readableBytes() < Frames.HEADER_BYTES) {
                return;
            }
            checkHeader(kept, 0);
        }
        int headLength = headLength(kept, 0);
        append(in, kept, headLength);
        if (kept.readableBytes() < headLength) {
            return;
        }
        FrameType type = typeOf(kept, 0);
        checkBody(type, kept, 0);
        int payloadLength = kept.getInt(Frames.PAYLOAD_LENGTH_AT);
        if (payloadLength == 0) {
            deliverKept(type, kept, Unpooled.EMPTY_BUFFER);
        } else if (in.readableBytes() >= payloadLength) {
            deliverKept(type, kept, in.readRetainedSlice(payloadLength));
        } else {
            partialPayload = allocator.buffer(payloadLength, payloadLength);
        }
    }

    private void continuePayload(ByteBuf in, ByteBuf partial) {
        int missing = partial.capacity() - partial.writerIndex();
        partial.writeBytes(in, Math.min(missing, in.readableBytes()));
        ByteBuf kept = head;
        if (partial.writerIndex() == partial.capacity() && kept != null) {
            partialPayload = null;
            deliverKept(typeOf(kept, 0), kept, partial);
        }
    }

    private static void append(ByteBuf in, ByteBuf kept, int wanted) {
        kept.writeBytes(in, Math.min(wanted - kept.readableBytes(), in.readableBytes()));
    }

    private void deliverKept(FrameType type, ByteBuf kept, ByteBuf payload) {
        head = null;
        try {
            deliver(type, kept, 0, payload);
        } finally {
            kept.release();
        }
    }

    private void deliver(FrameType type, ByteBuf buffer, int start, ByteBuf payload) {
        body.start(
                type,
                buffer,
                start + Frames.HEADER_BYTES,
                buffer.getInt(start + Frames.BODY_LENGTH_AT),
                payload,
                buffer.getInt(start + Frames.PAYLOAD_CRC_AT));
        framesRead++;
        sink.frame(body);
    }

    private static int headLength(ByteBuf buffer, int start) {
        return Frames.HEADER_BYTES + buffer.getInt(start + Frames.BODY_LENGTH_AT);
    }

    private static FrameType typeOf(ByteBuf buffer, int start) {
        int code = buffer.getUnsignedByte(start + Frames.TYPE_AT);
        FrameType type = FrameType.ofCode(code);
        if (type == null) {
            throw new WireFormatException(ProtocolFault.UNKNOWN_TYPE, String.format("frame type 0x%02x", code));
        }
        return type;
    }

    private FrameType checkHeader(ByteBuf buffer, int start) {
        int magic = buffer.getUnsignedShort(start);
        if (magic != Frames.MAGIC) {
            throw new WireFormatException(ProtocolFault.BAD_MAGIC, String.format("frame starts with 0x%04x", magic));
        }
        if (checksums.of(buffer, start, Frames.HEADER_CRC_AT) != buffer.getInt(start + Frames.HEADER_CRC_AT)) {
            throw new WireFormatException(ProtocolFault.BAD_HEADER_CHECKSUM, "wrong CRC32C of a frame header");
        }
        FrameType type = typeOf(buffer, start);
        int flags = buffer.getUnsignedByte(start + Frames.FLAGS_AT);
        if (flags != 0) {
            throw new WireFormatException(ProtocolFault.MALFORMED, type + ": unknown flags " + flags);
        }
        if (type.family() != FrameType.Family.CONTROL
                && (sender == null || !type.family().mayFlow(sender, receiver))) {
            throw new WireFormatException(
                    ProtocolFault.OUT_OF_PLACE,
                    type + (sender == null ? " before the handshake is over" : " from " + sender + " to " + receiver));
        }
        checkLength(type, "body", buffer.getInt(start + Frames.BODY_LENGTH_AT), type.maxBodyBytes());
        checkLength(type, "payload", buffer.getInt(start + Frames.PAYLOAD_LENGTH_AT), type.maxPayloadBytes());
        return type;
    }

    private static void checkLength(FrameType type, String what, int length, int limit) {
        if (length < 0 || length > limit) {
            throw new WireFormatException(
                    ProtocolFault.TOO_LONG,
                    type + ": " + what + " of " + Integer.toUnsignedString(length) + " bytes, the limit is " + limit);
        }
    }

    private void checkBody(FrameType type, ByteBuf buffer, int start) {
        int length = buffer.getInt(start + Frames.BODY_LENGTH_AT);
        if (checksums.of(buffer, start + Frames.HEADER_BYTES, length) != buffer.getInt(start + Frames.BODY_CRC_AT)) {
            throw new WireFormatException(ProtocolFault.BAD_BODY_CHECKSUM, type + ": wrong CRC32C of the body");
        }
    }

    /** Releases what is half read and reads no more; also from within the sink. */
    @Override
    public void close() {
        closed = true;
        if (head != null) {
            head.release();
            head = null;
        }
        if (partialPayload != null) {
            partialPayload.release();
            partialPayload = null;
        }
    }
}
