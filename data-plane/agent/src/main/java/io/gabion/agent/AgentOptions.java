package io.gabion.agent;

import static java.util.Objects.requireNonNull;

import io.gabion.agent.fuse.VolumeDevices;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.protocol.control.HostPort;
import io.gabion.wire.Backend;
import io.gabion.wire.EventLoops;
import io.gabion.wire.TlsEngine;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What an agent is told on its command line.
 *
 * @param name of this agent, as its certificate says; on Kubernetes that of its node
 * @param credentials empty: as Kubernetes says
 * @param socketDirectory holds the NBD socket and what must survive a restart
 * @param devicesDirectory holds the mount points of volumes that are block devices
 * @param controlListen where control calls with mutual TLS are answered, empty: nowhere
 * @param controlSocket where control calls of this machine are answered, empty: nowhere
 * @param readyFile made when everything is served, empty: none
 * @param fuseResend how the kernel's requests survive this process
 * @param nbdTcpListen where NBD with TLS is served, empty: nowhere
 * @param nbdList tell clients the names of all exports
 * @param loops event loops
 */
public record AgentOptions(
        NodeName name,
        Optional<Credentials> credentials,
        Path socketDirectory,
        Path devicesDirectory,
        Optional<InetSocketAddress> controlListen,
        Optional<Path> controlSocket,
        Optional<Path> readyFile,
        InetSocketAddress metricsListen,
        Backend.Choice networkBackend,
        TlsEngine.Choice tlsEngine,
        VolumeDevices.Resend fuseResend,
        Optional<InetSocketAddress> nbdTcpListen,
        boolean nbdList,
        int loops) {
    static final String USAGE = """
            usage: gabion-agent --name NAME (--cluster UUID --certificate FILE --key FILE --ca FILE | --kubernetes)
                   --socket-directory DIR --metrics-listen HOST:PORT
                   [--control-listen HOST:PORT] [--control-socket FILE] (at least one of them)
                   [--devices-directory DIR] [--ready-file FILE]
                   [--nbd-tcp-listen HOST:PORT] [--nbd-list yes|no] [--network-backend auto|io_uring|epoll|nio]
                   [--tls-engine auto|jdk|boringssl] [--fuse-resend auto|never] [--loops N]""";

    private static final String KUBERNETES = "--kubernetes";
    private static final List<String> NAMES = List.of(
            KUBERNETES,
            "--name",
            "--cluster",
            "--certificate",
            "--key",
            "--ca",
            "--socket-directory",
            "--devices-directory",
            "--control-listen",
            "--control-socket",
            "--ready-file",
            "--metrics-listen",
            "--nbd-tcp-listen",
            "--nbd-list",
            "--network-backend",
            "--tls-engine",
            "--fuse-resend",
            "--loops");
    /** Half of the cores serve clients and sessions; the rest is for the clients. */
    private static final int DEFAULT_LOOPS = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

    /** Who the agent is, where files say it. */
    public record Credentials(ClusterId cluster, Path certificate, Path key, Path ca) {}

    /** The command line is wrong; the message names the option and what it should be. */
    public static final class UsageException extends Exception {
        UsageException(String message) {
            super(message);
        }
    }

    /** Reads {@code --option value} and {@code --option=value}. */
    static AgentOptions parse(List<String> arguments) throws UsageException {
        Values values = new Values(split(arguments));
        AgentOptions options = new AgentOptions(
                values.required("--name", NodeName::new),
                credentials(values),
                values.required("--socket-directory", Path::of),
                values.optional("--devices-directory", Path::of)
                        .orElse(values.required("--socket-directory", directory -> Path.of(directory, "devices"))),
                values.optional("--control-listen", AgentOptions::address),
                values.optional("--control-socket", Path::of),
                values.optional("--ready-file", Path::of),
                values.required("--metrics-listen", AgentOptions::address),
                values.optional("--network-backend", Backend.Choice::parse).orElse(Backend.Choice.AUTO),
                values.optional("--tls-engine", TlsEngine.Choice::parse).orElse(TlsEngine.Choice.AUTO),
                values.optional("--fuse-resend", VolumeDevices.Resend::parse).orElse(VolumeDevices.Resend.AUTO),
                values.optional("--nbd-tcp-listen", AgentOptions::address),
                values.optional("--nbd-list", AgentOptions::yesOrNo).orElse(false),
                values.optional("--loops", Integer::valueOf).orElse(DEFAULT_LOOPS));
        if (options.controlListen.isEmpty() && options.controlSocket.isEmpty()) {
            throw new UsageException("--control-listen or --control-socket is missing");
        }
        if (options.loops < 1 || options.loops > EventLoops.MAX_LOOPS) {
            throw new UsageException("--loops must be 1 to " + EventLoops.MAX_LOOPS + ", not " + options.loops);
        }
        return options;
    }

    private static Optional<Credentials> credentials(Values values) throws UsageException {
        if (values.texts().containsKey(KUBERNETES)) {
            for (String other : List.of("--cluster", "--certificate", "--key", "--ca")) {
                if (values.texts().containsKey(other)) {
                    throw new UsageException(other + " does not go with " + KUBERNETES + ", which finds it out");
                }
            }
            return Optional.empty();
        }
        return Optional.of(new Credentials(
                values.required("--cluster", ClusterId::of),
                values.required("--certificate", Path::of),
                values.required("--key", Path::of),
                values.required("--ca", Path::of)));
    }

    private static Map<String, String> split(List<String> arguments) throws UsageException {
        Map<String, String> values = new HashMap<>();
        for (int i = 0; i < arguments.size(); i++) {
            String argument = requireNonNull(arguments.get(i));
            int equals = argument.startsWith("--") ? argument.indexOf('=') : -1;
            String name = equals < 0 ? argument : argument.substring(0, equals);
            if (!NAMES.contains(name)) {
                throw new UsageException(
                        "unknown option \"" + name + "\"; did you mean " + NearestWord.of(name, NAMES) + "?");
            }
            String value;
            if (name.equals(KUBERNETES)) {
                if (equals >= 0) {
                    throw new UsageException(name + " takes no value");
                }
                value = "";
            } else if (equals >= 0) {
                value = argument.substring(equals + 1);
            } else if (i + 1 < arguments.size()) {
                i++;
                value = requireNonNull(arguments.get(i));
            } else {
                throw new UsageException(name + " needs a value");
            }
            if (values.put(name, value) != null) {
                throw new UsageException(name + " is given twice");
            }
        }
        return values;
    }

    private record Values(Map<String, String> texts) {
        <T> T required(String name, Function<String, T> parser) throws UsageException {
            return optional(name, parser).orElseThrow(() -> new UsageException(name + " is missing"));
        }

        <T> Optional<T> optional(String name, Function<String, T> parser) throws UsageException {
            String text = texts.get(name);
            if (text == null) {
                return Optional.empty();
            }
            try {
                return Optional.of(parser.apply(text));
            } catch (NumberFormatException e) {
                throw new UsageException(name + " must be a number, not \"" + text + "\"");
            } catch (IllegalArgumentException e) {
                throw new UsageException(name + " \"" + text + "\": " + e.getMessage());
            }
        }
    }

    private static boolean yesOrNo(String text) {
        return switch (text) {
            case "yes" -> true;
            case "no" -> false;
            default -> throw new IllegalArgumentException("must be yes or no");
        };
    }

    private static InetSocketAddress address(String text) {
        try {
            return HostPort.parse(text).resolve();
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("unknown host", e);
        }
    }
}
