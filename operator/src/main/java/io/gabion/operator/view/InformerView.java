package io.gabion.operator.view;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.gabion.api.v1alpha1.ClaimReference;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The cluster as watches tell it, one watch per kind for the whole process. Safe for any thread. */
public final class InformerView implements ClusterView, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(InformerView.class);
    /** Labels of the pods of the data plane, as the chart gives them. */
    public static final Map<String, String> DATA_PLANE_LABELS =
            Map.of("app.kubernetes.io/name", "gabion", "app.kubernetes.io/component", "data-plane");

    /** Watches renew themselves; a full round now and then heals what was missed all the same. */
    private static final long RESYNC_MILLIS = 10 * 60 * 1000L;

    /** Enough to find the others. */
    private static final int MAX_PODS_SHOWN = 5;

    /** Learns of changes. Must return at once. */
    public interface Listener {
        /** @param before absent for a new object; {@code after} is the last state of a removed one */
        void changed(Optional<HasMetadata> before, HasMetadata after);
    }

    private final KubernetesClient client;
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private final SharedIndexInformer<StoragePool> pools;
    private final SharedIndexInformer<StorageNode> nodes;
    private final SharedIndexInformer<Volume> volumes;
    private final SharedIndexInformer<StorageCluster> clusters;
    private final SharedIndexInformer<Node> machines;
    private final SharedIndexInformer<Pod> pods;

    /** Starts the watches and waits for the first lists. */
    public InformerView(KubernetesClient client, String namespace) {
        this.client = client;
        pools = client.resources(StoragePool.class).inform(handler(), RESYNC_MILLIS);
        nodes = client.resources(StorageNode.class).inform(handler(), RESYNC_MILLIS);
        volumes = client.resources(Volume.class).inform(handler(), RESYNC_MILLIS);
        clusters = client.resources(StorageCluster.class).inform(handler(), RESYNC_MILLIS);
        machines = client.nodes().inform(handler(), RESYNC_MILLIS);
        pods = client.pods()
                .inNamespace(namespace)
                .withLabels(DATA_PLANE_LABELS)
                .inform(handler(), RESYNC_MILLIS);
    }

    public void listen(Listener listener) {
        listeners.add(listener);
    }

    private <T extends HasMetadata> ResourceEventHandler<T> handler() {
        return new ResourceEventHandler<>() {
            @Override
            public void onAdd(T object) {
                listeners.forEach(l -> l.changed(Optional.empty(), object));
            }

            @Override
            public void onUpdate(T before, T after) {
                listeners.forEach(l -> l.changed(Optional.of(before), after));
            }

            @Override
            public void onDelete(T object, boolean unknown) {
                listeners.forEach(l -> l.changed(Optional.of(object), object));
            }
        };
    }

    public boolean hasSynced() {
        return pools.hasSynced()
                && nodes.hasSynced()
                && volumes.hasSynced()
                && clusters.hasSynced()
                && machines.hasSynced()
                && pods.hasSynced();
    }

    @Override
    public List<StoragePool> pools() {
        return pools.getStore().list();
    }

    @Override
    public List<StorageNode> storageNodes() {
        return nodes.getStore().list();
    }

    @Override
    public List<Volume> volumes() {
        return volumes.getStore().list();
    }

    @Override
    public List<Node> machines() {
        return machines.getStore().list();
    }

    @Override
    public List<Pod> dataPlanePods() {
        return pods.getStore().list();
    }

    @Override
    public Optional<StorageCluster> cluster() {
        return clusters.getStore().list().stream().findFirst();
    }

    @Override
    public List<String> podsOf(ClaimReference claim) {
        try {
            return client.pods().inNamespace(claim.getNamespace()).list().getItems().stream()
                    .filter(p -> p.getSpec().getVolumes().stream()
                            .anyMatch(v -> v.getPersistentVolumeClaim() != null
                                    && claim.getName()
                                            .equals(v.getPersistentVolumeClaim().getClaimName())))
                    .map(p -> p.getMetadata().getName())
                    .limit(MAX_PODS_SHOWN)
                    .toList();
        } catch (KubernetesClientException e) {
            LOG.info(
                    "the pods of claim {}/{} are not known: {}", claim.getNamespace(), claim.getName(), e.getMessage());
            return List.of();
        }
    }

    @Override
    public Optional<StoragePool> pool(String name) {
        return Optional.ofNullable(pools.getStore().getByKey(name));
    }

    @Override
    public Optional<StorageNode> storageNode(String name) {
        return Optional.ofNullable(nodes.getStore().getByKey(name));
    }

    @Override
    public Optional<Node> machine(String name) {
        return Optional.ofNullable(machines.getStore().getByKey(name));
    }

    @Override
    public void close() {
        List.of(pools, nodes, volumes, clusters, machines, pods).forEach(SharedIndexInformer::stop);
    }
}
