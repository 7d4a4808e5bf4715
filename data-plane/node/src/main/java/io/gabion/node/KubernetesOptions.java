package io.gabion.node;

import io.gabion.api.certificate.CertificateFiles;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.process.CommandLine;
import io.gabion.process.UsageException;
import io.gabion.protocol.control.HostPort;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;

/**
 * What a storage process on Kubernetes is told on its command line. The rest it learns from the API: the cluster from the
 * StorageCluster, its disk from its StorageNode, its certificate by request.
 *
 * @param name of the Kubernetes node
 * @param data directory for the process's own small files
 * @param host address to announce: {@code --host}, else the environment variable {@code POD_IP}
 * @param cluster empty: as the StorageCluster says
 * @param certificate empty: requested from the operator
 */
public record KubernetesOptions(
        NodeName name,
        Path data,
        Optional<String> host,
        Optional<ClusterId> cluster,
        Optional<CertificateFiles> certificate,
        InetSocketAddress dataListen,
        InetSocketAddress controlListen,
        InetSocketAddress metricsListen,
        UUID bootId,
        String diskBackend,
        String networkBackend,
        ScrubPolicy scrub,
        int loops) {
    static final String SWITCH = "--kubernetes";
    static final String USAGE = """
            usage: gabion-node --kubernetes --name NODE --data DIR
                   --data-listen HOST:PORT --control-listen HOST:PORT --metrics-listen HOST:PORT
                   [--host ADDRESS] [--cluster UUID] [--certificate FILE --key FILE --ca FILE] [--boot-id UUID]
                   [--disk-backend auto|ring|threads] [--network-backend auto|io_uring|epoll|nio] [--loops 1]
                   [--scrub-every 14d|off] [--scrub-rate 16MiB]""";

    private static final List<String> NAMES = List.of(
            "--name",
            "--data",
            "--host",
            "--cluster",
            "--certificate",
            "--key",
            "--ca",
            "--data-listen",
            "--control-listen",
            "--metrics-listen",
            "--boot-id",
            "--disk-backend",
            "--network-backend",
            "--scrub-every",
            "--scrub-rate",
            "--loops");

    /** Reads {@code --option value} and {@code --option=value}. */
    public static KubernetesOptions parse(List<String> words) throws UsageException {
        CommandLine line = CommandLine.of(NAMES, Set.of(SWITCH), words);
        return new KubernetesOptions(
                line.required("--name", NodeName::new),
                line.required("--data", Path::of),
                line.optional("--host", text -> text).or(() -> Optional.ofNullable(System.getenv("POD_IP"))),
                line.optional("--cluster", ClusterId::of),
                certificate(line),
                line.required("--data-listen", HostPort::resolve),
                line.required("--control-listen", HostPort::resolve),
                line.required("--metrics-listen", HostPort::resolve),
                NodeOptions.bootId(line),
                NodeOptions.diskBackend(line),
                NodeOptions.networkBackend(line),
                ScrubPolicy.of(line),
                NodeOptions.loops(line));
    }

    private static Optional<CertificateFiles> certificate(CommandLine line) throws UsageException {
        return line.has("--certificate")
                ? Optional.of(new CertificateFiles(
                        line.required("--certificate", Path::of),
                        line.required("--key", Path::of),
                        line.required("--ca", Path::of)))
                : Optional.empty();
    }

    /** With what the API told. */
    NodeOptions with(ClusterId told, CertificateFiles files, String pool, Path disk, OptionalLong capacityBytes) {
        return new NodeOptions(
                name,
                data,
                disk,
                host,
                capacityBytes,
                pool,
                told,
                files.certificate(),
                files.key(),
                files.ca(),
                dataListen,
                controlListen,
                metricsListen,
                Optional.empty(),
                bootId,
                diskBackend,
                networkBackend,
                scrub,
                loops);
    }
}
