package io.gabion.core.message;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;

/** A payload on the heap, for tools, tests and small data. Counts its references only to catch mistakes of ownership. */
public final class HeapPayload implements Payload {
    private final byte[] content;
    private final int crc32c;
    private final AtomicInteger references = new AtomicInteger(1);

    private HeapPayload(byte[] content, int crc32c) {
        this.content = content;
        this.crc32c = crc32c;
    }

    /** Takes the array over; it must not be changed any more. */
    public static HeapPayload of(byte[] content) {
        CRC32C crc = new CRC32C();
        crc.update(content, 0, content.length);
        return new HeapPayload(content, (int) crc.getValue());
    }

    @Override
    public int length() {
        return content.length;
    }

    @Override
    public int crc32c() {
        return crc32c;
    }

    @Override
    public ByteBuffer bytes() {
        if (references.get() <= 0) {
            throw new IllegalStateException("payload used after its release");
        }
        return ByteBuffer.wrap(content).asReadOnlyBuffer();
    }

    @Override
    public HeapPayload retain() {
        if (references.getAndIncrement() <= 0) {
            throw new IllegalStateException("payload retained after its release");
        }
        return this;
    }

    @Override
    public void release() {
        if (references.decrementAndGet() < 0) {
            throw new IllegalStateException("payload released twice");
        }
    }

    /** References that are still owned; 0 when everybody has let go. */
    public int references() {
        return references.get();
    }
}
