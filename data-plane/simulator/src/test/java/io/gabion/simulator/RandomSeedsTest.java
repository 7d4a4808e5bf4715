package io.gabion.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Seeds at random, each another cluster, load and mixture of faults. A failing one is printed; `Simulate --seed N` shows its trace. */
class RandomSeedsTest {
    private static final int SEEDS = 60;
    private static final int MANY_SEEDS = 1000;
    private static final long BUDGET_NANOS = TimeUnit.SECONDS.toNanos(60);

    @Test
    void noSeedBreaksARule() {
        long started = System.nanoTime();
        for (long seed = 1; seed <= SEEDS && System.nanoTime() - started < BUDGET_NANOS; seed++) {
            assertThat(Simulate.seed(seed, null).violations())
                    .as("seed %d", seed)
                    .isEmpty();
        }
    }

    /** Seeds that once found a mistake in the replication core, among other things acknowledged writes that were lost. */
    @Test
    void seedsThatFoundMistakesStayGood() {
        for (long seed :
                new long[] {427, 456, 923, 1062, 1550, 2119, 2302, 2339, 5023, 5342, 5974, 7929, 24302, 24802, 70132}) {
            Swarm swarm = Swarm.draw(new Dice(~seed)).withSnapshots(false);
            assertThat(Simulate.run(seed, swarm, null).violations())
                    .as("seed %d", seed)
                    .isEmpty();
        }
    }

    @Test
    @Tag("long")
    void noneOfManySeedsBreaksARule() {
        for (long seed = 1; seed <= MANY_SEEDS; seed++) {
            assertThat(Simulate.seed(seed, null).violations())
                    .as("seed %d", seed)
                    .isEmpty();
        }
    }

    @Test
    void sameSeedIsTheSameRun() {
        for (long seed = 1; seed <= 5; seed++) {
            assertThat(Simulate.seed(seed, null)).isEqualTo(Simulate.seed(seed, null));
        }
    }
}
