package io.gabion.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A PersistentVolumeClaim of a test.
 *
 * @param block a raw block device instead of a file system
 */
public record Claim(Kubectl kubectl, String namespace, String name, boolean block) {
    String manifest(String storageClass, String size) {
        return """
                apiVersion: v1
                kind: PersistentVolumeClaim
                metadata: {name: %s, namespace: %s}
                spec:
                  storageClassName: %s
                  accessModes: [ReadWriteOnce]
                  volumeMode: %s
                  resources: {requests: {storage: %s}}
                """.formatted(name, namespace, storageClass, block ? "Block" : "Filesystem", size);
    }

    /** Name of the Volume behind it. */
    public String volume() {
        String persistentVolume = field(".spec.volumeName");
        return kubectl.field(".spec.csi.volumeHandle", "persistentvolume", persistentVolume);
    }

    /** Status of the Volume behind it. */
    public JsonNode volumeStatus() {
        return kubectl.get("volumes.gabion.io", volume()).path("status");
    }

    /** Waits until that many copies are in sync, and no more are wanted. */
    public void awaitCopies(int copies, Duration limit) {
        Waiting.untilEqual("copies of " + name, limit, copies + "/" + copies, () -> volumeStatus()
                .path("copies")
                .asText());
    }

    /** Status and reason of a condition of the Volume, as in {@code False NoPlacement}. */
    public String condition(String type) {
        for (JsonNode condition : volumeStatus().path("conditions")) {
            if (condition.path("type").asText().equals(type)) {
                return condition.path("status").asText() + " "
                        + condition.path("reason").asText();
            }
        }
        return "";
    }

    /** Nodes that the Volume's status lists under {@code placement} or {@code removed}. */
    public List<String> nodesIn(String list) {
        List<String> nodes = new ArrayList<>();
        volumeStatus().path(list).forEach(p -> nodes.add(p.path("node").asText()));
        return nodes;
    }

    /** Asks for a larger volume. */
    public void grow(String size) {
        kubectl.run(
                "patch",
                "pvc",
                name,
                "-n",
                namespace,
                "--type=merge",
                "-p",
                "{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"" + size + "\"}}}}");
    }

    public String field(String jsonPath) {
        return kubectl.field(jsonPath, "-n", namespace, "pvc", name);
    }

    public void delete() {
        kubectl.run("delete", "pvc", name, "-n", namespace, "--wait=false");
    }
}
