package io.gabion.faults.cluster;

import java.security.SecureRandom;
import java.util.Locale;

/** The seed of a run and the lines of its report. */
final class TestSeeds {
    private TestSeeds() {}

    /** System property {@code gabion.seed}, else another one each time; printed, so that a run can be repeated. */
    static long seed(String test) {
        Long given = Long.getLong("gabion.seed");
        long seed = given == null ? new SecureRandom().nextInt(Integer.MAX_VALUE) : given;
        report("%s: seed %d (repeat with -Dgabion.seed=%d)", test, seed, seed);
        return seed;
    }

    /** A line that {@code ./dev test} shows. */
    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency for this line alone
    static void report(String format, Object... values) {
        System.out.println("[gabion] " + String.format(Locale.ROOT, format, values));
    }
}
