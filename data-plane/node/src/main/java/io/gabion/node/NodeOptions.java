package io.gabion.node;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a storage process is told on its command line.
 *
 * @param name of this node, as its certificate says
 * @param data directory that holds the disk and the process's own small files
 * @param capacityBytes how much of the directory's file system may be used; empty: the store decides
 * @param configurationStore address of the stand-alone configuration store
 * @param bootId of this machine: another one than at the last opening means that unsynced data may be lost
 * @param loops event loops; with one everything runs on one thread
 */
public record NodeOptions(
        NodeName name,
        Path data,
        OptionalLong capacityBytes,
        String pool,
        ClusterId cluster,
        Path certificate,
        Path key,
        Path ca,
        InetSocketAddress dataListen,
        InetSocketAddress controlListen,
        InetSocketAddress metricsListen,
        InetSocketAddress configurationStore,
        UUID bootId,
        String diskBackend,
        String networkBackend,
        int loops) {
    static final String USAGE = """
            usage: gabion-node --name NAME --data DIR --cluster UUID --certificate FILE --key FILE --ca FILE
                   --data-listen HOST:PORT --control-listen HOST:PORT --metrics-listen HOST:PORT
                   --configuration-store HOST:PORT [--capacity 8GiB] [--pool default] [--boot-id UUID]
                   [--disk-backend auto|ring|threads] [--network-backend auto|io_uring|epoll|nio] [--loops 1]""";

    private static final Path KERNEL_BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final List<String> DISK_BACKENDS = List.of("auto", "ring", "threads");
    private static final List<String> NETWORK_BACKENDS = List.of("auto", "io_uring", "epoll", "nio");
    /** More loops than any machine we know has cores. */
    private static final int MAX_LOOPS = 256;

    private static final int MAX_PORT = 65_535;

    private static final List<String> NAMES = List.of(
            "--name",
            "--data",
            "--capacity",
            "--pool",
            "--cluster",
            "--certificate",
            "--key",
            "--ca",
            "--data-listen",
            "--control-listen",
            "--metrics-listen",
            "--configuration-store",
            "--boot-id",
            "--disk-backend",
            "--network-backend",
            "--loops");

    /** The command line is wrong; the message names the option and what it should be. */
    public static final class UsageException extends Exception {
        public UsageException(String message) {
            super(message);
        }
    }

    /** Parses {@code --option value} or {@code --option=value}. */
    public static NodeOptions parse(String... arguments) throws UsageException {
        Map<String, String> given = collect(arguments);
        return new NodeOptions(
                nodeName(required(given, "--name")),
                Path.of(required(given, "--data")),
                capacity(given.get("--capacity")),
                given.getOrDefault("--pool", "default"),
                new ClusterId(uuid("--cluster", required(given, "--cluster"))),
                Path.of(required(given, "--certificate")),
                Path.of(required(given, "--key")),
                Path.of(required(given, "--ca")),
                address("--data-listen", required(given, "--data-listen")),
                address("--control-listen", required(given, "--control-listen")),
                address("--metrics-listen", required(given, "--metrics-listen")),
                address("--configuration-store", required(given, "--configuration-store")),
                bootId(given.get("--boot-id")),
                choice("--disk-backend", given.getOrDefault("--disk-backend", "auto"), DISK_BACKENDS),
                choice("--network-backend", given.getOrDefault("--network-backend", "auto"), NETWORK_BACKENDS),
                loops(given.getOrDefault("--loops", "1")));
    }

    private static Map<String, String> collect(String... arguments) throws UsageException {
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < arguments.length; i++) {
            String argument = requireNonNull(arguments[i], "argument is null");
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            if (!NAMES.contains(name)) {
                throw new UsageException(
                        "unknown option \"" + name + "\"; did you mean " + NearestWord.of(name, NAMES) + "?");
            }
            String value;
            if (equals >= 0) {
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
        return given;
    }

    private static String required(Map<String, String> given, String name) throws UsageException {
        String value = given.get(name);
        if (value == null) {
            throw new UsageException("option " + name + " is missing");
        }
        return value;
    }

    private static NodeName nodeName(String text) throws UsageException {
        try {
            return new NodeName(text);
        } catch (IllegalArgumentException e) {
            throw new UsageException("option --name: " + e.getMessage());
        }
    }

    private static UUID uuid(String option, String text) throws UsageException {
        try {
            return UUID.fromString(text.trim());
        } catch (IllegalArgumentException e) {
            throw new UsageException("option " + option + ": \"" + text + "\" is not a UUID");
        }
    }

    private static UUID bootId(@Nullable String given) throws UsageException {
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

    private static InetSocketAddress address(String option, String text) throws UsageException {
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

    private static OptionalLong capacity(@Nullable String text) throws UsageException {
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

    private static String choice(String option, String text, List<String> choices) throws UsageException {
        if (!choices.contains(text)) {
            throw new UsageException("option " + option + ": \"" + text + "\" is not one of "
                    + String.join(", ", choices) + "; did you mean " + NearestWord.of(text, choices) + "?");
        }
        return text;
    }

    private static int loops(String text) throws UsageException {
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
