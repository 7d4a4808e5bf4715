package io.gabion.node;

import io.gabion.api.certificate.CertificateFiles;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.node.NodeOptions.UsageException;
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
        int loops) {
    static final String SWITCH = "--kubernetes";
    static final String USAGE = """
            usage: gabion-node --kubernetes --name NODE --data DIR
                   --data-listen HOST:PORT --control-listen HOST:PORT --metrics-listen HOST:PORT
                   [--host ADDRESS] [--cluster UUID] [--certificate FILE --key FILE --ca FILE] [--boot-id UUID]
                   [--disk-backend auto|ring|threads] [--network-backend auto|io_uring|epoll|nio] [--loops 1]""";

    private static final List<String> NAMES = List.of(
            SWITCH,
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
            "--loops");

    /** Parses {@code --option value} or {@code --option=value}. */
    public static KubernetesOptions parse(String... arguments) throws UsageException {
        CommandLine given = CommandLine.of(NAMES, Set.of(SWITCH), arguments);
        String cluster = given.get("--cluster");
        return new KubernetesOptions(
                CommandLine.nodeName(given.required("--name")),
                Path.of(given.required("--data")),
                Optional.ofNullable(given.get("--host")).or(() -> Optional.ofNullable(System.getenv("POD_IP"))),
                cluster == null ? Optional.empty() : Optional.of(new ClusterId(CommandLine.uuid("--cluster", cluster))),
                given.get("--certificate") == null
                        ? Optional.empty()
                        : Optional.of(new CertificateFiles(
                                Path.of(given.required("--certificate")),
                                Path.of(given.required("--key")),
                                Path.of(given.required("--ca")))),
                CommandLine.address("--data-listen", given.required("--data-listen")),
                CommandLine.address("--control-listen", given.required("--control-listen")),
                CommandLine.address("--metrics-listen", given.required("--metrics-listen")),
                CommandLine.bootId(given.get("--boot-id")),
                CommandLine.diskBackend(given.get("--disk-backend", "auto")),
                CommandLine.networkBackend(given.get("--network-backend", "auto")),
                CommandLine.loops(given.get("--loops", "1")));
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
                loops);
    }
}
