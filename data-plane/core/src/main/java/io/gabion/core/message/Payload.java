package io.gabion.core.message;

import java.nio.ByteBuffer;

/**
 * Bytes of a write or a read that the core passes on but never looks at. Reference counted, because outside the core they
 * are slices of network buffers.
 *
 * <p>Ownership: whoever receives a message, an event or a store record owns one reference of each payload in it and must pass
 * it on or release it exactly once. An effect hands its reference over to the adapter. To use a payload twice call {@link
 * #retain()} first. Not thread-safe for content, but {@code retain} and {@code release} may be called from any thread.
 */
public interface Payload {
    /** Length in bytes, 1 to {@link io.gabion.model.BlockGeometry#MAX_IO_BYTES}. */
    int length();

    /** CRC32C of all bytes, computed where they entered the system and carried along unchanged. */
    int crc32c();

    /**
     * The bytes, position 0 to limit {@link #length()}: for adapters (store, wire, front ends) only. A view of its own, valid
     * while the caller owns a reference.
     */
    ByteBuffer bytes();

    /** Adds one reference; returns this. */
    Payload retain();

    /** Gives one reference back. The bytes must not be used by its former owner any more. */
    void release();
}
