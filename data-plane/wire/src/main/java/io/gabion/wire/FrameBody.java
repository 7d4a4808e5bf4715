package io.gabion.wire;

import io.gabion.core.message.Payload;
import io.gabion.core.message.RequestId;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Body and payloads of one received frame, read field by field; every read is checked against the body's end, every count
 * against its limit and against the bytes that are there, before anything is allocated. Not thread-safe; re-used.
 */
final class FrameBody {
    private final Checksums checksums;
    private final List<Payload> handedOut = new ArrayList<>();
    private FrameType type = FrameType.KEEP_ALIVE;
    private ByteBuf body = Unpooled.EMPTY_BUFFER;
    private int at;
    private int end;
    private ByteBuf section = Unpooled.EMPTY_BUFFER;
    private int sectionCrc;
    private boolean sectionTaken;

    FrameBody(Checksums checksums) {
        this.checksums = checksums;
    }

    /**
     * Starts a frame.
     *
     * @param payloadSection all payload bytes, nothing else readable; one reference is handed over until {@link #complete}
     *     or {@link #abandon}
     */
    void start(FrameType frameType, ByteBuf buffer, int index, int length, ByteBuf payloadSection, int payloadCrc) {
        type = frameType;
        body = buffer;
        at = index;
        end = index + length;
        section = payloadSection;
        sectionCrc = payloadCrc;
        sectionTaken = false;
        handedOut.clear();
    }

    /** Everything must have been read; the payloads belong to the message from here on. */
    void complete() {
        if (at != end) {
            throw malformed((end - at) + " bytes too many in the body");
        }
        if (!sectionTaken) {
            if (section.isReadable()) {
                throw malformed(section.readableBytes() + " bytes of payload too many");
            }
            section.release();
        }
        forget();
    }

    /** Releases everything; the message is not to be used. */
    void abandon() {
        handedOut.forEach(Payload::release);
        if (!sectionTaken) {
            section.release();
        }
        forget();
    }

    private void forget() {
        handedOut.clear();
        body = Unpooled.EMPTY_BUFFER;
        section = Unpooled.EMPTY_BUFFER;
        sectionTaken = false;
    }

    FrameType type() {
        return type;
    }

    WireFormatException malformed(String detail) {
        return new WireFormatException(ProtocolFault.MALFORMED, type + ": " + detail);
    }

    private WireFormatException tooLong(String detail) {
        return new WireFormatException(ProtocolFault.TOO_LONG, type + ": " + detail);
    }

    private int take(int bytes) {
        if (end - at < bytes) {
            throw malformed("the body ends within a field");
        }
        int from = at;
        at += bytes;
        return from;
    }

    /** Skips what a later version may have added. */
    void skipRest() {
        at = end;
    }

    int u8() {
        return body.getUnsignedByte(take(Byte.BYTES));
    }

    boolean bool() {
        int value = u8();
        if (value > 1) {
            throw malformed("flag is " + value);
        }
        return value == 1;
    }

    int u16() {
        return body.getUnsignedShort(take(Short.BYTES));
    }

    int i32() {
        return body.getInt(take(Integer.BYTES));
    }

    long i64() {
        return body.getLong(take(Long.BYTES));
    }

    /** A number that is never negative. */
    long count64() {
        long value = i64();
        if (value < 0) {
            throw malformed("negative number " + value);
        }
        return value;
    }

    UUID uuid() {
        return new UUID(i64(), i64());
    }

    VolumeId volume() {
        return new VolumeId(uuid());
    }

    ReplicaId replica() {
        return new ReplicaId(uuid());
    }

    Lsn lsn() {
        return new Lsn(i64(), i64());
    }

    RequestId request() {
        return new RequestId(i64(), i64());
    }

    ByteRange range() {
        return new ByteRange(i64(), i64());
    }

    ByteRange range(int maxLength) {
        ByteRange range = range();
        if (range.length() > maxLength) {
            throw tooLong("range " + range + ", at most " + maxLength + " bytes are allowed");
        }
        return range;
    }

    SessionId session() {
        return new SessionId(i64(), i64(), uuid());
    }

    NodeName node() {
        int length = u8();
        return new NodeName(body.toString(take(length), length, StandardCharsets.US_ASCII));
    }

    String text() {
        return string(Frames.MAX_TEXT_BYTES);
    }

    String reason() {
        return string(Frames.MAX_REASON_BYTES);
    }

    private String string(int limit) {
        int length = u16();
        if (length > limit) {
            throw tooLong("text of " + length + " bytes, the limit is " + limit);
        }
        int from = take(length);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(body.nioBuffer(from, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw malformed("text is not UTF-8");
        }
    }

    /** Number of elements that follow, each of at least {@code elementBytes}. */
    int count(int limit, int elementBytes, String what) {
        int count = i32();
        if (count < 0 || count > limit) {
            throw tooLong(Integer.toUnsignedString(count) + " " + what + ", the limit is " + limit);
        }
        if ((long) count * elementBytes > end - at) {
            throw malformed(count + " " + what + " do not fit into the rest of the body");
        }
        return count;
    }

    /** All payload bytes of the frame as one payload, checked against the header's checksum. */
    Payload onlyPayload() {
        if (!section.isReadable()) {
            throw malformed("no payload");
        }
        check(section, section.readerIndex(), section.readableBytes(), sectionCrc);
        ByteBufPayload payload = ByteBufPayload.of(section, sectionCrc);
        sectionTaken = true;
        handedOut.add(payload);
        return payload;
    }

    /** The next {@code length} payload bytes as one payload, checked against the checksum that comes next in the body. */
    Payload nextPayload(int length) {
        int crc = i32();
        if (section.readableBytes() < length) {
            throw malformed("payload of " + length + " bytes, but only " + section.readableBytes() + " are left");
        }
        check(section, section.readerIndex(), length, crc);
        ByteBufPayload payload = ByteBufPayload.of(section.readRetainedSlice(length), crc);
        handedOut.add(payload);
        return payload;
    }

    private void check(ByteBuf buffer, int index, int length, int expected) {
        int found = checksums.of(buffer, index, length);
        if (found != expected) {
            throw new WireFormatException(
                    ProtocolFault.BAD_PAYLOAD_CHECKSUM,
                    String.format("%s: payload of %d bytes has CRC32C %08x, not %08x", type, length, found, expected));
        }
    }
}
