package io.gabion.csi.backend;

import io.gabion.model.NodeName;
import java.util.OptionalInt;

/**
 * A pool.
 *
 * @param defaultReplicas empty: the product's default
 */
public record StoredPool(String name, OptionalInt defaultReplicas, OptionalInt defaultMinInSync) {

    /** What one storage node may still promise: copies of volumes may sum up to it. */
    public record Room(NodeName node, String domain, long promisableBytes) {}
}
