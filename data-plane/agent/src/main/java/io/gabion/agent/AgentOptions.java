package io.gabion.agent;

import io.gabion.agent.fuse.VolumeDevices;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.process.CommandLine;
import io.gabion.process.UsageException;
import io.gabion.protocol.control.HostPort;
import io.gabion.wire.Backend;
import io.gabion.wire.EventLoops;
import io.gabion.wire.TlsEngine;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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

    /** Reads {@code --option value} and {@code --option=value}. */
    static AgentOptions parse(List<String> arguments) throws UsageException {
        CommandLine line = CommandLine.of(NAMES, Set.of(KUBERNETES), arguments);
        AgentOptions options = new AgentOptions(
                line.required("--name", NodeName::new),
                credentials(line),
                line.required("--socket-directory", Path::of),
                line.optional("--devices-directory", Path::of)
                        .orElse(line.required("--socket-directory", directory -> Path.of(directory, "devices"))),
                line.optional("--control-listen", HostPort::resolve),
                line.optional("--control-socket", Path::of),
                line.optional("--ready-file", Path::of),
                line.required("--metrics-listen", HostPort::resolve),
                line.optional("--network-backend", Backend.Choice::parse).orElse(Backend.Choice.AUTO),
                line.optional("--tls-engine", TlsEngine.Choice::parse).orElse(TlsEngine.Choice.AUTO),
                line.optional("--fuse-resend", VolumeDevices.Resend::parse).orElse(VolumeDevices.Resend.AUTO),
                line.optional("--nbd-tcp-listen", HostPort::resolve),
                line.optional("--nbd-list", CommandLine.either("yes", "no")).orElse(false),
                line.optional("--loops", CommandLine.number(1, EventLoops.MAX_LOOPS))
                        .orElse(DEFAULT_LOOPS));
        if (options.controlListen.isEmpty() && options.controlSocket.isEmpty()) {
            throw new UsageException("--control-listen or --control-socket is missing");
        }
        return options;
    }

    private static Optional<Credentials> credentials(CommandLine line) throws UsageException {
        if (line.has(KUBERNETES)) {
            for (String other : List.of("--cluster", "--certificate", "--key", "--ca")) {
                if (line.has(other)) {
                    throw new UsageException(other + " does not go with " + KUBERNETES + ", which finds it out");
                }
            }
            return Optional.empty();
        }
        return Optional.of(new Credentials(
                line.required("--cluster", ClusterId::of),
                line.required("--certificate", Path::of),
                line.required("--key", Path::of),
                line.required("--ca", Path::of)));
    }
}
