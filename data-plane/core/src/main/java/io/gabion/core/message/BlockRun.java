package io.gabion.core.message;

import io.gabion.model.BlockGeometry;
import io.gabion.model.Lsn;
import java.util.Optional;

/**
 * Consecutive blocks that were last changed by the same operation, with their content; an empty payload is a hole. A hole
 * that was never written has version {@link Lsn#ZERO}.
 */
public record BlockRun(long firstBlock, int blocks, Lsn lsn, Optional<Payload> payload) {
    public BlockRun {
        if (firstBlock < 0 || blocks < 1) {
            throw new IllegalArgumentException("run of " + blocks + " blocks at " + firstBlock);
        }
        int expectedBytes = blocks * BlockGeometry.BLOCK_BYTES;
        if (payload.isPresent() && payload.get().length() != expectedBytes) {
            throw new IllegalArgumentException(
                    "run of " + blocks + " blocks carries " + payload.get().length() + " bytes");
        }
    }
}
