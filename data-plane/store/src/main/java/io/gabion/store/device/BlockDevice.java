package io.gabion.store.device;

import io.gabion.model.BlockGeometry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Asynchronous I/O on the blocks of a disk. Two back ends: a fixed pool of threads, and (a seam, not built yet) the ring of the
 * event loop. Buffers belong to the device until the completion runs, on whatever thread the back end uses.
 */
public interface BlockDevice extends AutoCloseable {
    /** Writes all pieces, in any order, then makes them durable with one sync; completes once. */
    void writeDurably(List<Piece> pieces, Completion completion);

    /** Fills all pieces. */
    void read(List<Piece> pieces, Completion completion);

    /** Name of the back end, for logs and metrics. */
    String backend();

    /** Waits for what is in flight, then closes the file (and so gives the lock back). */
    @Override
    void close() throws IOException;

    /** Whole blocks in an aligned buffer, from its position to its limit, at block {@code block} of the disk. */
    record Piece(long block, ByteBuffer buffer) {
        public long position() {
            return block * BlockGeometry.BLOCK_BYTES;
        }
    }

    /** Told once. */
    @FunctionalInterface
    interface Completion {
        /** {@code failure} is null when everything was done. */
        void completed(@Nullable IOException failure);
    }
}
