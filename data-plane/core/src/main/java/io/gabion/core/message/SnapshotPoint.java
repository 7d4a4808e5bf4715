package io.gabion.core.message;

import static java.util.Objects.requireNonNull;

import io.gabion.model.Lsn;

/** A snapshot of the volume: what it held right after operation {@code lsn}. */
public record SnapshotPoint(long number, Lsn lsn) {
    /** Stands for the volume itself where a number of a snapshot is expected. */
    public static final long HEAD = 0;

    public SnapshotPoint {
        requireNonNull(lsn, "lsn is null");
        if (number <= HEAD) {
            throw new IllegalArgumentException("snapshots are numbered from 1: " + number);
        }
    }
}
