package io.gabion.store;

import io.gabion.core.port.Event;
import io.gabion.model.BlockGeometry;
import io.gabion.model.VolumeId;
import io.gabion.store.extent.BlockAllocator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

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
    private final Set<VolumeId> told = new HashSet<>();
    private long lastShare;

    SpaceCredit(BlockAllocator allocator, DiskIndex index, AppendPath appends, StoreEvents events) {
        this.allocator = allocator;
        this.index = index;
        this.appends = appends;
        this.events = events;
    }

    /** Tells the volume its share, whatever it knows. */
    void announce(VolumeId volume) {
        if (index.find(volume).isPresent()) {
            told.add(volume);
            events.accept(volume, new Event.SpaceAvailable(share()));
        }
    }

    /** After a batch of these volumes: tells everybody when the share changed much, and those that know nothing yet. */
    void update(Iterable<VolumeId> volumes) {
        for (VolumeId volume : volumes) {
            if (!told.contains(volume)) {
                announce(volume);
            }
        }
        long share = share();
        if (Math.abs(share - lastShare) > lastShare / CHANGE_DIVISOR || (share == 0 && lastShare != 0)) {
            updateAll();
        }
    }

    void updateAll() {
        lastShare = share();
        told.removeIf(volume -> index.find(volume).isEmpty());
        List.copyOf(told).forEach(this::announce);
    }

    /** True when nobody may write. */
    boolean isExhausted() {
        return share() == 0;
    }

    /** Bytes that volumes and their snapshots can hold together before writes have to wait. */
    long limitBytes() {
        long blocks = allocator.totalBlocks() - allocator.reservedBlocks() - watermark();
        return Math.max(0, blocks) * BlockGeometry.BLOCK_BYTES;
    }

    private long watermark() {
        return allocator.totalBlocks() / WATERMARK_DIVISOR;
    }

    /** Bytes that each replica may still write. */
    private long share() {
        long blocks = allocator.freeBlocks() - watermark();
        long bytes = blocks * BlockGeometry.BLOCK_BYTES - appends.queuedDataBytes();
        return Math.max(0, bytes) / Math.max(1, index.replicas().size());
    }
}
