package io.gabion.operator.view;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.gabion.api.v1alpha1.ClaimReference;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import java.util.List;
import java.util.Optional;

/** The cluster as last seen. May lag; what depends on the newest state is decided by compare-and-swap. */
public interface ClusterView {
    List<StoragePool> pools();

    List<StorageNode> storageNodes();

    List<Volume> volumes();

    /** Machines of Kubernetes. */
    List<Node> machines();

    /** Pods of the data plane. */
    List<Pod> dataPlanePods();

    Optional<StorageCluster> cluster();

    /** Pods that use a claim, by name; asked of the API server, empty when it does not tell. */
    List<String> podsOf(ClaimReference claim);

    default Optional<StoragePool> pool(String name) {
        return pools().stream()
                .filter(p -> p.getMetadata().getName().equals(name))
                .findFirst();
    }

    default Optional<StorageNode> storageNode(String name) {
        return storageNodes().stream()
                .filter(n -> n.getMetadata().getName().equals(name))
                .findFirst();
    }

    default Optional<Node> machine(String name) {
        return machines().stream()
                .filter(n -> n.getMetadata().getName().equals(name))
                .findFirst();
    }
}
