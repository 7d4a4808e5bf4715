package io.gabion.model;

import static java.util.Objects.requireNonNull;

/**
 * What a cloned volume held when it began: the content of a snapshot of another volume.
 *
 * @param volume the other volume
 * @param snapshot number of the snapshot, from 1
 * @param at where the snapshot was taken; every version that the clone inherits is at or before it
 */
public record VolumeOrigin(VolumeId volume, long snapshot, Lsn at) {
    public VolumeOrigin {
        requireNonNull(volume, "volume is null");
        requireNonNull(at, "at is null");
        if (snapshot < 1) {
            throw new IllegalArgumentException("snapshots are numbered from 1: " + snapshot);
        }
    }
}
