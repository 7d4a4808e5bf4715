package io.gabion.cli.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.cli.volume.VerifyComparison.Content;
import java.util.List;
import org.junit.jupiter.api.Test;

class VerifyComparisonTest {
    @Test
    void equalContentAtOnePointIsIdentical() {
        assertThat(VerifyComparison.identical(
                        List.of(content("n1", "x", "2.5", 1, 2), content("n2", "x", "2.5", 1, 2))))
                .isTrue();
        assertThat(VerifyComparison.identical(
                        List.of(content("n1", "x", "2.5", 1, 2), content("n2", "x", "2.6", 1, 2))))
                .isFalse();
    }

    @Test
    void theDifferingRegionAndTheOddReplicaAreNamed() {
        var contents = List.of(
                content("n1", "x", "2.5", 1, 2, 3),
                content("n2", "y", "2.5", 1, 9, 3),
                content("n3", "x", "2.5", 1, 2, 3));
        assertThat(VerifyComparison.identical(contents)).isFalse();
        assertThat(VerifyComparison.differences(contents))
                .containsExactly(
                        new VerifyComparison.Difference(1, 1 << 20, List.of(List.of("n1", "n3"), List.of("n2"))));
    }

    @Test
    void aShorterReplicaDiffersWhereItEnds() {
        var contents = List.of(content("n1", "x", "1.1", 1, 2), content("n2", "y", "1.1", 1));
        assertThat(VerifyComparison.differences(contents)).singleElement().satisfies(d -> assertThat(d.region())
                .isEqualTo(1));
    }

    private static Content content(String node, String sha256, String lsn, int... regions) {
        byte[] digests = new byte[regions.length * VerifyComparison.DIGEST_BYTES];
        for (int i = 0; i < regions.length; i++) {
            digests[i * VerifyComparison.DIGEST_BYTES] = (byte) regions[i];
        }
        return new Content(node, sha256, lsn, digests);
    }
}
