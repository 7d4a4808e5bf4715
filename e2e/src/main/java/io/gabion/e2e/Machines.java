package io.gabion.e2e;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Power switches of the nodes: they are containers whose names are a prefix and the node's name.
 *
 * @param prefix of a cluster that others made: the system property {@code gabion.node.containers}
 */
public record Machines(Kubectl kubectl, String prefix) {
    private static final Duration BOOT = Duration.ofMinutes(3);

    /** For a journey that switches off one of three storage nodes: skips it where nobody told how, or there are not three. */
    public static Machines ofThreeStorageNodes(Cluster cluster) {
        assumeTrue(cluster.nodeContainers().isPresent(), "nobody told how to switch a node off");
        assumeTrue(cluster.storageNodes().size() == 3, "made for three storage nodes");
        return new Machines(cluster.kubectl(), cluster.nodeContainers().orElseThrow());
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
