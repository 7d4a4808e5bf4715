package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Claims are deleted while a node with a copy has no power: their volumes are gone soon, and the space once the node is back. */
@Journey
@Tag("deletion")
class DeletionIT {
    private static final Duration COPIES = Duration.ofMinutes(2);
    private static final Duration NOTICED = Duration.ofMinutes(2);
    /** Also when the leaders of the operator and of the provisioner died with the node: their leases run out first. */
    private static final Duration GONE = Duration.ofSeconds(30);

    private static final Duration SPACE_RETURNS = Duration.ofMinutes(3);
    private static final long MIB = 1L << 20;
    private static final int STORED_MEBIBYTES = 128;

    @Test
    void claimsOfADeadNodeAreDeletedAndItsSpaceReturnsWithIt(Workspace workspace) {
        Cluster cluster = workspace.cluster();
        Machines machines = Machines.ofThreeStorageNodes(cluster);
        String lost = cluster.storageNodes().getLast();
        double empty = cluster.steadyUsedBytes(List.of(lost));
        Claim sudden = filled(workspace, "sudden");
        Claim later = filled(workspace, "later");
        assertThat(cluster.usedBytes(lost))
                .as("with the data of two volumes")
                .isGreaterThan(empty + 2.0 * STORED_MEBIBYTES * MIB);
        try {
            machines.kill(lost);
            long atOnce = secondsToDelete(cluster, sudden, GONE);
            Waiting.until(
                    "the loss of " + lost + " is known",
                    NOTICED,
                    () -> !ready(cluster, lost).equals("True"),
                    () -> ready(cluster, lost));
            long afterwards = secondsToDelete(cluster, later, GONE);
            System.out.printf(
                    "[gabion] volume gone %d s after its claim when the node had just died, %d s when its death was known%n",
                    atOnce, afterwards);
            assertThat(tombstones(cluster, lost)).as("left for the node").isEqualTo(2);
        } finally {
            machines.start(lost);
        }
        long begun = System.nanoTime();
        Waiting.until(
                "the tombstones are obeyed",
                SPACE_RETURNS,
                () -> tombstones(cluster, lost) == 0,
                () -> cluster.kubectl().field(".spec.tombstones", "storagenode", lost));
        System.out.printf(
                "[gabion] its tombstones are obeyed %d s after the node is Ready%n", Waiting.secondsSince(begun));
        Waiting.until(
                "the space on " + lost + " is free again",
                SPACE_RETURNS,
                () -> ready(cluster, lost).equals("True") && cluster.usedBytes(lost) < empty + STORED_MEBIBYTES * MIB,
                () -> ready(cluster, lost) + ", " + empty + " bytes used at first");
        System.out.printf(
                "[gabion] its space is free again %d s after the node is Ready%n", Waiting.secondsSince(begun));
    }

    /** A claim with three copies and data, used by nobody any more. */
    private static Claim filled(Workspace workspace, String name) {
        Claim claim = workspace.claim(name, "gabion-replicated", "1Gi");
        ToolPod pod = ToolPod.start(claim, workspace.cluster().disklessNode());
        claim.awaitCopies(3, COPIES);
        pod.run("head -c " + STORED_MEBIBYTES + "M /dev/urandom > /data/content && sync /data/content");
        pod.stop();
        Waiting.untilEqual("nobody uses " + name, COPIES, "", () -> claim.volumeStatus()
                .path("attachedTo")
                .asText());
        return claim;
    }

    private static long secondsToDelete(Cluster cluster, Claim claim, Duration limit) {
        String volume = claim.volume();
        long begun = System.nanoTime();
        claim.delete();
        Waiting.untilEqual("volume of " + claim.name(), limit, "", () -> cluster.kubectl()
                .field(".metadata.name", "volumes.gabion.io", volume));
        return Waiting.secondsSince(begun);
    }

    private static String ready(Cluster cluster, String node) {
        return cluster.kubectl().field(".status.conditions[?(@.type==\"Ready\")].status", "storagenode", node);
    }

    private static int tombstones(Cluster cluster, String node) {
        return cluster.kubectl()
                .get("storagenode", node)
                .path("spec")
                .path("tombstones")
                .size();
    }
}
