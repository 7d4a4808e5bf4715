package io.gabion.node;

import io.gabion.process.CommandLine;
import io.gabion.process.UsageException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * How often everything on the disk is read and compared with its checksums.
 *
 * @param period in which each block is read once; zero: never
 * @param maxBytesPerSecond never faster than this, whatever the period
 */
public record ScrubPolicy(Duration period, long maxBytesPerSecond) {
    static final ScrubPolicy STANDARD = new ScrubPolicy(Duration.ofDays(14), 16L << 20);
    static final List<String> NAMES = List.of("--scrub-every", "--scrub-rate");

    /** A nearly empty disk is not asked for less: one step a quarter of a minute. */
    static final long MIN_BYTES_PER_SECOND = 64L << 10;

    private static final String OFF = "off";
    private static final Map<Character, Duration> UNITS = Map.of(
            's', Duration.ofSeconds(1), 'm', Duration.ofMinutes(1), 'h', Duration.ofHours(1), 'd', Duration.ofDays(1));
    /** Blocks that nobody read for years are as good as never read. */
    private static final Duration LONGEST = Duration.ofDays(365);

    public ScrubPolicy {
        if (maxBytesPerSecond < MIN_BYTES_PER_SECOND) {
            throw new IllegalArgumentException("must be at least " + (MIN_BYTES_PER_SECOND >> 10)
                    + "KiB a second; to have no scrub: --scrub-every " + OFF);
        }
    }

    static ScrubPolicy of(CommandLine line) throws UsageException {
        Duration period = line.optional("--scrub-every", ScrubPolicy::period).orElse(STANDARD.period());
        return line.optional("--scrub-rate", text -> new ScrubPolicy(period, NodeOptions.bytes(text)))
                .orElse(new ScrubPolicy(period, STANDARD.maxBytesPerSecond()));
    }

    private static Duration period(String text) {
        if (text.equals(OFF)) {
            return Duration.ZERO;
        }
        Duration unit = UNITS.get(text.charAt(text.length() - 1));
        if (unit != null) {
            try {
                Duration period = unit.multipliedBy(Integer.parseInt(text.substring(0, text.length() - 1)));
                if (period.isPositive() && period.compareTo(LONGEST) <= 0) {
                    return period;
                }
            } catch (NumberFormatException _) {
                // Falls through to the one message.
            }
        }
        throw new IllegalArgumentException("must be off, or a time up to 365d such as 14d, 12h or 30m");
    }

    boolean isOn() {
        return period.isPositive();
    }

    /** How fast so many bytes have to be read. */
    long bytesPerSecond(long usedBytes) {
        long wanted = usedBytes / Math.max(1, period.toSeconds());
        return Math.clamp(wanted, MIN_BYTES_PER_SECOND, maxBytesPerSecond);
    }
}
