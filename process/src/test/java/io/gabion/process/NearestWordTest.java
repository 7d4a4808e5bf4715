package io.gabion.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearestWordTest {
    private static final List<String> WORDS = List.of("--size", "--pool", "--replicas");

    @Test
    void theOneWithTheFewestWrongLettersIsMeant() {
        assertThat(NearestWord.of("--sise", WORDS)).isEqualTo("--size");
        assertThat(NearestWord.of("--Replica", WORDS)).isEqualTo("--replicas");
        assertThat(NearestWord.of("x".repeat(100_000), WORDS)).isNotEmpty();
    }

    @Test
    void nothingIsNearWhenMostLettersAreWrong() {
        assertThat(NearestWord.near("polo", List.of("pool", "volume"))).contains("pool");
        assertThat(NearestWord.near("abcdefgh", List.of("pool", "volume"))).isEmpty();
        assertThat(NearestWord.near("x", List.of())).isEmpty();
    }
}
