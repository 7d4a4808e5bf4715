package io.gabion.node;

import static java.util.Objects.requireNonNull;

import io.gabion.model.NodeName;
import io.gabion.node.NodeOptions.UsageException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Options by name, and their values with messages that name the option. */
final class CommandLine {
    private static final Path KERNEL_BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final List<String> DISK_BACKENDS = List.of("auto", "ring", "threads");
    private static final List<String> NETWORK_BACKENDS = List.of("auto", "io_uring", "epoll", "nio");
    /** More loops than any machine we know has cores. */
    private static final int MAX_LOOPS = 256;

    private static final int MAX_PORT = 65_535;

    private final Map<String, String> given;

    private CommandLine(Map<String, String> given) {
        this.given = given;
    }

    /** Takes {@code --option value} or {@code --option=value} apart. */
    static CommandLine of(List<String> names, Set<String> switches, String... arguments) throws UsageException {
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < arguments.length; i++) {
            String argument = requireNonNull(arguments[i], "argument is null");
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            if (!names.contains(name)) {
                throw new UsageException(
                        "unknown option \"" + name + "\"; did you mean " + NearestWord.of(name, names) + "?");
            }
            String value;
            if (switches.contains(name) && equals < 0) {
                value = "true";
            } else if (equals >= 0) {
                value = argument.substring(equals + 1);
            } else if (i + 1 < arguments.length && !arguments[i + 1].startsWith("--")) {
                value = arguments[++i];
            } else {
                throw new UsageException("option " + name + " needs a value");
            }
            if (value.isBlank()) {
                throw new UsageException("option " + name + " needs a value");
            }
            if (given.put(name, value) != null) {
                throw new UsageException("option " + name + " is given twice");
            }
        }
        return new CommandLine(given);
    }

    @Nullable
    String get(String name) {
        return given.get(name);
    }

    String get(String name, String otherwise) {
        return given.getOrDefault(name, otherwise);
    }

    String required(String name) throws UsageException {
        String value = given.get(name);
        if (value == null) {
            throw new UsageException("option " + name + " is missing");
        }
        return value;
    }

    static NodeName nodeName(String text) throws UsageException {
        try {
            return new NodeName(text);
        } catch (IllegalArgumentException e) {
            throw new UsageException("option --name: " + e.getMessage());
        }
    }

    static UUID uuid(String option, String text) throws UsageException {
        try {
            return UUID.fromString(text.trim());
        } catch (IllegalArgumentException e) {
            throw new UsageException("option " + option + ": \"" + text + "\" is not a UUID");
        }
    }

    static UUID bootId(@Nullable String given) throws UsageException {
        if (given != null) {
            return uuid("--boot-id", given);
        }
        try {
            return uuid("--boot-id", Files.readString(KERNEL_BOOT_ID));
        } catch (IOException e) {
            throw new UsageException(KERNEL_BOOT_ID + " cannot be read (" + e.getMessage()
                    + "); give --boot-id UUID, another one after every start of the machine");
        }
    }

    static InetSocketAddress address(String option, String text) throws UsageException {
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            throw new UsageException("option " + option + ": \"" + text + "\" is not HOST:PORT");
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port;
        try {
            port = Integer.parseInt(text.substring(colon + 1));
        } catch (NumberFormatException e) {
            throw new UsageException("option " + option + ": \"" + text + "\" is not HOST:PORT");
        }
        if (port < 0 || port > MAX_PORT) {
            throw new UsageException("option " + option + ": port " + port + " is not 0 to " + MAX_PORT);
        }
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw new UsageException("option " + option + ": host \"" + host + "\" is unknown");
        }
        return address;
    }

    static OptionalLong capacity(@Nullable String text) throws UsageException {
        if (text == null) {
            return OptionalLong.empty();
        }
        String lower = text.toLowerCase(Locale.ROOT);
        long unit = 1;
        String number = lower;
        for (Map.Entry<String, Integer> suffix :
                Map.of("kib", 10, "mib", 20, "gib", 30, "tib", 40).entrySet()) {
            if (lower.endsWith(suffix.getKey())) {
                unit = 1L << suffix.getValue();
                number = lower.substring(0, lower.length() - suffix.getKey().length());
            }
        }
        try {
            long bytes = Math.multiplyExact(Long.parseLong(number.trim()), unit);
            if (bytes > 0) {
                return OptionalLong.of(bytes);
            }
        } catch (NumberFormatException | ArithmeticException e) {
            // Falls through to the one message for every malformed size.
        }
        throw new UsageException("option --capacity: \"" + text + "\" is not a size such as 8GiB, 512MiB or bytes");
    }

    static String diskBackend(String text) throws UsageException {
        return choice("--disk-backend", text, DISK_BACKENDS);
    }

    static String networkBackend(String text) throws UsageException {
        return choice("--network-backend", text, NETWORK_BACKENDS);
    }

    private static String choice(String option, String text, List<String> choices) throws UsageException {
        if (!choices.contains(text)) {
            throw new UsageException("option " + option + ": \"" + text + "\" is not one of "
                    + String.join(", ", choices) + "; did you mean " + NearestWord.of(text, choices) + "?");
        }
        return text;
    }

    static int loops(String text) throws UsageException {
        try {
            int loops = Integer.parseInt(text);
            if (loops >= 1 && loops <= MAX_LOOPS) {
                return loops;
            }
        } catch (NumberFormatException e) {
            // Falls through to the one message.
        }
        throw new UsageException("option --loops: \"" + text + "\" is not 1 to " + MAX_LOOPS);
    }
}
