package io.gabion.operator.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class RebuildNewsTest {
    private final RebuildNews news = new RebuildNews();

    private List<Integer> told(int... percents) {
        List<Integer> told = new ArrayList<>();
        for (int percent : percents) {
            news.news("uid", percent < 0 ? OptionalInt.empty() : OptionalInt.of(percent))
                    .ifPresent(told::add);
        }
        return told;
    }

    @Test
    void everyQuarterIsToldOnce() {
        assertThat(told(0, 10, 24, 25, 30, 49, 60, 74, 75, 99, 100)).containsExactly(25, 50, 75);
    }

    @Test
    void anotherRebuildIsToldAnew() {
        assertThat(told(80, -1, 10, 30)).containsExactly(75, 25);
    }

    @Test
    void fallingBackIsNoNews() {
        assertThat(told(60, 10, 30)).containsExactly(50, 25);
    }
}
