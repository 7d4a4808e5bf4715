package io.gabion.cli.text;

import java.time.Duration;
import java.util.Locale;

/** Lengths of time for people. */
public final class Ages {
    private static final long SECOND_MILLIS = 1000;
    private static final long MINUTE_MILLIS = 60 * SECOND_MILLIS;
    private static final long HOUR_MILLIS = 60 * MINUTE_MILLIS;

    private Ages() {}

    /** {@code 0.4 s}, {@code 2 min 5 s}, {@code 3 h 20 min}. */
    public static String text(long millis) {
        Duration age = Duration.ofMillis(Math.max(0, millis));
        if (millis < MINUTE_MILLIS) {
            return String.format(Locale.ROOT, "%.1f s", Math.max(0, millis) / (double) SECOND_MILLIS);
        }
        if (millis < HOUR_MILLIS) {
            return age.toMinutes() + " min " + age.toSecondsPart() + " s";
        }
        return age.toHours() + " h " + age.toMinutesPart() + " min";
    }
}
