package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
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
        Machines machines = Machines.ofThreeStorageNodes(cluster);
        String delay = cluster.kubectl().field(".spec.replicaReplacementDelay", "storagepool", "default");
        setReplacementDelay(cluster, "5s");
        try {
            loseANode(workspace, machines);
        } finally {
            setReplacementDelay(cluster, delay);
            cluster.storageNodes().forEach(machines::start);
        }
    }

    private static void loseANode(Workspace workspace, Machines machines) {
        Cluster cluster = workspace.cluster();
        String consumer = cluster.disklessNode();
        Claim three = workspace.blockClaim("three", "gabion-replicated", "1Gi");
        Claim two = workspace.claim("two", "gabion-two", "1Gi");
        ToolPod userOfThree = ToolPod.start(three, consumer);
        ToolPod userOfTwo = ToolPod.start(two, consumer);
        FioVerify loadOfThree = FioVerify.start(userOfThree, FIO_MEBIBYTES);
        FioVerify loadOfTwo = FioVerify.start(userOfTwo, FIO_MEBIBYTES);
        two.awaitCopies(2, NOTICED);
        three.awaitCopies(3, NOTICED);
        String lost = two.nodesIn("placement").getFirst();

        long begun = System.nanoTime();
        machines.kill(lost);
        Waiting.untilEqual(
                "Redundant of three copies", NOTICED, "False NoPlacement", () -> three.condition("Redundant"));
        Waiting.until(
                "a third node holds the second copy",
                HEALED,
                () -> two.condition("Redundant").startsWith("True")
                        && !two.nodesIn("placement").contains(lost),
                () -> two.condition("Redundant") + " " + two.nodesIn("placement"));
        System.out.printf("[gabion] two copies again %d s after the loss%n", Waiting.secondsSince(begun));
        assertThat(two.nodesIn("placement")).doesNotHaveDuplicates().hasSize(2);
        assertThat(two.nodesIn("removed")).as("tombstones").containsExactly(lost);
        assertThat(three.nodesIn("placement")).doesNotHaveDuplicates().hasSize(3);
        loadOfThree.check();
        loadOfTwo.check();

        machines.start(lost);
        begun = System.nanoTime();
        Waiting.until(
                "three copies again",
                HEALED,
                () -> three.condition("Redundant").startsWith("True"),
                () -> three.condition("Redundant"));
        Waiting.until(
                "the tombstone is obeyed", HEALED, () -> two.nodesIn("removed").isEmpty(), () -> two.nodesIn("removed")
                        .toString());
        System.out.printf("[gabion] three copies again %d s after the node is Ready%n", Waiting.secondsSince(begun));
        assertThat(loadOfThree.finish()).isPositive();
        assertThat(loadOfTwo.finish()).isPositive();
        System.out.printf(
                "[gabion] longest pause %d ms with three copies, %d ms with two%n",
                loadOfThree.longestPause().toMillis(), loadOfTwo.longestPause().toMillis());
        userOfThree.stop();
        userOfTwo.stop();
        everyCopyHoldsTheSame(three, cluster.storageNodes());
    }

    /** The lead follows the pod, and reads are served by the copy that leads: each of them shows all that it holds. */
    private static void everyCopyHoldsTheSame(Claim claim, List<String> nodes) {
        Map<String, String> digests = new TreeMap<>();
        for (String node : nodes) {
            ToolPod reader = ToolPod.start(claim, node);
            Waiting.untilEqual("lead of " + claim.name(), NOTICED, node, () -> claim.volumeStatus()
                    .path("primaryNode")
                    .asText());
            digests.put(node, reader.run("dd if=/dev/volume bs=1M iflag=direct status=none | sha256sum"));
            reader.stop();
        }
        assertThat(Set.copyOf(digests.values()))
                .as("digests by node: %s", digests)
                .hasSize(1);
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
}
