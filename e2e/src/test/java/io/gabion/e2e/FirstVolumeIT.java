package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A claim gets a volume, and the volume follows its pod to every node, one without disks among them. */
@Journey
@Tag("first-volume")
class FirstVolumeIT {
    private static final int MEBIBYTES = 64;

    @Test
    @Tag("quick")
    void aFileSystemOfTheDefaultKindFollowsItsPodToEveryNode(Workspace workspace) {
        filesFollow(workspace, workspace.claim("data", "gabion-replicated", "1Gi"), "ext4");
    }

    @Test
    void anXfsFileSystemFollowsItsPodToEveryNode(Workspace workspace) {
        workspace.storageClass("e2e-xfs", "replicas: \"3\", csi.storage.k8s.io/fstype: xfs");
        filesFollow(workspace, workspace.claim("data", "e2e-xfs", "1Gi"), "xfs");
    }

    @Test
    @Tag("quick")
    void aRawDeviceFollowsItsPodToEveryNode(Workspace workspace) {
        Claim claim = workspace.blockClaim("device", "gabion-replicated", "1Gi");
        String written = "";
        for (String node : workspace.cluster().nodes()) {
            ToolPod pod = ToolPod.start(claim, node);
            if (written.isEmpty()) {
                written = pod.run("""
                        head -c %1$dM /dev/urandom > /tmp/content
                        dd if=/tmp/content of=/dev/volume bs=1M seek=100 oflag=direct conv=fsync status=none
                        sha256sum < /tmp/content""".formatted(MEBIBYTES));
            }
            assertThat(pod.run("blockdev --getsize64 /dev/volume")).isEqualTo(Long.toString(1L << 30));
            assertThat(pod.run("dd if=/dev/volume bs=1M skip=100 count=" + MEBIBYTES
                            + " iflag=direct status=none | sha256sum"))
                    .as("what is on the device on node %s", node)
                    .isEqualTo(written);
            pod.stop();
        }
    }

    private static void filesFollow(Workspace workspace, Claim claim, String fileSystem) {
        String written = "";
        int visits = 0;
        for (String node : workspace.cluster().nodes()) {
            ToolPod pod = ToolPod.start(claim, node);
            if (written.isEmpty()) {
                written = pod.run("head -c " + MEBIBYTES + "M /dev/urandom > /data/content && sync /data/content"
                        + " && sha256sum < /data/content");
            }
            assertThat(pod.run("findmnt -n -o FSTYPE /data")).isEqualTo(fileSystem);
            assertThat(pod.run("dd if=/data/content bs=1M iflag=direct status=none | sha256sum"))
                    .as("the file on node %s", node)
                    .isEqualTo(written);
            // What every node before this one has left behind is there too.
            assertThat(pod.run("echo " + node + " >> /data/visits && sync /data/visits && wc -l < /data/visits"))
                    .isEqualTo(Integer.toString(++visits));
            pod.stop();
        }
    }
}
