package io.gabion.store;

import io.gabion.core.port.Event;
import io.gabion.model.BlockGeometry;
import io.gabion.model.VolumeId;
import io.gabion.store.extent.BlockAllocator;
import java.util.HashMap;
import java.util.Map;

/**
 * Tells replicas how much they may still write, before they do. Each gets an equal share of what is free above a watermark; the
 * shares are told again when they changed much. Belongs to the owner loop.
 */
final class SpaceCredit {
    /** This part of the disk is never promised: headers, overwritten blocks and what is on its way need room. */
    private static final int WATERMARK_DIVISOR = 32;
    /** A change by this part of what was told last is much. */
    private static final int CHANGE_DIVISOR = 8;

    private final BlockAllocator allocator;
    private final DiskIndex index;
    private final AppendPath appends;
    private final StoreEvents events;
    private final Map<VolumeId, Long> told = new HashMap<>();

    SpaceCredit(BlockAllocator allocator, DiskIndex index, AppendPath appends, StoreEvents events) {
        this.allocator = allocator;
        this.index = index;
        this.appends = appends;
        this.events = events;
    }

    /** Tells the volume its share, whatever it knows. */
    void announce(VolumeId volume) {
        if (index.find(volume).isPresent()) {
            long share = share();
            told.put(volume, share);
            events.accept(volume, new Event.SpaceAvailable(share));
        }
    }

    /** Tells the volume its share if it is news. */
    void update(VolumeId volume) {
        Long last = told.get(volume);
        long share = share();
        if (last == null || Math.abs(share - last) > last / CHANGE_DIVISOR || (share == 0 && last != 0)) {
            announce(volume);
        }
    }

    void updateAll() {
        told.keySet().removeIf(volume -> index.find(volume).isEmpty());
        for (VolumeId volume : Map.copyOf(told).keySet()) {
            update(volume);
        }
    }

    /** Bytes that each replica may still write. */
    private long share() {
        long blocks = allocator.freeBlocks() - allocator.totalBlocks() / WATERMARK_DIVISOR;
        long bytes = blocks * BlockGeometry.BLOCK_BYTES - appends.queuedDataBytes();
        return Math.max(0, bytes) / Math.max(1, index.replicas().size());
    }
}
