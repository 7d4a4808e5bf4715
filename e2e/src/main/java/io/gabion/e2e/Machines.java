package io.gabion.e2e;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import java.util.List;

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
        Commands.run(List.of("docker", "kill", prefix + node));
    }

    /** Switches it on and waits until Kubernetes calls it Ready. */
    public void start(String node) {
        Commands.run(List.of("docker", "start", prefix + node));
        Waiting.untilEqual(
                "node " + node + " Ready",
                BOOT,
                "True",
                () -> kubectl.field(".status.conditions[?(@.type==\"Ready\")].status", "node", node));
    }
}
