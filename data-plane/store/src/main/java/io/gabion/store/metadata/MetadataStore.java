package io.gabion.store.metadata;

import java.util.Optional;

/**
 * Ordered keys (compared as unsigned bytes) with atomic batches and explicit durability: what is written is visible at once
 * and durable only after a flush that began later; a crash leaves the state after some whole batch, at least the last flushed.
 * Errors of the disk are thrown as {@link java.io.UncheckedIOException}. One thread writes; views may be read by others.
 */
public interface MetadataStore extends AutoCloseable {
    Optional<byte[]> get(byte[] key);

    void write(MetadataBatch batch);

    /** Iterates over the present state; sees writes made before its last {@link MetadataCursor#seek}. */
    MetadataCursor cursor();

    /** The state as it is now, unaffected by later writes. */
    MetadataView view();

    /** Begins to make everything written so far durable, and nothing written later; does not wait. */
    void startFlush();

    /** True while a flush that was started has not finished. Callable from any thread. */
    boolean flushPending();

    /** Makes everything durable; waits. */
    void flush();

    @Override
    void close();

    /** A fixed state. */
    interface MetadataView extends AutoCloseable {
        MetadataCursor cursor();

        @Override
        void close();
    }

    /** Position in the order of keys. */
    interface MetadataCursor extends AutoCloseable {
        /** To the first key that is not lower. */
        void seek(byte[] key);

        /** To the last key that is not higher. */
        void seekBack(byte[] key);

        /** False at the end. */
        boolean valid();

        byte[] key();

        byte[] value();

        void next();

        void previous();

        @Override
        void close();
    }
}
