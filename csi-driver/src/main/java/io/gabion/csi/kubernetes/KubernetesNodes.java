package io.gabion.csi.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.gabion.api.record.NodeRecords;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.csi.backend.StorageNodes;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Addresses of storage nodes, from a watch on StorageNode objects. */
public final class KubernetesNodes implements StorageNodes, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesNodes.class);

    private final SharedIndexInformer<StorageNode> informer;
    private final List<Consumer<List<Address>>> listeners = new CopyOnWriteArrayList<>();

    /** Starts watching; does not wait for the API server. */
    public KubernetesNodes(KubernetesClient client) {
        informer = client.resources(StorageNode.class).runnableInformer(0);
        informer.addEventHandler(new ResourceEventHandler<>() {
            @Override
            public void onAdd(StorageNode node) {
                tell();
            }

            @Override
            public void onUpdate(StorageNode before, StorageNode now) {
                if (!address(before).equals(address(now))) {
                    tell();
                }
            }

            @Override
            public void onDelete(StorageNode node, boolean unknown) {
                tell();
            }
        });
        // For ever: an API server that is away comes back.
        informer.exceptionHandler((started, failure) -> {
            LOG.warn("watching storage nodes: {}", failure.toString());
            return true;
        });
        var unused = informer.start();
    }

    @Override
    public List<Address> current() {
        return informer.getIndexer().list().stream()
                .flatMap(node -> address(node).stream())
                .sorted(Comparator.comparing(Address::node))
                .toList();
    }

    private static Optional<Address> address(StorageNode node) {
        try {
            return NodeRecords.node(node)
                    .map(record -> new Address(record.name(), record.host(), record.dataPort(), record.controlPort()));
        } catch (IllegalArgumentException e) {
            LOG.warn("storage node {}: {}", node.getMetadata().getName(), e.getMessage());
            return Optional.empty();
        }
    }

    @Override
    public Subscription watch(Consumer<List<Address>> listener) {
        listeners.add(listener);
        listener.accept(current());
        return () -> listeners.remove(listener);
    }

    private void tell() {
        List<Address> addresses = current();
        listeners.forEach(listener -> listener.accept(addresses));
    }

    @Override
    public void close() {
        informer.close();
    }
}
