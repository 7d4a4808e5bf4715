package io.gabion.store.log;

/** Consecutive blocks of data at consecutive places of the disk, with the checksum of each. */
public final class Piece {
    private final long place;
    private final int[] checksums;

    /** Takes the array over. */
    public Piece(long place, int[] checksums) {
        this.place = place;
        this.checksums = checksums;
    }

    public long place() {
        return place;
    }

    public int blocks() {
        return checksums.length;
    }

    public int checksum(int i) {
        return checksums[i];
    }

    @Override
    public String toString() {
        return place + "+" + checksums.length;
    }
}
