package io.gabion.wire;

import io.gabion.core.message.Payload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What one connection sends in one turn of its loop: frames and small payloads gathered in one buffer, so that TLS makes full
 * records of them; long payloads behind it without a copy. On the loop only.
 */
final class OutboundBatch {
    /** One TLS record; more in one buffer would be cut again. */
    private static final int BUFFER_BYTES = 16 * 1024;
    /**
     * Payloads up to this length are copied into the batch and released at once: TLS joins short buffers by copying anyway,
     * and one buffer is cheaper than many.
     */
    private static final int COPIED_PAYLOAD_BYTES = 8 * 1024;

    private final Channel channel;
    private final boolean direct;
    private final FrameWriter writer = new FrameWriter(Unpooled.EMPTY_BUFFER);
    private @Nullable ByteBuf buffer;
    private long frames;
    private long bytes;
    private boolean dirty;

    /** @param direct the TLS engine reads memory outside the heap */
    OutboundBatch(Channel channel, boolean direct) {
        this.channel = channel;
        this.direct = direct;
    }

    /**
     * Adds a frame.
     *
     * @param encoder writes exactly one whole frame; when it throws, nothing was added and payload references stay with the
     *     caller
     */
    void add(Consumer<FrameWriter> encoder) {
        ByteBuf target = buffer;
        if (target == null) {
            target = direct
                    ? channel.alloc().directBuffer(BUFFER_BYTES)
                    : channel.alloc().heapBuffer(BUFFER_BYTES);
            buffer = target;
        }
        writer.into(target);
        int before = target.writerIndex();
        try {
            encoder.accept(writer);
        } catch (RuntimeException e) {
            writer.rollBack();
            throw e;
        }
        dirty = true;
        frames++;
        bytes += target.writerIndex() - before + writer.payloadBytes();
        for (Payload payload : writer.payloads()) {
            addPayload(payload);
        }
        ByteBuf filled = buffer;
        if (filled != null && filled.readableBytes() >= BUFFER_BYTES) {
            push();
        }
    }

    private void addPayload(Payload payload) {
        ByteBuf target = buffer;
        if (target != null && payload.length() <= COPIED_PAYLOAD_BYTES) {
            target.writeBytes(payload.bytes());
            payload.release();
            return;
        }
        push();
        // A view of its own, never the buffer behind the payload: other loops may send the same payload now.
        channel.write(Unpooled.wrappedBuffer(payload.bytes())).addListener(_ -> payload.release());
    }

    /** Hands what was gathered to the channel, in order. */
    private void push() {
        ByteBuf full = buffer;
        buffer = null;
        if (full == null) {
            return;
        }
        if (full.isReadable()) {
            ChannelFuture unused = channel.write(full, channel.voidPromise());
        } else {
            full.release();
        }
    }

    /** Nothing waits for a flush. */
    boolean isEmpty() {
        return !dirty;
    }

    void flush(WireCounters counters) {
        push();
        channel.flush();
        counters.sent(frames, bytes);
        frames = 0;
        bytes = 0;
        dirty = false;
    }

    void discard() {
        if (buffer != null) {
            buffer.release();
            buffer = null;
        }
        dirty = false;
    }
}
