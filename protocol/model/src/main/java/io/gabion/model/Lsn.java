package io.gabion.model;

/**
 * Position of one operation in the history of a volume: the epoch in which the primary ordered it and its place in that
 * epoch. {@code seq} is contiguous from 1 within an epoch; {@link #ZERO} stands before every operation. Ordered by epoch,
 * then by seq.
 */
public record Lsn(long epoch, long seq) implements Comparable<Lsn> {
    /** Before the first operation; also the version of a block that was never written. */
    public static final Lsn ZERO = new Lsn(0, 0);

    public Lsn {
        if (epoch < 0 || seq < 0) {
            throw new IllegalArgumentException("epoch and seq must not be negative: " + epoch + "." + seq);
        }
    }

    public boolean isAfter(Lsn other) {
        return compareTo(other) > 0;
    }

    public static Lsn max(Lsn a, Lsn b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    @Override
    public int compareTo(Lsn other) {
        int byEpoch = Long.compare(epoch, other.epoch);
        return byEpoch != 0 ? byEpoch : Long.compare(seq, other.seq);
    }

    @Override
    public String toString() {
        return epoch + "." + seq;
    }
}
