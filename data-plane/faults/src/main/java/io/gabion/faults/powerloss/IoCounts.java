package io.gabion.faults.powerloss;

/**
 * What a power-loss file system has done since it was mounted.
 *
 * @param reads read operations
 * @param writes write operations, as the kernel sent them: at most 1 MiB each
 * @param syncs fsync, fdatasync and writes that sync
 * @param bytesRead bytes answered
 * @param bytesWritten bytes accepted
 * @param swallowed writes answered as done but not done
 * @param ignoredSyncs syncs answered as done but not done
 * @param failed operations that an injected fault failed
 * @param writtenBack files made durable without a sync because too much was held in memory
 * @param unsyncedBytes bytes held in memory at this moment
 */
public record IoCounts(
        long reads,
        long writes,
        long syncs,
        long bytesRead,
        long bytesWritten,
        long swallowed,
        long ignoredSyncs,
        long failed,
        long writtenBack,
        long unsyncedBytes) {}
