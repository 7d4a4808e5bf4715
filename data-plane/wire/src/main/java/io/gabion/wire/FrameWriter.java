package io.gabion.wire;

import io.gabion.core.message.Payload;
import io.gabion.core.message.RequestId;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Writes one frame after the other into a buffer: {@link #begin}, the fields of the body, {@link #finish}. Payloads are only
 * collected; whoever sends the frame writes them behind it in order and owns their references. Not thread-safe.
 */
final class FrameWriter {
    private final Checksums checksums = new Checksums();
    private final List<Payload> payloads = new ArrayList<>();
    private ByteBuf out;
    private int start;
    private FrameType type = FrameType.KEEP_ALIVE;
    private int payloadBytes;
    private int payloadCrc;

    FrameWriter(ByteBuf out) {
        this.out = out;
    }

    /** The buffer that the next frames go to. */
    void into(ByteBuf buffer) {
        out = buffer;
    }

    void begin(FrameType frameType) {
        type = frameType;
        payloads.clear();
        payloadBytes = 0;
        payloadCrc = 0;
        start = out.writerIndex();
        out.writeZero(Frames.HEADER_BYTES);
    }

    /** Completes the header; throws {@link IllegalArgumentException} when the frame is longer than its type may be. */
    void finish() {
        int body = start + Frames.HEADER_BYTES;
        int bodyLength = out.writerIndex() - body;
        if (bodyLength > type.maxBodyBytes()) {
            throw new IllegalArgumentException(type + " has a body of " + bodyLength + " bytes, the limit is "
                    + type.maxBodyBytes() + ": split the message");
        }
        if (payloadBytes > type.maxPayloadBytes()) {
            throw new IllegalArgumentException(type + " carries " + payloadBytes + " bytes of payload, the limit is "
                    + type.maxPayloadBytes() + ": split the message");
        }
        out.setShort(start, Frames.MAGIC);
        out.setByte(start + Frames.TYPE_AT, type.code());
        out.setByte(start + Frames.FLAGS_AT, 0);
        out.setInt(start + Frames.BODY_LENGTH_AT, bodyLength);
        out.setInt(start + Frames.PAYLOAD_LENGTH_AT, payloadBytes);
        out.setInt(start + Frames.PAYLOAD_CRC_AT, payloadCrc);
        out.setInt(start + Frames.BODY_CRC_AT, checksums.of(out, body, bodyLength));
        out.setInt(start + Frames.HEADER_CRC_AT, checksums.of(out, start, Frames.HEADER_CRC_AT));
    }

    /** Takes back what was written since {@link #begin}. */
    void rollBack() {
        out.writerIndex(start);
        payloads.clear();
    }

    /** Payloads of the frame that was finished last, in their order; valid until the next {@link #begin}. */
    List<Payload> payloads() {
        return payloads;
    }

    int payloadBytes() {
        return payloadBytes;
    }

    // ---- fields
    FrameWriter u8(int value) {
        out.writeByte(value);
        return this;
    }

    FrameWriter bool(boolean value) {
        out.writeByte(value ? 1 : 0);
        return this;
    }

    FrameWriter u16(int value) {
        out.writeShort(value);
        return this;
    }

    FrameWriter i32(int value) {
        out.writeInt(value);
        return this;
    }

    FrameWriter i64(long value) {
        out.writeLong(value);
        return this;
    }

    FrameWriter uuid(UUID value) {
        out.writeLong(value.getMostSignificantBits());
        out.writeLong(value.getLeastSignificantBits());
        return this;
    }

    FrameWriter lsn(Lsn lsn) {
        return i64(lsn.epoch()).i64(lsn.seq());
    }

    FrameWriter request(RequestId request) {
        return i64(request.generation()).i64(request.number());
    }

    FrameWriter range(ByteRange range) {
        return i64(range.offset()).i64(range.length());
    }

    FrameWriter session(SessionId session) {
        return i64(session.generation()).i64(session.connection()).uuid(session.instance());
    }

    FrameWriter node(NodeName node) {
        byte[] bytes = node.value().getBytes(StandardCharsets.US_ASCII);
        out.writeByte(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    /** Text that is an identity or a name: never cut. */
    FrameWriter text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > Frames.MAX_TEXT_BYTES) {
            throw new IllegalArgumentException(
                    type + " holds a name of " + bytes.length + " bytes, the limit is " + Frames.MAX_TEXT_BYTES);
        }
        out.writeShort(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    /** Text for people: cut at the last whole character that fits. */
    FrameWriter reason(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(bytes.length, Frames.MAX_REASON_BYTES);
        if (length < bytes.length) {
            while (length > 0 && (bytes[length] & 0xC0) == 0x80) {
                length--;
            }
        }
        out.writeShort(length);
        out.writeBytes(bytes, 0, length);
        return this;
    }

    FrameWriter count(int count, int limit, String what) {
        if (count > limit) {
            throw new IllegalArgumentException(
                    type + " holds " + count + " " + what + ", the limit is " + limit + ": split the message");
        }
        return i32(count);
    }

    /** The only payload of the frame; its checksum goes into the header. */
    FrameWriter onlyPayload(Payload payload) {
        payloads.add(payload);
        payloadBytes = payload.length();
        payloadCrc = payload.crc32c();
        return this;
    }

    /** One of several payloads; its checksum goes into the body. */
    FrameWriter nextPayload(Payload payload) {
        payloads.add(payload);
        // At most MAX_RUNS payloads of MAX_PAYLOAD_BYTES each: the sum may pass 2^31, hence the exact addition.
        payloadBytes = Math.addExact(payloadBytes, payload.length());
        return i32(payload.crc32c());
    }
}
