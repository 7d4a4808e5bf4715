package io.gabion.model;

import static java.util.Objects.requireNonNull;

/**
 * What the user asked for.
 *
 * @param name unique among live volumes, for people
 * @param sizeBytes multiple of {@link BlockGeometry#BLOCK_BYTES}, at least one block; only grows
 * @param replicas wanted copies, 1 to {@link #MAX_REPLICAS}
 * @param minInSync a write is acknowledged only while at least this many copies are in sync
 */
public record VolumeSpec(
        String name,
        long sizeBytes,
        int replicas,
        int minInSync,
        String pool,
        PoolFullPolicy onPoolFull,
        RecoveryPolicy recoveryPolicy) {
    public static final int MAX_REPLICAS = 5;

    public VolumeSpec {
        requireNonNull(name, "name is null");
        requireNonNull(pool, "pool is null");
        requireNonNull(onPoolFull, "onPoolFull is null");
        requireNonNull(recoveryPolicy, "recoveryPolicy is null");
        if (name.isBlank() || name.length() > 253) {
            throw new IllegalArgumentException("name must have 1 to 253 characters");
        }
        if (sizeBytes <= 0 || sizeBytes % BlockGeometry.BLOCK_BYTES != 0) {
            throw new IllegalArgumentException(
                    "size must be a positive multiple of " + BlockGeometry.BLOCK_BYTES + " bytes, not " + sizeBytes);
        }
        if (replicas < 1 || replicas > MAX_REPLICAS) {
            throw new IllegalArgumentException("replicas must be 1 to " + MAX_REPLICAS + ", not " + replicas);
        }
        if (minInSync < 1 || minInSync > replicas) {
            throw new IllegalArgumentException("minInSync must be 1 to replicas (" + replicas + "), not " + minInSync);
        }
    }

    /** The rule of thumb of the product: one copy may be missing, but never run on the last of three. */
    public static int defaultMinInSync(int replicas) {
        return replicas <= 2 ? 1 : replicas - 1;
    }

    public VolumeSpec withSizeBytes(long newSizeBytes) {
        return new VolumeSpec(name, newSizeBytes, replicas, minInSync, pool, onPoolFull, recoveryPolicy);
    }
}
