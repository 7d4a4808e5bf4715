package io.gabion.faults.powerloss;

/**
 * How a power-loss file system works.
 *
 * @param threads that read requests from the kernel, 1 to 64; operations that a fault delays do not occupy them
 * @param unsyncedLimitBytes above this much unsynced data in memory the file that is being written is written back, as
 *     a kernel with too many dirty pages does; tests that count on losing data stay below
 * @param alignedDirectIo whether O_DIRECT reads and writes that are not aligned to 512 bytes are refused with EINVAL
 */
public record PowerLossOptions(int threads, long unsyncedLimitBytes, boolean alignedDirectIo) {
    private static final int MAXIMUM_THREADS = 64;

    /** Six threads, 96 MiB (three of them fit a test heap of 768 MiB), alignment as a disk wants it. */
    public static final PowerLossOptions DEFAULT = new PowerLossOptions(6, 96L << 20, true);

    public PowerLossOptions {
        if (threads < 1 || threads > MAXIMUM_THREADS) {
            throw new IllegalArgumentException("threads must be 1 to " + MAXIMUM_THREADS + " but is " + threads);
        }
        if (unsyncedLimitBytes < 0) {
            throw new IllegalArgumentException("unsyncedLimitBytes is negative: " + unsyncedLimitBytes);
        }
    }
}
