package io.gabion.store.device;

import io.gabion.model.BlockGeometry;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Direct buffers aligned to blocks, in powers of two from one block to {@link #LARGEST_BYTES}. Keeps at most {@code maxIdle}
 * bytes that nobody uses; what is returned beyond is left to the garbage collector. Thread-safe.
 */
public final class BufferPool {
    /** Larger ones are made on demand and not kept. */
    public static final int LARGEST_BYTES = BlockGeometry.MAX_IO_BYTES;

    private static final int SMALLEST_SHIFT = Integer.numberOfTrailingZeros(BlockGeometry.BLOCK_BYTES);
    private static final int CLASSES =
            Integer.numberOfTrailingZeros(LARGEST_BYTES) - Integer.numberOfTrailingZeros(BlockGeometry.BLOCK_BYTES) + 1;

    private final ConcurrentLinkedQueue<ByteBuffer>[] idle;
    private final AtomicLong idleBytes = new AtomicLong();
    private final long maxIdleBytes;

    @SuppressWarnings({"unchecked", "rawtypes"})
    public BufferPool(long maxIdleBytes) {
        this.maxIdleBytes = maxIdleBytes;
        this.idle = new ConcurrentLinkedQueue[CLASSES];
        for (int i = 0; i < CLASSES; i++) {
            idle[i] = new ConcurrentLinkedQueue<>();
        }
    }

    /** A buffer of at least {@code bytes}, position 0, limit {@code bytes}; its content is arbitrary. */
    public ByteBuffer take(int bytes) {
        if (bytes > LARGEST_BYTES) {
            return aligned(bytes).limit(bytes);
        }
        int sizeClass = classOf(bytes);
        ByteBuffer buffer = idle[sizeClass].poll();
        if (buffer == null) {
            buffer = aligned(1 << (sizeClass + SMALLEST_SHIFT));
        } else {
            idleBytes.addAndGet(-buffer.capacity());
        }
        return buffer.clear().limit(bytes);
    }

    /** Gives a buffer of {@link #take} back; it must not be used any more. */
    public void giveBack(ByteBuffer buffer) {
        int capacity = buffer.capacity();
        if (capacity > LARGEST_BYTES) {
            return;
        }
        if (idleBytes.addAndGet(capacity) > maxIdleBytes) {
            idleBytes.addAndGet(-capacity);
            return;
        }
        idle[classOf(capacity)].add(buffer);
    }

    public long idleBytes() {
        return idleBytes.get();
    }

    /** A new aligned buffer outside the pool. */
    public static ByteBuffer aligned(int bytes) {
        int rounded = (bytes + BlockGeometry.BLOCK_BYTES - 1) & -BlockGeometry.BLOCK_BYTES;
        return ByteBuffer.allocateDirect(rounded + BlockGeometry.BLOCK_BYTES)
                .alignedSlice(BlockGeometry.BLOCK_BYTES)
                .slice(0, rounded);
    }

    private static int classOf(int bytes) {
        if (bytes <= BlockGeometry.BLOCK_BYTES) {
            return 0;
        }
        return 32 - Integer.numberOfLeadingZeros(bytes - 1) - SMALLEST_SHIFT;
    }
}
