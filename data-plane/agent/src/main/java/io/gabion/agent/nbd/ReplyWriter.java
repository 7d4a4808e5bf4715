package io.gabion.agent.nbd;

import io.gabion.core.message.ClientMessage.Extent;
import io.gabion.core.message.Payload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Replies of the transmission phase, gathered into one buffer per batch so that many small replies cost one write. On the
 * connection's event loop only.
 *
 * <pre>
 * simple:      u32 magic | u32 error | u64 cookie | data
 * structured:  u32 magic | u16 flags | u16 type | u64 cookie | u32 length | payload
 * </pre>
 */
final class ReplyWriter {
    private static final int SIMPLE_HEADER_BYTES = 16;
    private static final int STRUCTURED_HEADER_BYTES = 20;
    /** Up to here a copy into the batch is cheaper than one more entry of the gathering write. */
    private static final int COPY_LIMIT_BYTES = 16 * 1024;
    /** Largest batch buffer; a full one is written and another one begun. */
    private static final int BATCH_BYTES = 64 * 1024;

    private static final int SMALLEST_BATCH_BYTES = 512;
    /** Shorter runs of zeros are sent as data: the chunk headers and the client's work for them would cost more. */
    private static final int MIN_HOLE_BYTES = 16 * 1024;
    /** Unit in which zeros are looked for. */
    private static final int ZERO_SCAN_BYTES = 4096;

    private final ChannelHandlerContext context;
    private final boolean structured;
    private @Nullable ByteBuf batch;
    /** Room for the next batch: what the last one needed, doubled when it was too little. */
    private int nextBatchBytes = SMALLEST_BATCH_BYTES;

    ReplyWriter(ChannelHandlerContext context, boolean structured) {
        this.context = context;
        this.structured = structured;
    }

    /** Success without data. */
    void success(long cookie) {
        simpleHeader(room(SIMPLE_HEADER_BYTES), 0, cookie);
    }

    void failure(long cookie, NbdErrno error) {
        if (!structured) {
            simpleHeader(room(SIMPLE_HEADER_BYTES), error.code(), cookie);
            return;
        }
        byte[] message = error.message().getBytes(StandardCharsets.UTF_8);
        int length = 6 + message.length;
        ByteBuf out = room(STRUCTURED_HEADER_BYTES + length);
        chunkHeader(out, NbdProtocol.REPLY_FLAG_DONE, NbdProtocol.REPLY_TYPE_ERROR, cookie, length);
        out.writeInt(error.code()).writeShort(message.length).writeBytes(message);
    }

    /** The last chunk of a read whose content went before. */
    void readFinished(long cookie) {
        chunkHeader(room(STRUCTURED_HEADER_BYTES), NbdProtocol.REPLY_FLAG_DONE, NbdProtocol.REPLY_TYPE_NONE, cookie, 0);
    }

    /** The whole content of a read in one piece, from consecutive payloads; releases them. */
    void wholeRead(long cookie, long offset, int length, List<Payload> content) {
        if (structured) {
            ByteBuf out = room(STRUCTURED_HEADER_BYTES + Long.BYTES);
            int chunkLength = Long.BYTES + length;
            chunkHeader(out, NbdProtocol.REPLY_FLAG_DONE, NbdProtocol.REPLY_TYPE_OFFSET_DATA, cookie, chunkLength);
            out.writeLong(offset);
        } else {
            simpleHeader(room(SIMPLE_HEADER_BYTES), 0, cookie);
        }
        for (Payload payload : content) {
            ByteBuffer bytes = payload.bytes();
            append(payload, bytes, 0, bytes.remaining());
            payload.release();
        }
    }

    /** Part of a structured read, zeros as holes; releases the payload. {@code last} ends the reply. */
    void readChunks(long cookie, long offset, Payload payload, boolean last) {
        ByteBuffer bytes = payload.bytes();
        int length = bytes.remaining();
        int at = 0;
        while (at < length) {
            int zeros = zeroRun(bytes, at, length);
            if (zeros >= MIN_HOLE_BYTES || zeros == length) {
                ByteBuf out = room(STRUCTURED_HEADER_BYTES + Long.BYTES + Integer.BYTES);
                int flags = last && at + zeros == length ? NbdProtocol.REPLY_FLAG_DONE : 0;
                chunkHeader(out, flags, NbdProtocol.REPLY_TYPE_OFFSET_HOLE, cookie, Long.BYTES + Integer.BYTES);
                out.writeLong(offset + at).writeInt(zeros);
                at += zeros;
            } else {
                int end = dataEnd(bytes, at + zeros, length);
                ByteBuf out = room(STRUCTURED_HEADER_BYTES + Long.BYTES);
                int flags = last && end == length ? NbdProtocol.REPLY_FLAG_DONE : 0;
                int chunkLength = Long.BYTES + end - at;
                chunkHeader(out, flags, NbdProtocol.REPLY_TYPE_OFFSET_DATA, cookie, chunkLength);
                out.writeLong(offset + at);
                append(payload, bytes, at, end - at);
                at = end;
            }
        }
        payload.release();
    }

    /** The answer to a status query; a hole reads as zeros. Merges neighbours of equal state. */
    void blockStatus(long cookie, List<Extent> extents) {
        int length = Integer.BYTES + extents.size() * 2 * Integer.BYTES;
        ByteBuf out = room(STRUCTURED_HEADER_BYTES + length);
        chunkHeader(out, NbdProtocol.REPLY_FLAG_DONE, NbdProtocol.REPLY_TYPE_BLOCK_STATUS, cookie, length);
        out.writeInt(NbdProtocol.BASE_ALLOCATION_ID);
        for (Extent extent : extents) {
            out.writeInt((int) extent.lengthBytes());
            out.writeInt(extent.hole() ? NbdProtocol.STATE_HOLE | NbdProtocol.STATE_ZERO : 0);
        }
    }

    /** Hands what was gathered to the socket. */
    void flush() {
        writeBatch();
        context.flush();
    }

    /** Throws away what was gathered: the connection is gone. */
    void discard() {
        ByteBuf gathered = batch;
        batch = null;
        if (gathered != null) {
            gathered.release();
        }
    }

    private void append(Payload payload, ByteBuffer bytes, int at, int length) {
        if (length <= COPY_LIMIT_BYTES) {
            room(length).writeBytes(bytes.slice(bytes.position() + at, length));
            return;
        }
        writeBatch();
        Payload held = payload.retain();
        ByteBuf slice = Unpooled.wrappedBuffer(bytes.slice(bytes.position() + at, length));
        context.write(slice).addListener(ignored -> held.release());
    }

    private ByteBuf room(int length) {
        ByteBuf current = batch;
        if (current != null && current.writableBytes() >= length) {
            return current;
        }
        if (current != null) {
            nextBatchBytes = Math.min(BATCH_BYTES, nextBatchBytes * 2);
        }
        writeBatch();
        ByteBuf fresh = context.alloc().directBuffer(Math.max(nextBatchBytes, length));
        batch = fresh;
        return fresh;
    }

    private void writeBatch() {
        ByteBuf gathered = batch;
        batch = null;
        if (gathered != null) {
            if (gathered.readableBytes() < nextBatchBytes / 4) {
                nextBatchBytes = Math.max(SMALLEST_BATCH_BYTES, nextBatchBytes / 2);
            }
            var _ = context.write(gathered, context.voidPromise());
        }
    }

    private static void simpleHeader(ByteBuf out, int error, long cookie) {
        out.writeInt(NbdProtocol.SIMPLE_REPLY_MAGIC).writeInt(error).writeLong(cookie);
    }

    private static void chunkHeader(ByteBuf out, int flags, int type, long cookie, int length) {
        out.writeInt(NbdProtocol.STRUCTURED_REPLY_MAGIC)
                .writeShort(flags)
                .writeShort(type)
                .writeLong(cookie)
                .writeInt(length);
    }

    /** Length of the zeros from {@code from}: whole scan units, or up to the end. */
    private static int zeroRun(ByteBuffer bytes, int from, int length) {
        int at = from;
        while (at < length) {
            int unit = Math.min(ZERO_SCAN_BYTES, length - at);
            if (!isZero(bytes, at, unit)) {
                break;
            }
            at += unit;
        }
        return at - from;
    }

    /** Where the data from {@code from} ends: at the next run of zeros that is worth a hole, or at the end. */
    private static int dataEnd(ByteBuffer bytes, int from, int length) {
        int at = from;
        while (at < length) {
            int zeros = zeroRun(bytes, at, length);
            if (zeros >= MIN_HOLE_BYTES) {
                return at;
            }
            at = Math.min(length, at + zeros + ZERO_SCAN_BYTES);
        }
        return length;
    }

    private static boolean isZero(ByteBuffer bytes, int at, int length) {
        int start = bytes.position() + at;
        int i = 0;
        for (; i + Long.BYTES <= length; i += Long.BYTES) {
            if (bytes.getLong(start + i) != 0) {
                return false;
            }
        }
        for (; i < length; i++) {
            if (bytes.get(start + i) != 0) {
                return false;
            }
        }
        return true;
    }
}
