package io.gabion.store.device;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The data file of a disk: blocking, positional, whole 4 KiB blocks in aligned direct buffers. The seam where tests put files
 * that lose what was not synced. May be used by several threads at once.
 */
public interface DeviceFile extends AutoCloseable {
    /** Fills the buffer from its position to its limit. */
    void read(long position, ByteBuffer target) throws IOException;

    /** Writes the buffer from its position to its limit; durable only after {@link #sync()}. */
    void write(long position, ByteBuffer source) throws IOException;

    /** Everything whose write returned before is durable. A failure means that it may be lost and must not be retried. */
    void sync() throws IOException;

    @Override
    void close() throws IOException;
}
