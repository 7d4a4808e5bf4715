package io.gabion.process;

import static java.util.Objects.requireNonNull;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The options of a process: {@code --option value}, {@code --option=value}, and switches that take no value. What is wrong is a
 * {@link UsageException} that names the option.
 */
public final class CommandLine {
    private static final String PREFIX = "--";

    private final Map<String, String> given;

    private CommandLine(Map<String, String> given) {
        this.given = given;
    }

    /** Takes the words apart. */
    public static CommandLine of(Collection<String> options, Set<String> switches, List<String> words)
            throws UsageException {
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < words.size(); i++) {
            String word = requireNonNull(words.get(i), "a word is null");
            int equals = word.startsWith(PREFIX) ? word.indexOf('=') : -1;
            String name = equals < 0 ? word : word.substring(0, equals);
            String value;
            if (switches.contains(name)) {
                if (equals >= 0) {
                    throw new UsageException(name + " takes no value");
                }
                value = "";
            } else if (!options.contains(name)) {
                throw new UsageException("unknown option \"" + name + "\"; did you mean "
                        + NearestWord.of(name, options.isEmpty() ? switches : options) + "?");
            } else {
                value = equals >= 0
                        ? word.substring(equals + 1)
                        : i + 1 < words.size() && !words.get(i + 1).startsWith(PREFIX) ? words.get(++i) : "";
                if (value.isBlank()) {
                    throw new UsageException(name + " needs a value");
                }
            }
            if (given.put(name, value) != null) {
                throw new UsageException(name + " is given twice");
            }
        }
        return new CommandLine(given);
    }

    /**
     * Variables of the environment stand for options that are not given; blank ones stand for nothing.
     *
     * @param variables by option
     */
    public CommandLine orElse(Map<String, String> variables, Map<String, String> environment) {
        Map<String, String> all = new HashMap<>();
        variables.forEach((name, variable) -> {
            String value = environment.getOrDefault(variable, "").strip();
            if (!value.isEmpty()) {
                all.put(name, value);
            }
        });
        all.putAll(given);
        return new CommandLine(all);
    }

    public boolean has(String name) {
        return given.containsKey(name);
    }

    /** @param parser throws {@link IllegalArgumentException} whose message says what the value should be */
    public <T> T required(String name, Function<String, T> parser) throws UsageException {
        return optional(name, parser).orElseThrow(() -> new UsageException(name + " is missing"));
    }

    /** As {@link #required}, empty where the option is not given. */
    public <T> Optional<T> optional(String name, Function<String, T> parser) throws UsageException {
        @Nullable String text = given.get(name);
        if (text == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(parser.apply(text));
        } catch (NumberFormatException _) {
            throw new UsageException(name + " \"" + text + "\": must be a number");
        } catch (IllegalArgumentException e) {
            throw new UsageException(name + " \"" + text + "\": " + e.getMessage());
        }
    }

    /** Reads whole numbers from {@code least} to {@code most}. */
    public static Function<String, Integer> number(int least, int most) {
        return text -> {
            int number;
            try {
                number = Integer.parseInt(text);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("must be a number from " + least + " to " + most, e);
            }
            if (number < least || number > most) {
                throw new IllegalArgumentException("must be " + least + " to " + most);
            }
            return number;
        };
    }

    /** Reads one of some words. */
    public static Function<String, String> oneOf(List<String> words) {
        return text -> {
            if (!words.contains(text)) {
                throw new IllegalArgumentException("must be one of " + String.join(", ", words) + "; did you mean "
                        + NearestWord.of(text, words) + "?");
            }
            return text;
        };
    }

    /** Reads one of two words. */
    public static Function<String, Boolean> either(String yes, String no) {
        return text -> {
            if (!text.equals(yes) && !text.equals(no)) {
                throw new IllegalArgumentException("must be " + yes + " or " + no);
            }
            return text.equals(yes);
        };
    }
}
