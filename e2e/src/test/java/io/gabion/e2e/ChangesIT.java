package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What people change on a volume in use: its size and the number of its copies. And deletion, which gives the space back. */
@Journey
@Tag("changes")
class ChangesIT {
    private static final Duration GROWS = Duration.ofSeconds(90);
    private static final Duration COPIES_CHANGE = Duration.ofMinutes(3);
    private static final Duration SPACE_RETURNS = Duration.ofSeconds(90);
    private static final Duration STILL = Duration.ofSeconds(5);
    private static final long GIB = 1L << 30;
    private static final long MIB = 1L << 20;
    private static final int FIO_MEBIBYTES = 16;
    private static final int STORED_MEBIBYTES = 256;

    @Test
    @Tag("quick")
    void aMountedFileSystemGrows(Workspace workspace) {
        workspace.storageClass("e2e-xfs", "replicas: \"3\", csi.storage.k8s.io/fstype: xfs");
        Claim claim = workspace.claim("data", "e2e-xfs", "1Gi");
        ToolPod pod = ToolPod.start(claim, workspace.cluster().nodes().getFirst());
        FioVerify fio = FioVerify.start(pod, FIO_MEBIBYTES);
        grow(claim, pod);
        Waiting.untilEqual("capacity of the claim", GROWS, "2Gi", () -> claim.field(".status.capacity.storage"));
        assertThat(fio.finish()).isPositive();
        assertThat(sizeOf(pod)).isGreaterThan(2 * GIB - 200 * MIB);
        pod.stop();
    }

    /** Some machines let nobody grow a mounted ext4; there it grows when the next pod starts. */
    @Test
    void anExt4FileSystemGrowsAtTheLatestForTheNextPod(Workspace workspace) {
        Claim claim = workspace.claim("data", "gabion-replicated", "1Gi");
        ToolPod first = ToolPod.start(claim, workspace.cluster().nodes().getFirst());
        String written = first.run(
                "head -c 32M /dev/urandom > /data/content && sync /data/content && sha256sum < /data/content");
        grow(claim, first);
        first.stop();
        ToolPod next = ToolPod.start(claim, workspace.cluster().nodes().getLast());
        Waiting.untilEqual("capacity of the claim", GROWS, "2Gi", () -> claim.field(".status.capacity.storage"));
        assertThat(sizeOf(next)).isGreaterThan(2 * GIB - 200 * MIB);
        assertThat(next.run("sha256sum < /data/content")).isEqualTo(written);
        next.stop();
    }

    @Test
    void aRawDeviceGrows(Workspace workspace) {
        Claim claim = workspace.blockClaim("data", "gabion-replicated", "1Gi");
        ToolPod pod = ToolPod.start(claim, workspace.cluster().nodes().getFirst());
        grow(claim, pod);
        Waiting.untilEqual(
                "size of the device in the pod",
                GROWS,
                Long.toString(2 * GIB),
                () -> pod.run("blockdev --getsize64 /dev/volume"));
        pod.stop();
    }

    @Test
    void theNumberOfCopiesFollowsKubectlScale(Workspace workspace) {
        Claim claim = workspace.claim("data", "gabion-two", "1Gi");
        ToolPod pod = ToolPod.start(claim, workspace.cluster().storageNodes().getFirst());
        FioVerify fio = FioVerify.start(pod, FIO_MEBIBYTES);
        claim.awaitCopies(2, COPIES_CHANGE);
        for (int copies : new int[] {3, 2}) {
            claim.kubectl().run("scale", "volumes.gabion.io", claim.volume(), "--replicas=" + copies);
            claim.awaitCopies(copies, COPIES_CHANGE);
            fio.check();
        }
        assertThat(fio.finish()).isPositive();
        pod.stop();
    }

    @Test
    @Tag("quick")
    void aDeletedClaimGivesItsSpaceBack(Workspace workspace) {
        Cluster cluster = workspace.cluster();
        awaitStillness(cluster);
        double before = cluster.steadyUsedBytes(cluster.storageNodes());
        Claim claim = workspace.claim("data", "gabion-replicated", "1Gi");
        ToolPod pod = ToolPod.start(claim, cluster.storageNodes().getFirst());
        pod.run("head -c " + STORED_MEBIBYTES + "M /dev/urandom > /data/content && sync /data/content");
        String volume = claim.volume();
        double stored = (double) STORED_MEBIBYTES * MIB * 3;
        assertThat(usedBytes(cluster)).as("with the data of three copies").isGreaterThan(before + stored);
        pod.stop();
        claim.delete();
        Waiting.untilEqual("the volume", SPACE_RETURNS, "", () -> cluster.kubectl()
                .field(".metadata.name", "volumes.gabion.io", volume));
        Waiting.until(
                "the space is free again",
                SPACE_RETURNS,
                () -> usedBytes(cluster) < before + stored / 10,
                () -> usedBytes(cluster) + " bytes used, " + before + " before");
    }

    private static long sizeOf(ToolPod pod) {
        return Long.parseLong(
                pod.run("df --block-size=1 --output=size /data | tail -n 1").strip());
    }

    private static void grow(Claim claim, ToolPod pod) {
        claim.grow("2Gi");
        Waiting.until(
                "the volume has grown, and now it is the node's turn",
                GROWS,
                () -> claim.field(".status.allocatedResourceStatuses.storage").startsWith("Node")
                        || claim.field(".status.capacity.storage").equals("2Gi"),
                () -> claim.field(".status"));
        pod.nudge();
    }

    /** Volumes of earlier tests may still be on their way out. */
    private static void awaitStillness(Cluster cluster) {
        double[] last = {-1};
        Waiting.until(
                "used space stays as it is",
                SPACE_RETURNS,
                () -> {
                    double now = usedBytes(cluster);
                    boolean still = Math.abs(now - last[0]) < MIB;
                    last[0] = now;
                    Waiting.pass(STILL);
                    return still;
                },
                () -> Double.toString(last[0]));
    }

    /** On all storage nodes. */
    private static double usedBytes(Cluster cluster) {
        return cluster.usedBytes(cluster.storageNodes());
    }
}
