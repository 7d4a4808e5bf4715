package io.gabion.model;

import static java.util.Objects.requireNonNull;

/**
 * The one record of a disk in the configuration store.
 *
 * @param openCount raised at every opening, first in the superblock, then here; a disk whose superblock is lower was rolled
 *     back or copied
 * @param version one higher at every change; what a swap compares
 */
public record DiskRecord(DiskId id, ClusterId cluster, NodeName node, String pool, long openCount, long version) {
    public DiskRecord {
        requireNonNull(id, "id is null");
        requireNonNull(cluster, "cluster is null");
        requireNonNull(node, "node is null");
        requireNonNull(pool, "pool is null");
    }
}
