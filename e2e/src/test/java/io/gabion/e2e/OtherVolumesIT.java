package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Volumes that are asked for in other ways than by a claim that one pod uses. */
@Journey
@Tag("other-volumes")
class OtherVolumesIT {
    private static final Duration STARTS = Duration.ofMinutes(2);
    private static final Duration GONE = Duration.ofMinutes(1);

    @Test
    void aVolumeOfOnePodComesAndGoesWithIt(Workspace workspace) {
        Kubectl kubectl = workspace.cluster().kubectl();
        start(workspace, "passing", workspace.cluster().disklessNode(), """
                ephemeral:
                        volumeClaimTemplate:
                          spec:
                            accessModes: [ReadWriteOnce]
                            storageClassName: gabion-replicated
                            resources: {requests: {storage: 128Mi}}""");
        assertThat(in(workspace, "passing", "echo here > /data/line && sync /data/line && findmnt -n -o FSTYPE /data"))
                .isEqualTo("ext4");
        String volume = new Claim(kubectl, workspace.name(), "passing-volume", false).volume();
        assertThat(volume).isNotEmpty();

        kubectl.run("delete", "pod", "passing", "-n", workspace.name());
        Waiting.untilEqual(
                "the volume of the pod that is gone",
                GONE,
                "",
                () -> kubectl.field(".metadata.name", "volumes.gabion.io", volume));
    }

    @Test
    void aVolumeMadeByHandIsBoundByAPersistentVolumeMadeByHand(Workspace workspace) {
        Kubectl kubectl = workspace.cluster().kubectl();
        // Both have no namespace.
        String name = workspace.name();
        kubectl.apply("""
                apiVersion: gabion.io/v1alpha1
                kind: Volume
                metadata: {name: %1$s}
                spec: {pool: %2$s, size: 256Mi, replicas: 2}
                ---
                apiVersion: v1
                kind: PersistentVolume
                metadata: {name: %1$s}
                spec:
                  capacity: {storage: 256Mi}
                  accessModes: [ReadWriteOnce]
                  persistentVolumeReclaimPolicy: Retain
                  storageClassName: ""
                  csi: {driver: csi.gabion.io, volumeHandle: %1$s, fsType: ext4}
                ---
                apiVersion: v1
                kind: PersistentVolumeClaim
                metadata: {name: by-hand, namespace: %1$s}
                spec:
                  storageClassName: ""
                  volumeName: %1$s
                  accessModes: [ReadWriteOnce]
                  resources: {requests: {storage: 256Mi}}
                """.formatted(name, kubectl.field(".items[0].metadata.name", "storagepools")));
        Claim claim = new Claim(kubectl, name, "by-hand", false);
        try {
            ToolPod first =
                    ToolPod.start(claim, workspace.cluster().storageNodes().getFirst());
            first.run("echo kept > /data/line && sync /data/line");
            first.stop();
            claim.awaitCopies(2, STARTS);
            // The claim is given up; volume and content stay for the next one.
            claim.delete();
            kubectl.run("patch", "persistentvolume", name, "--type=json", "-p", """
                    [{"op": "remove", "path": "/spec/claimRef"}]""");
            kubectl.apply("""
                    apiVersion: v1
                    kind: PersistentVolumeClaim
                    metadata: {name: again, namespace: %1$s}
                    spec:
                      storageClassName: ""
                      volumeName: %1$s
                      accessModes: [ReadWriteOnce]
                      resources: {requests: {storage: 256Mi}}
                    """.formatted(name));
            ToolPod second = ToolPod.start(
                    new Claim(kubectl, name, "again", false),
                    workspace.cluster().disklessNode());
            assertThat(second.run("cat /data/line")).isEqualTo("kept");
            second.stop();
            kubectl.run("delete", "pvc", "again", "-n", name);
        } finally {
            kubectl.run("delete", "persistentvolume", name, "--ignore-not-found");
            kubectl.run("delete", "volumes.gabion.io", name, "--wait=false");
        }
        Waiting.untilEqual(
                "the volume made by hand", GONE, "", () -> kubectl.field(".metadata.name", "volumes.gabion.io", name));
    }

    @Test
    void podsOfOneNodeShareAVolumeAndAPodAloneIsAloneWithIt(Workspace workspace) {
        Kubectl kubectl = workspace.cluster().kubectl();
        String node = workspace.cluster().storageNodes().getLast();
        workspace.claim("shared", "gabion-replicated", "128Mi");
        start(workspace, "writer", node, "persistentVolumeClaim: {claimName: shared}");
        start(workspace, "reader", node, "persistentVolumeClaim: {claimName: shared}");
        in(workspace, "writer", "echo seen > /data/line && sync /data/line");
        assertThat(in(workspace, "reader", "cat /data/line")).isEqualTo("seen");

        kubectl.apply("""
                apiVersion: v1
                kind: PersistentVolumeClaim
                metadata: {name: alone, namespace: %s}
                spec:
                  storageClassName: gabion-replicated
                  accessModes: [ReadWriteOncePod]
                  resources: {requests: {storage: 128Mi}}
                """.formatted(workspace.name()));
        start(workspace, "first", node, "persistentVolumeClaim: {claimName: alone}");
        kubectl.apply(pod(workspace, "second", node, "persistentVolumeClaim: {claimName: alone}"));
        Waiting.until(
                "the second pod waits for the first",
                STARTS,
                () -> kubectl.attempt(
                                "get", "events", "-n", workspace.name(), "--field-selector=involvedObject.name=second")
                        .output()
                        .contains("ReadWriteOncePod"),
                () -> kubectl.attempt("describe", "pod", "-n", workspace.name(), "second")
                        .output());
        kubectl.run("delete", "pod", "first", "-n", workspace.name());
        running(workspace, "second");
        kubectl.run("delete", "pods", "--all", "-n", workspace.name());
    }

    private static void start(Workspace workspace, String pod, String node, String source) {
        workspace.cluster().kubectl().apply(pod(workspace, pod, node, source));
        running(workspace, pod);
    }

    private static void running(Workspace workspace, String pod) {
        ToolPod.awaitRunning(workspace.cluster().kubectl(), workspace.name(), "pod " + pod, pod);
    }

    private static String in(Workspace workspace, String pod, String script) {
        return workspace.cluster().kubectl().run("exec", "-n", workspace.name(), pod, "--", "sh", "-euc", script);
    }

    private static String pod(Workspace workspace, String name, String node, String source) {
        return ToolPod.manifest(
                workspace.name(), name, node, "volumeMounts: [{name: volume, mountPath: /data}]", source);
    }
}
