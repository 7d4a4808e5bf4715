package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.store.BitFlips.End;
import io.gabion.store.BitFlips.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sample of {@link BitFlips}. */
class BitFlipTest {
    @TempDir
    Path directory;

    @Test
    void noFlippedBitOfAClosedDiskEverShowsAWrongByte() throws IOException {
        check(End.CLOSED);
    }

    @Test
    void noFlippedBitOfADiskWhoseProcessWasKilledEverShowsAWrongByte() throws IOException {
        check(End.KILLED);
    }

    private void check(End end) throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        BitFlips flips = new BitFlips(directory, seed);
        assertThat(flips.run(end, 8)).isGreaterThan(100);
        System.out.println(end + ": " + flips.outcomes());
        assertThat(flips.outcomes()).containsKeys(Outcome.REFUSED, Outcome.READ_FAILED, Outcome.HARMLESS);
    }
}
