package io.gabion.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * Power switches of the nodes: they are containers whose names are a prefix and the node's name.
 *
 * @param prefix system property {@code gabion.node.containers}
 */
public record Machines(Kubectl kubectl, String prefix) {
    private static final Duration BOOT = Duration.ofMinutes(3);

    /** Empty where nobody told how to switch nodes off. */
    public static Optional<Machines> of(Cluster cluster) {
        return Optional.ofNullable(System.getProperty("gabion.node.containers"))
                .map(prefix -> new Machines(cluster.kubectl(), prefix));
    }

    /** Cuts the power. */
    public void kill(String node) {
        docker("kill", node);
    }

    /** Switches it on and waits until Kubernetes calls it Ready. */
    public void start(String node) {
        docker("start", node);
        Waiting.untilEqual(
                "node " + node + " Ready",
                BOOT,
                "True",
                () -> kubectl.field(".status.conditions[?(@.type==\"Ready\")].status", "node", node));
    }

    private void docker(String command, String node) {
        try {
            Process process = new ProcessBuilder("docker", command, prefix + node)
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new AssertionError("docker " + command + " " + prefix + node + ": " + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
