package io.gabion.api.certificate;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.model.ClusterId;
import java.util.Optional;

/** Which cluster this is: part of the name in every certificate. */
public final class ClusterIdentity {
    private ClusterIdentity() {}

    /**
     * As the StorageCluster says; empty until the operator has written it. Blocks. Throws {@link IllegalArgumentException} when it
     * is malformed.
     */
    public static Optional<ClusterId> read(KubernetesClient client) {
        StorageCluster found = client.resources(StorageCluster.class)
                .withName(StorageCluster.NAME)
                .get();
        return Optional.ofNullable(found)
                .map(cluster -> cluster.getStatus().getClusterId())
                .map(ClusterId::of);
    }
}
