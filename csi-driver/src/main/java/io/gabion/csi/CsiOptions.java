package io.gabion.csi;

import static java.util.Objects.requireNonNull;

import io.gabion.csi.rpc.NearestWord;
import io.gabion.model.NodeName;
import io.gabion.protocol.control.HostPort;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

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

    /** The command line is wrong; the message names the option and what it should be. */
    public static final class UsageException extends Exception {
        UsageException(String message) {
            super(message);
        }
    }

    /** Reads {@code --option value} and {@code --option=value}. */
    static CsiOptions parse(List<String> arguments, Map<String, String> environment) throws UsageException {
        Values values = new Values(split(arguments), environment);
        Role role = values.find("--role", "", CsiOptions::role)
                .orElseThrow(() -> new UsageException("--role is missing: controller, node or all"));
        Path kubelet = values.find("--kubelet-directory", "", Path::of).orElse(Path.of("/var/lib/kubelet"));
        String listen = role == Role.CONTROLLER ? CONTROLLER_LISTEN : NODE_LISTEN;
        int maxVolumes = values.find("--max-volumes", "", Integer::valueOf).orElse(DEFAULT_MAX_VOLUMES);
        if (maxVolumes < 1 || maxVolumes > HIGHEST_MAX_VOLUMES) {
            throw new UsageException("--max-volumes must be 1 to " + HIGHEST_MAX_VOLUMES + ", not " + maxVolumes);
        }
        return new CsiOptions(
                role,
                values.find("--endpoint", "CSI_ENDPOINT", CsiOptions::socket).orElse(socket(DEFAULT_ENDPOINT)),
                values.find("--node-name", "NODE_NAME", NodeName::new)
                        .orElseThrow(
                                () -> new UsageException("--node-name is missing: the name of the Kubernetes node")),
                values.find("--http-listen", "", CsiOptions::address).orElse(address(listen)),
                values.find("--agent-socket", "", Path::of).orElse(Path.of("/run/gabion/agent/control.sock")),
                kubelet.resolve("plugins/" + DRIVER + "/csi.sock"),
                kubelet.resolve("plugins_registry/" + DRIVER + "-reg.sock"),
                values.find("--certificate-directory", "", Path::of).orElse(Path.of("/tmp/certificate")),
                values.find("--alpha", "", CsiOptions::yesOrNo).orElse(false),
                maxVolumes);
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
            if (equals < 0) {
                i++;
                if (i == arguments.size()) {
                    throw new UsageException(name + " needs a value");
                }
            }
            String value = equals < 0 ? requireNonNull(arguments.get(i)) : argument.substring(equals + 1);
            if (values.put(name, value) != null) {
                throw new UsageException(name + " is given twice");
            }
        }
        return values;
    }

    private record Values(Map<String, String> texts, Map<String, String> environment) {
        <T> Optional<T> find(String name, String variable, Function<String, T> parser) throws UsageException {
            String text = texts.get(name);
            if (text == null) {
                text = environment.get(variable);
            }
            if (text == null || text.isEmpty()) {
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

    private static Role role(String text) {
        return switch (text) {
            case "controller" -> Role.CONTROLLER;
            case "node" -> Role.NODE;
            case "all" -> Role.ALL;
            default -> throw new IllegalArgumentException("must be controller, node or all");
        };
    }

    private static boolean yesOrNo(String text) {
        return switch (text) {
            case "yes" -> true;
            case "no" -> false;
            default -> throw new IllegalArgumentException("must be yes or no");
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

    private static InetSocketAddress address(String text) {
        try {
            return HostPort.parse(text).resolve();
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("unknown host", e);
        }
    }
}
