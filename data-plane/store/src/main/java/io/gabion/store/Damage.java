package io.gabion.store;

import io.gabion.core.message.BlockVersion;
import io.gabion.core.port.Event;
import java.util.List;

/**
 * Content of a replica that is not what was written, or cannot be read.
 *
 * @param version of the block, with the checksum that the index knows, as if the volume itself had written it
 * @param snapshot through which the block can be read as this version; {@link
 *     io.gabion.core.message.SnapshotPoint#HEAD}: the volume itself
 * @param place on the disk, in blocks; it is not used again
 * @param unreadable the disk refuses to read it, else it reads as something else
 */
public record Damage(BlockVersion version, long snapshot, long place, boolean unreadable, String reason) {
    /** For the replica. */
    public Event.BlocksDamaged toEvent() {
        return new Event.BlocksDamaged(snapshot, List.of(version));
    }
}
