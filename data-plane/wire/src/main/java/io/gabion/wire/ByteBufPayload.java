package io.gabion.wire;

import io.gabion.core.message.Payload;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** A payload in a (slice of a) Netty buffer; its references are the buffer's. */
public final class ByteBufPayload implements Payload {
    private final ByteBuf buffer;
    private final int crc32c;

    private ByteBufPayload(ByteBuf buffer, int crc32c) {
        this.buffer = buffer;
        this.crc32c = crc32c;
    }

    /** Takes over one reference of the buffer and all its readable bytes, which must not be changed any more. */
    public static ByteBufPayload of(ByteBuf buffer) {
        return new ByteBufPayload(buffer, checksum(buffer.nioBuffer()));
    }

    /** The same for bytes whose CRC32C is known to the caller. */
    public static ByteBufPayload of(ByteBuf buffer, int crc32c) {
        return new ByteBufPayload(buffer, crc32c);
    }

    static int checksum(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    @Override
    public int length() {
        return buffer.readableBytes();
    }

    @Override
    public int crc32c() {
        return crc32c;
    }

    @Override
    public ByteBuffer bytes() {
        return buffer.nioBuffer();
    }

    /** The buffer itself, without a reference of its own: reader and writer index must not be moved. */
    public ByteBuf buffer() {
        return buffer;
    }

    @Override
    public ByteBufPayload retain() {
        buffer.retain();
        return this;
    }

    @Override
    public void release() {
        buffer.release();
    }
}
