package io.gabion.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.process.CommandLine;
import io.gabion.process.UsageException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ScrubPolicyTest {
    private static ScrubPolicy parse(String... words) throws UsageException {
        return ScrubPolicy.of(CommandLine.of(ScrubPolicy.NAMES, Set.of(), List.of(words)));
    }

    @Test
    void everythingIsReadInFourteenDaysUnlessToldOtherwise() throws Exception {
        ScrubPolicy policy = parse();
        assertThat(policy.isOn()).isTrue();
        long tebibyte = 1L << 40;
        long rate = policy.bytesPerSecond(tebibyte);
        assertThat(tebibyte / rate)
                .isBetween(Duration.ofDays(13).toSeconds(), Duration.ofDays(15).toSeconds());
        assertThat(parse("--scrub-every", "30m").period()).isEqualTo(Duration.ofMinutes(30));
        assertThat(parse("--scrub-every", "off").isOn()).isFalse();
    }

    @Test
    void theRateStaysBetweenItsLimits() throws Exception {
        ScrubPolicy policy = parse("--scrub-every=1h", "--scrub-rate=2MiB");
        assertThat(policy.bytesPerSecond(0)).isEqualTo(ScrubPolicy.MIN_BYTES_PER_SECOND);
        assertThat(policy.bytesPerSecond(3600L << 20)).isEqualTo(1L << 20);
        assertThat(policy.bytesPerSecond(1L << 40)).isEqualTo(2L << 20);
    }

    @Test
    void malformedValuesNameTheOptionAndTheRemedy() {
        for (String period : List.of("14", "0d", "-1d", "366d", "d", "2weeks")) {
            assertThatThrownBy(() -> parse("--scrub-every", period))
                    .hasMessageContaining("--scrub-every")
                    .hasMessageContaining("14d");
        }
        assertThatThrownBy(() -> parse("--scrub-rate", "1KiB"))
                .hasMessageContaining("--scrub-rate")
                .hasMessageContaining("--scrub-every off");
        assertThatThrownBy(() -> parse("--scrub-rate", "fast")).hasMessageContaining("--scrub-rate");
    }
}
