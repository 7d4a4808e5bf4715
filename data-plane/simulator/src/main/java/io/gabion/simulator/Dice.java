package io.gabion.simulator;

import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;

/** The only source of chance in a run. Not thread-safe. */
public final class Dice {
    private final SplittableRandom random;

    public Dice(long seed) {
        this(new SplittableRandom(seed));
    }

    private Dice(SplittableRandom random) {
        this.random = random;
    }

    /** A stream of its own, so that more draws in one part of the simulation do not change every other part. */
    public Dice split() {
        return new Dice(random.split());
    }

    /** {@code low <= result <= high}. */
    public long between(long low, long high) {
        return low >= high ? low : random.nextLong(low, high + 1);
    }

    /** {@code 0 <= result < bound}. */
    public int below(int bound) {
        return random.nextInt(bound);
    }

    public boolean chance(double probability) {
        return probability > 0 && random.nextDouble() < probability;
    }

    /** Exponentially distributed around {@code mean}, at most ten times as long. */
    public long around(long mean) {
        double drawn = -Math.log(1 - random.nextDouble()) * mean;
        return (long) Math.min(drawn, 10.0 * mean);
    }

    public <T> T pick(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    public long nextLong() {
        return random.nextLong();
    }

    public UUID uuid() {
        return new UUID(random.nextLong(), random.nextLong());
    }
}
