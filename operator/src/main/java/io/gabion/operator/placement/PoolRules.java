package io.gabion.operator.placement;

import static java.util.Objects.requireNonNull;

/**
 * What a pool demands of its disks.
 *
 * @param mediaClass wanted kind of disk; empty = any
 * @param overcommitPercent volumes may promise this much of a disk's capacity
 * @param reservePercent of a disk's capacity that only rebuilds may use
 * @param mayUseReserve this wish is such a rebuild
 */
public record PoolRules(
        String name, String mediaClass, int overcommitPercent, int reservePercent, boolean mayUseReserve) {
    public PoolRules {
        requireNonNull(name, "name is null");
        requireNonNull(mediaClass, "mediaClass is null");
    }

    public PoolRules forRebuild() {
        return new PoolRules(name, mediaClass, overcommitPercent, reservePercent, true);
    }
}
