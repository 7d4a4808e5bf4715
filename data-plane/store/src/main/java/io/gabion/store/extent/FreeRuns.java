package io.gabion.store.extent;

/**
 * How scattered the free blocks of a disk's main zone are.
 *
 * @param runs of consecutive free blocks
 * @param blocks in all of them
 * @param longest blocks of the longest
 */
public record FreeRuns(long runs, long blocks, long longest) {
    /** Mean length of a run in blocks; 0 when nothing is free. */
    public double mean() {
        return runs == 0 ? 0 : (double) blocks / runs;
    }
}
