package io.gabion.cli.cluster;

import io.gabion.cli.text.CommandFailure;
import io.gabion.model.ClusterId;
import io.gabion.protocol.control.HostPort;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/**
 * Which cluster the command talks to, from a file of properties. Relative paths count from the file's directory.
 *
 * <pre>
 *   configuration-store=127.0.0.1:7401
 *   cluster=UUID
 *   certificate=operator.pem
 *   key=operator.key
 *   ca=ca.pem
 *   agent-control=127.0.0.1:7441      or the path of its Unix socket
 * </pre>
 */
public record ClusterContext(
        HostPort configurationStore,
        ClusterId cluster,
        Path certificate,
        Path key,
        Path ca,
        Optional<AgentAddress> agentControl) {
    private static final List<String> KEYS =
            List.of("configuration-store", "cluster", "certificate", "key", "ca", "agent-control");

    /** Where the agent of this machine listens. */
    public sealed interface AgentAddress {
        record Secure(HostPort address) implements AgentAddress {}

        record Socket(Path path) implements AgentAddress {}
    }

    /** {@code option} if given, else what {@code GABION_CONTEXT} names, else {@code ~/.gabion/context}. */
    public static Path locate(Optional<Path> option) {
        String environment = System.getenv("GABION_CONTEXT");
        return option.orElseGet(() -> environment != null && !environment.isBlank()
                ? Path.of(environment)
                : Path.of(System.getProperty("user.home"), ".gabion", "context"));
    }

    /** Throws {@link CommandFailure} that names file and property. */
    public static ClusterContext load(Path file) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        } catch (NoSuchFileException e) {
            throw new CommandFailure(
                    "context file " + file + " does not exist: name one with --context FILE or GABION_CONTEXT", e);
        } catch (IOException | IllegalArgumentException e) {
            throw new CommandFailure("context file " + file + " cannot be read: " + e.getMessage(), e);
        }
        for (String key : properties.stringPropertyNames()) {
            if (!KEYS.contains(key)) {
                throw new CommandFailure("context file " + file + ": unknown property " + key + "; known are " + KEYS);
            }
        }
        Path base = Optional.ofNullable(file.toAbsolutePath().getParent()).orElse(Path.of("/"));
        try {
            return new ClusterContext(
                    HostPort.parse(required(properties, "configuration-store")),
                    ClusterId.of(required(properties, "cluster")),
                    base.resolve(required(properties, "certificate")),
                    base.resolve(required(properties, "key")),
                    base.resolve(required(properties, "ca")),
                    Optional.ofNullable(properties.getProperty("agent-control"))
                            .map(text -> agent(base, text.strip())));
        } catch (IllegalArgumentException e) {
            throw new CommandFailure("context file " + file + ": " + e.getMessage(), e);
        }
    }

    private static AgentAddress agent(Path base, String text) {
        return text.indexOf('/') >= 0
                ? new AgentAddress.Socket(base.resolve(text))
                : new AgentAddress.Secure(HostPort.parse(text));
    }

    private static String required(Properties properties, String key) {
        String value = properties.getProperty(key);
        if (value == null || value.isBlank()) {
            throw new IllegalArgumentException("property " + key + " is missing");
        }
        return value.strip();
    }
}
