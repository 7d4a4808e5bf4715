package io.gabion.agent.nbd;

/**
 * A block device that clients can open. All methods may be called from any thread.
 *
 * <p>Every connection sees the same device: what one was told is written, the others read; so clients may spread their
 * commands over several connections.
 */
public interface BlockExport {
    /** Under which clients ask for it; at most 4096 bytes of UTF-8, never empty. */
    String name();

    /** Multiple of 4096; may grow, never shrinks. */
    long sizeBytes();

    boolean readOnly();

    /** Starts a command. The completion is called exactly once, however long it takes. */
    void submit(BlockCommand command, BlockCompletion completion);
}
