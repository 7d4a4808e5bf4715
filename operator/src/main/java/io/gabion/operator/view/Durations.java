package io.gabion.operator.view;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people write them in the API. */
public final class Durations {
    private static final Pattern PART = Pattern.compile("(\\d{1,9})(ms|s|m|h)");

    private Durations() {}

    /** Such as {@code 5m} or {@code 1h30m}; throws {@link IllegalArgumentException} that names the field. */
    public static Duration parse(String field, String text) {
        Matcher part = PART.matcher(text);
        Duration sum = Duration.ZERO;
        int at = 0;
        while (part.find() && part.start() == at) {
            long number = Long.parseLong(part.group(1));
            sum = sum.plus(
                    switch (part.group(2)) {
                        case "h" -> Duration.ofHours(number);
                        case "m" -> Duration.ofMinutes(number);
                        case "s" -> Duration.ofSeconds(number);
                        default -> Duration.ofMillis(number);
                    });
            at = part.end();
        }
        if (at == 0 || at != text.length()) {
            throw new IllegalArgumentException(field + " must be a duration such as 5m or 1h30m, not \"" + text + "\"");
        }
        return sum;
    }
}
