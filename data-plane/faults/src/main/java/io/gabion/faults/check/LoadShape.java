package io.gabion.faults.check;

/**
 * What a load does.
 *
 * @param outstanding requests in flight, 1 to 64
 * @param writePercent of the requests that write 1 to {@code maxBlocks} blocks; one in eight of them with FUA
 * @param trimPercent of the requests that trim 1 to {@code maxBlocks} blocks; one in four of them writes zeros instead
 * @param flushPercent of the requests that flush; the rest reads and checks
 * @param maxBlocks longest request in blocks of 4 KiB
 * @param maxWrittenBytes after which it only reads, so that a test can bound what a disk holds unsynced
 */
public record LoadShape(
        int outstanding, int writePercent, int trimPercent, int flushPercent, int maxBlocks, long maxWrittenBytes) {
    private static final int MAX_OUTSTANDING = 64;

    /** Sixteen requests of 4 to 64 KiB in flight: mostly writes, some trims and flushes, the rest reads. */
    public static final LoadShape MIXED = new LoadShape(16, 60, 8, 2, 16, Long.MAX_VALUE);

    public LoadShape {
        if (outstanding < 1 || outstanding > MAX_OUTSTANDING) {
            throw new IllegalArgumentException("outstanding must be 1 to " + MAX_OUTSTANDING + ": " + outstanding);
        }
        if (writePercent < 0
                || trimPercent < 0
                || flushPercent < 0
                || writePercent + trimPercent + flushPercent > 100) {
            throw new IllegalArgumentException("the shares of writes, trims and flushes are more than all");
        }
        if (maxBlocks < 1) {
            throw new IllegalArgumentException("maxBlocks must be positive: " + maxBlocks);
        }
    }

    public LoadShape withOutstanding(int count) {
        return new LoadShape(count, writePercent, trimPercent, flushPercent, maxBlocks, maxWrittenBytes);
    }

    public LoadShape withMaxWrittenBytes(long bytes) {
        return new LoadShape(outstanding, writePercent, trimPercent, flushPercent, maxBlocks, bytes);
    }
}
