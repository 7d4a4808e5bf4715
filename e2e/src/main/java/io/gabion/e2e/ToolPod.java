package io.gabion.e2e;

import java.time.Duration;

/** A pod with a claim on a certain node: as a file system at /data, or as the raw device /dev/volume. */
public record ToolPod(Kubectl kubectl, Claim claim, String name, String node) {
    private static final Duration STARTS = Duration.ofMinutes(2);
    private static final Duration STOPS = Duration.ofMinutes(1);

    /** Starts it and waits until it runs. */
    public static ToolPod start(Claim claim, String node) {
        ToolPod pod = new ToolPod(claim.kubectl(), claim, claim.name() + "-user", node);
        pod.kubectl.apply(pod.manifest());
        Waiting.untilEqual(
                pod.name + " on " + node,
                STARTS,
                "Running",
                () -> pod.kubectl.field(".status.phase", "-n", claim.namespace(), "pod", pod.name));
        return pod;
    }

    private String manifest() {
        String volume = claim.block()
                ? "volumeDevices: [{name: volume, devicePath: /dev/volume}]"
                : "volumeMounts: [{name: volume, mountPath: /data}]";
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
                      persistentVolumeClaim: {claimName: %s}
                """.formatted(name, claim.namespace(), node, Cluster.TOOLS_IMAGE, volume, claim.name());
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
