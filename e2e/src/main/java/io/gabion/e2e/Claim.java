package io.gabion.e2e;

import com.fasterxml.jackson.databind.JsonNode;

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
