package io.gabion.node;

import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
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
        int loops) {
    static final String USAGE = """
            usage: gabion-node --name NAME --data DIR --cluster UUID --certificate FILE --key FILE --ca FILE
                   --data-listen HOST:PORT --control-listen HOST:PORT --metrics-listen HOST:PORT
                   --configuration-store HOST:PORT [--capacity 8GiB] [--pool default] [--boot-id UUID]
                   [--disk-backend auto|ring|threads] [--network-backend auto|io_uring|epoll|nio] [--loops 1]""";

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
        CommandLine given = CommandLine.of(NAMES, Set.of(), arguments);
        NodeName name = CommandLine.nodeName(given.required("--name"));
        Path data = Path.of(given.required("--data"));
        return new NodeOptions(
                name,
                data,
                data,
                Optional.empty(),
                CommandLine.capacity(given.get("--capacity")),
                given.get("--pool", "default"),
                new ClusterId(CommandLine.uuid("--cluster", given.required("--cluster"))),
                Path.of(given.required("--certificate")),
                Path.of(given.required("--key")),
                Path.of(given.required("--ca")),
                CommandLine.address("--data-listen", given.required("--data-listen")),
                CommandLine.address("--control-listen", given.required("--control-listen")),
                CommandLine.address("--metrics-listen", given.required("--metrics-listen")),
                Optional.of(CommandLine.address("--configuration-store", given.required("--configuration-store"))),
                CommandLine.bootId(given.get("--boot-id")),
                CommandLine.diskBackend(given.get("--disk-backend", "auto")),
                CommandLine.networkBackend(given.get("--network-backend", "auto")),
                CommandLine.loops(given.get("--loops", "1")));
    }
}
