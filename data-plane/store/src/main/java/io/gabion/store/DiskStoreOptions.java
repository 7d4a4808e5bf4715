package io.gabion.store;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * How to open a disk.
 *
 * @param directory of the disk
 * @param capacityBytes size when the disk is formatted; later the superblock's counts
 * @param bootId of the machine: another one than the superblock's, without a clean shutdown between, means lost memory
 * @param mayFormat an empty directory is formatted; without it an empty directory is refused
 * @param recordedOpenCount of the disk in the configuration store, if known: a lower one in the superblock means that the disk
 *     was rolled back or copied
 * @param lockWait how long to wait for another holder of the disk's lock
 * @param checkpointBytes bytes written to the log between two checkpoints; bounds the time of opening
 * @param indexCacheBytes cache of the index
 * @param extentCacheBytes heap for resolved chunks
 * @param bufferPoolBytes idle direct memory kept for reads
 * @param zeroFillBytes step in which the data file is filled ahead; 0: never
 */
public record DiskStoreOptions(
        Path directory,
        long capacityBytes,
        ClusterId cluster,
        NodeName node,
        UUID bootId,
        Backend backend,
        String pool,
        boolean mayFormat,
        OptionalLong recordedOpenCount,
        Duration lockWait,
        long checkpointBytes,
        long indexCacheBytes,
        long extentCacheBytes,
        long bufferPoolBytes,
        long zeroFillBytes) {
    /** Which way I/O takes. */
    public enum Backend {
        /** The best that works here. */
        AUTO,
        /** io_uring on the event loop: not built yet. */
        RING,
        /** A pool of threads. */
        THREADS
    }

    public static final long MIN_CAPACITY_BYTES = 16L << 20;

    public DiskStoreOptions {
        requireNonNull(directory, "directory is null");
        requireNonNull(cluster, "cluster is null");
        requireNonNull(node, "node is null");
        requireNonNull(bootId, "bootId is null");
        requireNonNull(backend, "backend is null");
        requireNonNull(pool, "pool is null");
        requireNonNull(recordedOpenCount, "recordedOpenCount is null");
        requireNonNull(lockWait, "lockWait is null");
        if (capacityBytes < MIN_CAPACITY_BYTES) {
            throw new IllegalArgumentException(
                    "capacityBytes must be at least " + MIN_CAPACITY_BYTES + ", not " + capacityBytes);
        }
        if (backend == Backend.RING) {
            throw new IllegalArgumentException("backend RING is not available in this version: use AUTO or THREADS");
        }
    }

    /** Sensible values for everything that has one. */
    public static DiskStoreOptions of(
            Path directory, long capacityBytes, ClusterId cluster, NodeName node, UUID bootId) {
        return new DiskStoreOptions(
                directory,
                capacityBytes,
                cluster,
                node,
                bootId,
                Backend.AUTO,
                "default",
                true,
                OptionalLong.empty(),
                Duration.ofSeconds(30),
                256L << 20,
                32L << 20,
                48L << 20,
                32L << 20,
                256L << 20);
    }

    public DiskStoreOptions withPool(String newPool) {
        return new DiskStoreOptions(
                directory,
                capacityBytes,
                cluster,
                node,
                bootId,
                backend,
                newPool,
                mayFormat,
                recordedOpenCount,
                lockWait,
                checkpointBytes,
                indexCacheBytes,
                extentCacheBytes,
                bufferPoolBytes,
                zeroFillBytes);
    }

    public DiskStoreOptions withBackend(Backend newBackend) {
        return new DiskStoreOptions(
                directory,
                capacityBytes,
                cluster,
                node,
                bootId,
                newBackend,
                pool,
                mayFormat,
                recordedOpenCount,
                lockWait,
                checkpointBytes,
                indexCacheBytes,
                extentCacheBytes,
                bufferPoolBytes,
                zeroFillBytes);
    }

    public DiskStoreOptions withMayFormat(boolean newMayFormat) {
        return new DiskStoreOptions(
                directory,
                capacityBytes,
                cluster,
                node,
                bootId,
                backend,
                pool,
                newMayFormat,
                recordedOpenCount,
                lockWait,
                checkpointBytes,
                indexCacheBytes,
                extentCacheBytes,
                bufferPoolBytes,
                zeroFillBytes);
    }

    public DiskStoreOptions withRecordedOpenCount(long count) {
        return new DiskStoreOptions(
                directory,
                capacityBytes,
                cluster,
                node,
                bootId,
                backend,
                pool,
                mayFormat,
                OptionalLong.of(count),
                lockWait,
                checkpointBytes,
                indexCacheBytes,
                extentCacheBytes,
                bufferPoolBytes,
                zeroFillBytes);
    }

    public DiskStoreOptions withLockWait(Duration newLockWait) {
        return new DiskStoreOptions(
                directory,
                capacityBytes,
                cluster,
                node,
                bootId,
                backend,
                pool,
                mayFormat,
                recordedOpenCount,
                newLockWait,
                checkpointBytes,
                indexCacheBytes,
                extentCacheBytes,
                bufferPoolBytes,
                zeroFillBytes);
    }

    /** Sizes of caches and steps; see the components. */
    public DiskStoreOptions withSizes(
            long newCheckpointBytes, long newIndexCacheBytes, long newExtentCacheBytes, long newZeroFillBytes) {
        return new DiskStoreOptions(
                directory,
                capacityBytes,
                cluster,
                node,
                bootId,
                backend,
                pool,
                mayFormat,
                recordedOpenCount,
                lockWait,
                newCheckpointBytes,
                newIndexCacheBytes,
                newExtentCacheBytes,
                bufferPoolBytes,
                newZeroFillBytes);
    }
}
