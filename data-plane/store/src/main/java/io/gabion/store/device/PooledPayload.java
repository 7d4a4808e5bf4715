package io.gabion.store.device;

import io.gabion.core.message.Payload;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/** A payload in a buffer of the pool, which it goes back to with the last release. */
public final class PooledPayload implements Payload {
    private final BufferPool pool;
    private final ByteBuffer buffer;
    private final int length;
    private final int crc32c;
    private final AtomicInteger references = new AtomicInteger(1);

    /** Takes the buffer over; its first {@code length} bytes are the content. */
    public PooledPayload(BufferPool pool, ByteBuffer buffer, int length, int crc32c) {
        this.pool = pool;
        this.buffer = buffer;
        this.length = length;
        this.crc32c = crc32c;
    }

    @Override
    public int length() {
        return length;
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
        return buffer.slice(0, length).asReadOnlyBuffer();
    }

    @Override
    public Payload retain() {
        if (references.getAndIncrement() <= 0) {
            throw new IllegalStateException("payload retained after its release");
        }
        return this;
    }

    @Override
    public void release() {
        int left = references.decrementAndGet();
        if (left == 0) {
            pool.giveBack(buffer);
        } else if (left < 0) {
            throw new IllegalStateException("payload released twice");
        }
    }
}
