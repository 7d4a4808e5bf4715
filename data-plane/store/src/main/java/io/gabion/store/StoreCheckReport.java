package io.gabion.store;

import io.gabion.model.DiskId;
import java.util.List;

/**
 * What a check of a stopped disk found.
 *
 * @param clean the disk was closed in good order
 * @param replayedBatches batches of the log behind the last checkpoint
 * @param checkedBlocks blocks of data that were read and compared with their checksum
 * @param findings one sentence per thing that is wrong, at most {@link #MAX_FINDINGS}; empty: the disk is sound
 */
public record StoreCheckReport(
        DiskId disk,
        boolean clean,
        int replicas,
        long replayedBatches,
        long checkedBlocks,
        DiskSpace space,
        List<String> findings) {
    /** More only repeat the same story. */
    public static final int MAX_FINDINGS = 1000;

    public StoreCheckReport {
        findings = List.copyOf(findings);
    }

    public boolean isSound() {
        return findings.isEmpty();
    }
}
