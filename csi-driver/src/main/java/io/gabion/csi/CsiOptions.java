package io.gabion.csi;

import io.gabion.model.NodeName;
import io.gabion.process.CommandLine;
import io.gabion.process.UsageException;
import io.gabion.protocol.control.HostPort;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the driver is told on its command line.
 *
 * @param endpoint the Unix socket that serves the driver
 * @param node name of this machine in Kubernetes
 * @param kubeletEndpoint {@code endpoint} as the kubelet sees it
 * @param registrationSocket where the kubelet looks for drivers
 * @param certificateDirectory where the controller keeps its certificate and key
 * @param alpha serve what the specification still marks as alpha
 * @param maxVolumes attached to this machine at a time
 */
public record CsiOptions(
        Role role,
        Path endpoint,
        NodeName node,
        InetSocketAddress httpListen,
        Path agentSocket,
        Path kubeletEndpoint,
        Path registrationSocket,
        Path certificateDirectory,
        boolean alpha,
        int maxVolumes) {
    static final String USAGE = """
            usage: gabion-csi-driver --role controller|node|all --node-name NAME
                   [--endpoint unix:///csi/csi.sock] [--http-listen HOST:PORT] [--agent-socket FILE]
                   [--kubelet-directory DIR] [--certificate-directory DIR] [--alpha yes|no] [--max-volumes N]
                   or: gabion-csi-driver --warm-up
            CSI_ENDPOINT and NODE_NAME of the environment stand for --endpoint and --node-name.""";

    private static final List<String> NAMES = List.of(
            "--role",
            "--endpoint",
            "--node-name",
            "--http-listen",
            "--agent-socket",
            "--kubelet-directory",
            "--certificate-directory",
            "--alpha",
            "--max-volumes");
    private static final Map<String, String> VARIABLES =
            Map.of("--endpoint", "CSI_ENDPOINT", "--node-name", "NODE_NAME");
    private static final String UNIX_SCHEME = "unix:";
    private static final String DEFAULT_ENDPOINT = "unix:///csi/csi.sock";
    private static final String CONTROLLER_LISTEN = "0.0.0.0:7423";
    private static final String NODE_LISTEN = "0.0.0.0:7422";
    private static final String DRIVER = "csi.gabion.io";
    /** The kernel has no small limit for loop devices; pods on a node do. */
    private static final int DEFAULT_MAX_VOLUMES = 128;

    private static final int HIGHEST_MAX_VOLUMES = 4096;

    /** Which services a process answers. */
    public enum Role {
        CONTROLLER,
        NODE,
        ALL;

        public boolean isController() {
            return this != NODE;
        }

        public boolean isNode() {
            return this != CONTROLLER;
        }
    }

    /** Reads {@code --option value} and {@code --option=value}. */
    static CsiOptions parse(List<String> arguments, Map<String, String> environment) throws UsageException {
        CommandLine line = CommandLine.of(NAMES, Set.of(), arguments).orElse(VARIABLES, environment);
        Role role = line.optional("--role", CsiOptions::role)
                .orElseThrow(() -> new UsageException("--role is missing: controller, node or all"));
        Path kubelet = line.optional("--kubelet-directory", Path::of).orElse(Path.of("/var/lib/kubelet"));
        String listen = role == Role.CONTROLLER ? CONTROLLER_LISTEN : NODE_LISTEN;
        return new CsiOptions(
                role,
                line.optional("--endpoint", CsiOptions::socket).orElse(socket(DEFAULT_ENDPOINT)),
                line.optional("--node-name", NodeName::new)
                        .orElseThrow(
                                () -> new UsageException("--node-name is missing: the name of the Kubernetes node")),
                line.optional("--http-listen", HostPort::resolve).orElse(HostPort.resolve(listen)),
                line.optional("--agent-socket", Path::of).orElse(Path.of("/run/gabion/agent/control.sock")),
                kubelet.resolve("plugins/" + DRIVER + "/csi.sock"),
                kubelet.resolve("plugins_registry/" + DRIVER + "-reg.sock"),
                line.optional("--certificate-directory", Path::of).orElse(Path.of("/tmp/certificate")),
                line.optional("--alpha", CommandLine.either("yes", "no")).orElse(false),
                line.optional("--max-volumes", CommandLine.number(1, HIGHEST_MAX_VOLUMES))
                        .orElse(DEFAULT_MAX_VOLUMES));
    }

    private static Role role(String text) {
        return switch (text) {
            case "controller" -> Role.CONTROLLER;
            case "node" -> Role.NODE;
            case "all" -> Role.ALL;
            default -> throw new IllegalArgumentException("must be controller, node or all");
        };
    }

    /** unix:///PATH, unix:PATH or a path. */
    private static Path socket(String text) {
        String path = text.startsWith(UNIX_SCHEME) ? text.substring(UNIX_SCHEME.length()) : text;
        String plain = path.startsWith("//") ? path.substring(2) : path;
        if (!plain.startsWith("/")) {
            throw new IllegalArgumentException("must be unix:///PATH");
        }
        return Path.of(plain);
    }
}
