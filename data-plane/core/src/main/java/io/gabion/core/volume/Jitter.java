package io.gabion.core.volume;

/** Small seeded generator (SplitMix64): the same seed gives the same sequence, for ever and everywhere. */
final class Jitter {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private long state;

    Jitter(long seed) {
        state = seed;
    }

    long nextLong() {
        state += GAMMA;
        long z = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** At least 0, less than {@code bound}, which must be positive. */
    long below(long bound) {
        return Math.floorMod(nextLong(), bound);
    }
}
