package io.gabion.store.extent;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.integrity.BlockChecksum;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the extent map knows of one replica. {@code number} is its local number on this disk. */
public final class ReplicaExtents {
    private final int number;
    private final VolumeId origin;
    private final RegionTable regions = new RegionTable();
    private long mappedBlocks;
    private long pinnedBlocks;
    private boolean collecting;
    private Lsn newestClone = Lsn.ZERO;
    private Pins pins = Pins.NONE;
    private @Nullable Parent parent;

    /** Blocks that a clone does not have itself are those of another replica as of an LSN. */
    public record Parent(ReplicaExtents replica, Lsn at) {}

    public ReplicaExtents(int number, VolumeId origin) {
        this.number = number;
        this.origin = origin;
    }

    public int number() {
        return number;
    }

    public VolumeId origin() {
        return origin;
    }

    public RegionTable regions() {
        return regions;
    }

    /** Blocks that hold data. */
    public long mappedBlocks() {
        return mappedBlocks;
    }

    public void setMappedBlocks(long blocks) {
        mappedBlocks = blocks;
    }

    /** Blocks of data that only snapshots and clones see. */
    public long pinnedBlocks() {
        return pinnedBlocks;
    }

    public void setPinnedBlocks(long blocks) {
        pinnedBlocks = blocks;
    }

    public void addPinned(long blocks) {
        pinnedBlocks += blocks;
    }

    public Pins pins() {
        return pins;
    }

    public void setPins(Pins newPins) {
        pins = newPins;
    }

    public Optional<Parent> parent() {
        return Optional.ofNullable(parent);
    }

    public void setParent(Parent newParent) {
        parent = newParent;
    }

    /** Where the newest clone was taken; {@link Lsn#ZERO} without any. */
    public void setNewestClone(Lsn at) {
        newestClone = at;
    }

    /**
     * The version that a hole gets here which another member told of, for readers from {@code at} on. Of a block that it has no
     * version of, that member may have forgotten one that a clone here still reads: clones are known to this disk alone. So such
     * a hole stands right behind the newest of them, where it hides what is older from all who come later, and takes nothing from
     * the clones. Nobody compares the versions of holes.
     */
    public Lsn holeVersion(Lsn told, Lsn at) {
        boolean clonesMayRead = !newestClone.equals(Lsn.ZERO) && !told.isAfter(newestClone) && at.isAfter(newestClone);
        return clonesMayRead ? new Lsn(newestClone.epoch(), newestClone.seq() + 1) : told;
    }

    /** Whether versions that no pin sees any more may still be in the index, until collection was everywhere. */
    public void setCollecting(boolean newCollecting) {
        collecting = newCollecting;
    }

    /** True when there may be versions besides the head. Holes among them are counted nowhere. */
    public boolean hasHistory() {
        return pinnedBlocks > 0 || !pins.isEmpty() || collecting;
    }

    /** Where a reader finds blocks, nearest first: the replica itself as of {@code at}, then what it was cloned from. */
    public List<Layer> layers(Lsn at) {
        List<Layer> layers = new ArrayList<>();
        layers.add(new Layer(number, origin, at));
        for (Parent next = parent; next != null; next = next.replica().parent) {
            layers.add(new Layer(next.replica().number, next.replica().origin, next.at()));
        }
        return layers;
    }

    /** The head is the newest of everything. */
    public static final Lsn HEAD = new Lsn(Long.MAX_VALUE, Long.MAX_VALUE);

    /** A replica as of an LSN. */
    public record Layer(int replica, VolumeId origin, Lsn at) {}

    /** For recovery by a scan: counts the head of a block into sums and region table. */
    public void recount(long block, Version head) {
        regions.touch(block, 1, head.epoch(), head.seq());
        if (head.data()) {
            mappedBlocks++;
            regions.addHash(block, BlockChecksum.regionHash(block, head.epoch(), head.seq(), head.crc()));
        }
    }

    void addMapped(long blocks) {
        mappedBlocks += blocks;
    }
}
