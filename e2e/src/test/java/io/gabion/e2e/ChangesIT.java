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
    private static final long GIB = 1L << 30;
    private static final long MIB = 1L << 20;
    private static final int FIO_MEBIBYTES = 16;
    private static final int STORED_MEBIBYTES = 256;

    @Test
    @Tag("quick")
    void aMountedFileSystemGrows(Workspace workspace) {
        Claim claim = workspace.claim("data", "gabion-replicated", "1Gi");
        ToolPod pod = ToolPod.start(claim, workspace.cluster().nodes().getFirst());
        FioVerify fio = FioVerify.start(pod, FIO_MEBIBYTES);
        claim.grow("2Gi");
        Waiting.untilEqual("capacity of the claim", GROWS, "2Gi", () -> claim.field(".status.capacity.storage"));
        assertThat(fio.finish()).isPositive();
        assertThat(Long.parseLong(pod.run("df --block-size=1 --output=size /data | tail -n 1")
                        .strip()))
                .isGreaterThan(2 * GIB - 200 * MIB);
        pod.stop();
    }

    @Test
    void aRawDeviceGrows(Workspace workspace) {
        Claim claim = workspace.blockClaim("data", "gabion-replicated", "1Gi");
        ToolPod pod = ToolPod.start(claim, workspace.cluster().nodes().getFirst());
        claim.grow("2Gi");
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
        awaitCopies(claim, 2);
        for (int copies : new int[] {3, 2}) {
            claim.kubectl().run("scale", "volumes.gabion.io", claim.volume(), "--replicas=" + copies);
            awaitCopies(claim, copies);
            fio.check();
        }
        assertThat(fio.finish()).isPositive();
        pod.stop();
    }

    @Test
    @Tag("quick")
    void aDeletedClaimGivesItsSpaceBack(Workspace workspace) {
        Cluster cluster = workspace.cluster();
        long before = usedBytes(cluster);
        Claim claim = workspace.claim("data", "gabion-replicated", "1Gi");
        ToolPod pod = ToolPod.start(claim, cluster.storageNodes().getFirst());
        pod.run("head -c " + STORED_MEBIBYTES + "M /dev/urandom > /data/content && sync /data/content");
        String volume = claim.volume();
        long stored = (long) STORED_MEBIBYTES * MIB * cluster.storageNodes().size();
        Waiting.until(
                "the pool counts what was written",
                SPACE_RETURNS,
                () -> usedBytes(cluster) >= before + stored,
                () -> usedBytes(cluster) + " bytes used, " + before + " before");
        pod.stop();
        claim.delete();
        Waiting.untilEqual("the volume", SPACE_RETURNS, "", () -> cluster.kubectl()
                .field(".metadata.name", "volumes.gabion.io", volume));
        Waiting.until(
                "the pool counts the space as free again",
                SPACE_RETURNS,
                () -> usedBytes(cluster) < before + stored / 4,
                () -> usedBytes(cluster) + " bytes used, " + before + " before");
    }

    private static void awaitCopies(Claim claim, int copies) {
        Waiting.untilEqual(
                "copies of " + claim.volume(), COPIES_CHANGE, copies + "/" + copies, () -> claim.volumeStatus()
                        .path("copies")
                        .asText());
    }

    /** On all storage nodes. */
    private static long usedBytes(Cluster cluster) {
        long sum = 0;
        for (var node : cluster.kubectl().get("storagenodes").path("items")) {
            for (var disk : node.path("status").path("disks")) {
                sum += disk.path("usedBytes").asLong();
            }
        }
        return sum;
    }
}
