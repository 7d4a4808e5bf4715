package io.gabion.csi.backend;

import static java.util.Objects.requireNonNull;

import io.gabion.model.PoolFullPolicy;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What somebody asked for.
 *
 * @param minInSync empty: the default for the number of replicas
 * @param preferLocal the primary follows the consumer
 */
public record VolumeSettings(
        long sizeBytes,
        String pool,
        int replicas,
        OptionalInt minInSync,
        PoolFullPolicy onPoolFull,
        boolean preferLocal,
        Limits limits) {

    /** Quality of service; kept, not enforced yet. */
    public record Limits(OptionalLong iops, OptionalLong bytesPerSecond) {
        public static final Limits NONE = new Limits(OptionalLong.empty(), OptionalLong.empty());
    }

    public VolumeSettings {
        requireNonNull(pool, "pool is null");
        requireNonNull(minInSync, "minInSync is null");
        requireNonNull(onPoolFull, "onPoolFull is null");
        requireNonNull(limits, "limits is null");
    }

    public VolumeSettings withSizeBytes(long newSizeBytes) {
        return new VolumeSettings(newSizeBytes, pool, replicas, minInSync, onPoolFull, preferLocal, limits);
    }
}
