package io.gabion.e2e;

import java.time.Duration;

/** The namespace of one test. Closing it deletes everything in it and waits until its volumes are gone. */
public final class Workspace implements AutoCloseable {
    private static final Duration GONE = Duration.ofSeconds(90);

    private final Cluster cluster;
    private final String name;

    Workspace(Cluster cluster, String name) {
        this.cluster = cluster;
        this.name = name;
        cluster.kubectl()
                .apply("{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"" + name + "\"}}");
    }

    public Cluster cluster() {
        return cluster;
    }

    /** Of its namespace. */
    public String name() {
        return name;
    }

    /** A claim with a file system of its class. */
    public Claim claim(String claim, String storageClass, String size) {
        return create(new Claim(cluster.kubectl(), name, claim, false), storageClass, size);
    }

    /** A claim for a raw device. */
    public Claim blockClaim(String claim, String storageClass, String size) {
        return create(new Claim(cluster.kubectl(), name, claim, true), storageClass, size);
    }

    private Claim create(Claim claim, String storageClass, String size) {
        cluster.kubectl().apply(claim.manifest(storageClass, size));
        return claim;
    }

    /** A class like the one of the chart with three copies, with parameters of the test. */
    public void storageClass(String className, String parameters) {
        cluster.kubectl().apply("""
                apiVersion: storage.k8s.io/v1
                kind: StorageClass
                metadata: {name: %s}
                provisioner: csi.gabion.io
                volumeBindingMode: WaitForFirstConsumer
                allowVolumeExpansion: true
                parameters: {%s}
                """.formatted(className, parameters));
    }

    private String volumesLeft() {
        return cluster.kubectl()
                .field(".items[?(@.spec.claimRef.namespace==\"" + name + "\")].metadata.name", "volumes.gabion.io");
    }

    @Override
    public void close() {
        cluster.kubectl().run("delete", "namespace", name, "--wait=false");
        Waiting.untilEqual("volumes left of namespace " + name, GONE, "", this::volumesLeft);
    }
}
