package io.gabion.csi.backend;

import io.gabion.model.NodeName;
import java.util.List;
import java.util.OptionalInt;

/**
 * A pool and what may still be promised from it.
 *
 * @param defaultReplicas empty: the product's default
 */
public record StoredPool(String name, OptionalInt defaultReplicas, OptionalInt defaultMinInSync, List<Room> rooms) {

    /** What one storage node may still promise: copies of volumes may sum up to it. */
    public record Room(NodeName node, String domain, long promisableBytes) {}

    public StoredPool {
        rooms = List.copyOf(rooms);
    }
}
