package io.gabion.simulator.disk;

import io.gabion.model.Lsn;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One block as the disk knows it: its version and its sectors, none for a hole. Immutable by agreement. */
final class StoredBlock {
    static final StoredBlock NEVER_WRITTEN = new StoredBlock(Lsn.ZERO, null);

    private final Lsn lsn;
    private final long @Nullable [] stamps;

    StoredBlock(Lsn lsn, long @Nullable [] stamps) {
        this.lsn = lsn;
        this.stamps = stamps;
    }

    Lsn lsn() {
        return lsn;
    }

    boolean isHole() {
        return stamps == null;
    }

    /** The sector stamps; zeros for a hole. */
    long[] stamps() {
        return stamps == null ? new long[StampPayload.STAMPS_PER_BLOCK] : stamps;
    }

    int checksum() {
        return StampPayload.checksum(stamps());
    }

    /** Adds to the region's hash; holes add nothing. */
    long hash(long block) {
        if (stamps == null) {
            return 0;
        }
        long mixed = block * 0x9e3779b97f4a7c15L ^ Long.rotateLeft(lsn.epoch(), 40) ^ lsn.seq();
        mixed = (mixed ^ (mixed >>> 31)) * 0xbf58476d1ce4e5b9L ^ checksum();
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return mixed ^ (mixed >>> 31);
    }

    boolean sameContent(StoredBlock other) {
        return Arrays.equals(stamps(), other.stamps()) && isHole() == other.isHole();
    }

    @Override
    public String toString() {
        return lsn + (stamps == null ? ":hole" : ":" + Long.toHexString(stamps[0]));
    }
}
