package io.gabion.store.extent;

/** A fixed number of bits with searches for runs. Not thread-safe. */
public final class Bitmap {
    private final long[] words;
    private final long bits;

    public Bitmap(long bits) {
        this.bits = bits;
        this.words = new long[Math.toIntExact((bits + 63) >>> 6)];
    }

    public boolean get(long bit) {
        return (words[(int) (bit >>> 6)] & (1L << (bit & 63))) != 0;
    }

    /** Sets {@code count} bits; returns how many were clear before. */
    public long set(long from, long count) {
        long changed = 0;
        for (long bit = from; bit < from + count; ) {
            int word = (int) (bit >>> 6);
            long mask = mask(bit, from + count);
            changed += Long.bitCount(mask & ~words[word]);
            words[word] |= mask;
            bit = (long) (word + 1) << 6;
        }
        return changed;
    }

    /** Clears {@code count} bits; returns how many were set before. */
    public long clear(long from, long count) {
        long changed = 0;
        for (long bit = from; bit < from + count; ) {
            int word = (int) (bit >>> 6);
            long mask = mask(bit, from + count);
            changed += Long.bitCount(mask & words[word]);
            words[word] &= ~mask;
            bit = (long) (word + 1) << 6;
        }
        return changed;
    }

    /** Set bits in {@code [from, to)}. */
    public long count(long from, long to) {
        long found = 0;
        for (long bit = from; bit < to; ) {
            int word = (int) (bit >>> 6);
            found += Long.bitCount(words[word] & mask(bit, to));
            bit = (long) (word + 1) << 6;
        }
        return found;
    }

    /** First clear bit in {@code [from, to)}, or {@code to}. */
    public long nextClear(long from, long to) {
        for (long bit = from; bit < to; ) {
            int word = (int) (bit >>> 6);
            long candidates = ~words[word] & mask(bit, to);
            if (candidates != 0) {
                return ((long) word << 6) + Long.numberOfTrailingZeros(candidates);
            }
            bit = (long) (word + 1) << 6;
        }
        return to;
    }

    /** First set bit in {@code [from, to)}, or {@code to}. */
    public long nextSet(long from, long to) {
        for (long bit = from; bit < to; ) {
            int word = (int) (bit >>> 6);
            long candidates = words[word] & mask(bit, to);
            if (candidates != 0) {
                return ((long) word << 6) + Long.numberOfTrailingZeros(candidates);
            }
            bit = (long) (word + 1) << 6;
        }
        return to;
    }

    public long bits() {
        return bits;
    }

    /** Word {@code index} of 64 bits, lowest bit first. */
    long word(int index) {
        return index < words.length ? words[index] : 0;
    }

    void setWord(int index, long value) {
        if (index < words.length) {
            words[index] = value;
        }
    }

    /** Bits of the word of {@code bit} from there up to, not including, {@code end}. */
    private static long mask(long bit, long end) {
        long mask = -1L << (bit & 63);
        long wordEnd = ((bit >>> 6) + 1) << 6;
        return end >= wordEnd ? mask : mask & (-1L >>> (wordEnd - end));
    }
}
