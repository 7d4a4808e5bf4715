package io.gabion.node;

import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.process.CommandLine;
import io.gabion.process.UsageException;
import io.gabion.protocol.control.HostPort;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;

/**
 * What a storage process is told on its command line.
 *
 * @param name of this node, as its certificate says
 * @param data directory that holds the process's own small files
 * @param disk directory that holds the disk
 * @param host address to announce to the others; empty: what is listened on, or the name
 * @param capacityBytes how much of the directory's file system may be used; empty: the store decides
 * @param configurationStore address of the stand-alone configuration store; empty: another one is given
 * @param bootId of this machine: another one than at the last opening means that unsynced data may be lost
 * @param scrub how the disk is read again and again to find damage
 * @param loops event loops; with one everything runs on one thread
 */
public record NodeOptions(
        NodeName name,
        Path data,
        Path disk,
        Optional<String> host,
        OptionalLong capacityBytes,
        String pool,
        ClusterId cluster,
        Path certificate,
        Path key,
        Path ca,
        InetSocketAddress dataListen,
        InetSocketAddress controlListen,
        InetSocketAddress metricsListen,
        Optional<InetSocketAddress> configurationStore,
        UUID bootId,
        String diskBackend,
        String networkBackend,
        ScrubPolicy scrub,
        int loops) {
    static final String USAGE = """
            usage: gabion-node --name NAME --data DIR --cluster UUID --certificate FILE --key FILE --ca FILE
                   --data-listen HOST:PORT --control-listen HOST:PORT --metrics-listen HOST:PORT
                   --configuration-store HOST:PORT [--capacity 8GiB] [--pool default] [--boot-id UUID]
                   [--disk-backend auto|ring|threads] [--network-backend auto|io_uring|epoll|nio] [--loops 1]
                   [--scrub-every 14d|off] [--scrub-rate 16MiB]""";

    private static final Path KERNEL_BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final List<String> DISK_BACKENDS = List.of("auto", "ring", "threads");
    private static final List<String> NETWORK_BACKENDS = List.of("auto", "io_uring", "epoll", "nio");
    /** More loops than any machine we know has cores. */
    private static final int MAX_LOOPS = 256;

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
            "--scrub-every",
            "--scrub-rate",
            "--loops");

    /** Reads {@code --option value} and {@code --option=value}. */
    public static NodeOptions parse(List<String> words) throws UsageException {
        CommandLine line = CommandLine.of(NAMES, Set.of(), words);
        Path data = line.required("--data", Path::of);
        return new NodeOptions(
                line.required("--name", NodeName::new),
                data,
                data,
                Optional.empty(),
                line.optional("--capacity", NodeOptions::capacity).orElse(OptionalLong.empty()),
                line.optional("--pool", text -> text).orElse("default"),
                line.required("--cluster", ClusterId::of),
                line.required("--certificate", Path::of),
                line.required("--key", Path::of),
                line.required("--ca", Path::of),
                line.required("--data-listen", HostPort::resolve),
                line.required("--control-listen", HostPort::resolve),
                line.required("--metrics-listen", HostPort::resolve),
                Optional.of(line.required("--configuration-store", HostPort::resolve)),
                bootId(line),
                diskBackend(line),
                networkBackend(line),
                ScrubPolicy.of(line),
                loops(line));
    }

    static UUID bootId(CommandLine line) throws UsageException {
        Optional<UUID> given = line.optional("--boot-id", UUID::fromString);
        if (given.isPresent()) {
            return given.get();
        }
        try {
            return UUID.fromString(Files.readString(KERNEL_BOOT_ID).strip());
        } catch (IOException e) {
            throw new UsageException(KERNEL_BOOT_ID + " cannot be read (" + e.getMessage()
                    + "); give --boot-id UUID, another one after every start of the machine");
        }
    }

    static String diskBackend(CommandLine line) throws UsageException {
        return line.optional("--disk-backend", CommandLine.oneOf(DISK_BACKENDS)).orElse("auto");
    }

    static String networkBackend(CommandLine line) throws UsageException {
        return line.optional("--network-backend", CommandLine.oneOf(NETWORK_BACKENDS))
                .orElse("auto");
    }

    static int loops(CommandLine line) throws UsageException {
        return line.optional("--loops", CommandLine.number(1, MAX_LOOPS)).orElse(1);
    }

    private static OptionalLong capacity(String text) {
        return OptionalLong.of(bytes(text));
    }

    static long bytes(String text) {
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
                return bytes;
            }
        } catch (NumberFormatException | ArithmeticException _) {
            // Falls through to the one message for every malformed size.
        }
        throw new IllegalArgumentException("must be a size such as 8GiB, 512MiB or bytes");
    }
}
