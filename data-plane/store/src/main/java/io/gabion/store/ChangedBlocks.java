package io.gabion.store;

import io.gabion.model.ByteRange;
import java.util.List;
import java.util.OptionalLong;

/**
 * A page of the blocks that changed between two points of a volume.
 *
 * @param ranges in order of offset, none touching another
 * @param next block at which the next page begins; empty: there is no more
 */
public record ChangedBlocks(List<ByteRange> ranges, OptionalLong next) {
    public ChangedBlocks {
        ranges = List.copyOf(ranges);
    }
}
