package io.gabion.e2e;

import java.time.Duration;

/** A pod with a claim on a certain node: as a file system at /data, or as the raw device /dev/volume. */
public record ToolPod(Kubectl kubectl, Claim claim, String name, String node) {
    private static final Duration STARTS = Duration.ofMinutes(2);
    private static final Duration STOPS = Duration.ofMinutes(1);

    /** Starts it and waits until it runs. */
    public static ToolPod start(Claim claim, String node) {
        ToolPod pod = new ToolPod(claim.kubectl(), claim, claim.name() + "-user", node);
        String use = claim.block()
                ? "volumeDevices: [{name: volume, devicePath: /dev/volume}]"
                : "volumeMounts: [{name: volume, mountPath: /data}]";
        pod.kubectl.apply(manifest(
                claim.namespace(), pod.name, node, use, "persistentVolumeClaim: {claimName: " + claim.name() + "}"));
        awaitRunning(pod.kubectl, claim.namespace(), pod.name + " on " + node, pod.name);
        return pod;
    }

    static void awaitRunning(Kubectl kubectl, String namespace, String what, String name) {
        Waiting.untilEqual(what, STARTS, "Running", () -> kubectl.field(".status.phase", "-n", namespace, "pod", name));
    }

    /**
     * A pod with the tools and one volume.
     *
     * @param use of the volume by the container, a field of it
     * @param source of the volume, a field of it
     */
    static String manifest(String namespace, String name, String node, String use, String source) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: %s}
                spec:
                  nodeSelector: {kubernetes.io/hostname: %s}
                  terminationGracePeriodSeconds: 2
                  tolerations: [{operator: Exists}]
                  containers:
                    - name: tools
                      image: %s
                      imagePullPolicy: IfNotPresent
                      command: [sh, -c, "trap 'exit 0' TERM; sleep infinity & wait"]
                      %s
                  volumes:
                    - name: volume
                      %s
                """.formatted(name, namespace, node, Cluster.TOOLS_IMAGE, use, source);
    }

    /** Where the volume is in the pod: a directory or a device. */
    public String path() {
        return claim.block() ? "/dev/volume" : "/data";
    }

    /** Runs a script in it and returns what it printed. */
    public String run(String script) {
        return kubectl.run("exec", "-n", claim.namespace(), name, "--", "sh", "-euc", script);
    }

    /** Makes the kubelet look at the pod now and not within its next one and a half minutes. */
    public void nudge() {
        kubectl.run("annotate", "pod", name, "-n", claim.namespace(), "--overwrite", "e2e/nudge=" + System.nanoTime());
    }

    /** Deletes it and waits until it is gone. */
    public void stop() {
        kubectl.run("delete", "pod", name, "-n", claim.namespace(), "--wait=false");
        Waiting.untilEqual(
                name + " on " + node + " is gone",
                STOPS,
                "",
                () -> kubectl.field(".metadata.name", "-n", claim.namespace(), "pod", name));
    }
}
