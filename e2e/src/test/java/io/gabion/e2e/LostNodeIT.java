package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A storage node loses power: its volumes go on with the other copies, and lost copies are replaced where there is room. */
@Journey
@Tag("lost-node")
class LostNodeIT {
    private static final Duration NOTICED = Duration.ofMinutes(2);
    private static final Duration HEALED = Duration.ofMinutes(4);
    private static final int FIO_MEBIBYTES = 16;

    @Test
    void volumesGoOnAndTwoCopiesBecomeTwoAgain(Workspace workspace) {
        Cluster cluster = workspace.cluster();
        Optional<Machines> machines = Machines.of(cluster);
        assumeTrue(machines.isPresent(), "nobody told how to switch a node off");
        assumeTrue(cluster.storageNodes().size() == 3, "made for three storage nodes");
        String delay = cluster.kubectl().field(".spec.replicaReplacementDelay", "storagepool", "default");
        setReplacementDelay(cluster, "5s");
        try {
            loseANode(workspace, machines.orElseThrow());
        } finally {
            setReplacementDelay(cluster, delay);
            cluster.storageNodes().forEach(machines.orElseThrow()::start);
        }
    }

    private static void loseANode(Workspace workspace, Machines machines) {
        Cluster cluster = workspace.cluster();
        String consumer = cluster.nodes().stream()
                .filter(node -> !cluster.storageNodes().contains(node))
                .findFirst()
                .orElseThrow();
        Claim three = workspace.claim("three", "gabion-replicated", "1Gi");
        Claim two = workspace.claim("two", "gabion-two", "1Gi");
        ToolPod userOfThree = ToolPod.start(three, consumer);
        ToolPod userOfTwo = ToolPod.start(two, consumer);
        FioVerify loadOfThree = FioVerify.start(userOfThree, FIO_MEBIBYTES);
        FioVerify loadOfTwo = FioVerify.start(userOfTwo, FIO_MEBIBYTES);
        awaitCopies(two, "2/2");
        awaitCopies(three, "3/3");
        String lost = nodesOf(two).getFirst();

        machines.kill(lost);
        Waiting.untilEqual("Redundant of three copies", NOTICED, "False NoPlacement", () -> redundant(three));
        Waiting.until(
                "a third node holds the second copy",
                HEALED,
                () -> redundant(two).startsWith("True") && !nodesOf(two).contains(lost),
                () -> redundant(two) + " " + nodesOf(two));
        assertThat(nodesOf(two)).doesNotHaveDuplicates().hasSize(2);
        assertThat(nodesOf(three)).doesNotHaveDuplicates();
        loadOfThree.check();
        loadOfTwo.check();

        machines.start(lost);
        Waiting.until("three copies again", HEALED, () -> redundant(three).startsWith("True"), () -> redundant(three));
        assertThat(loadOfThree.finish()).isPositive();
        assertThat(loadOfTwo.finish()).isPositive();
        userOfThree.stop();
        userOfTwo.stop();
        // The node that came back serves pods as before.
        ToolPod there = ToolPod.start(three, lost);
        FioVerify load = FioVerify.start(there, FIO_MEBIBYTES);
        assertThat(load.finish()).isPositive();
        there.stop();
    }

    private static void setReplacementDelay(Cluster cluster, String delay) {
        cluster.kubectl()
                .run(
                        "patch",
                        "storagepool",
                        "default",
                        "--type=merge",
                        "-p",
                        "{\"spec\":{\"replicaReplacementDelay\":\"" + delay + "\"}}");
    }

    private static void awaitCopies(Claim claim, String copies) {
        Waiting.untilEqual("copies of " + claim.name(), NOTICED, copies, () -> claim.volumeStatus()
                .path("copies")
                .asText());
    }

    private static String redundant(Claim claim) {
        for (JsonNode condition : claim.volumeStatus().path("conditions")) {
            if (condition.path("type").asText().equals("Redundant")) {
                return condition.path("status").asText() + " "
                        + condition.path("reason").asText();
            }
        }
        return "";
    }

    private static List<String> nodesOf(Claim claim) {
        List<String> nodes = new ArrayList<>();
        claim.volumeStatus()
                .path("placement")
                .forEach(p -> nodes.add(p.path("node").asText()));
        return nodes;
    }
}
