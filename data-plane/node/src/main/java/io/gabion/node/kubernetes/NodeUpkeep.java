package io.gabion.node.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.model.NodeName;
import io.gabion.node.configstore.RecordUpkeep;
import io.gabion.node.control.NodeOperations;
import io.gabion.process.Readiness;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the StorageNode of a running node up to date, and obeys what it asks for. */
public final class NodeUpkeep implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeUpkeep.class);
    private static final long LOOK_SECONDS = 5;

    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("gabion-status").daemon(true).factory());
    private final StatusPublisher publisher;
    private final TombstoneUpkeep tombstones;
    private final Readiness readiness;

    public NodeUpkeep(
            KubernetesConfigurationStore store,
            NodeName self,
            NodeAssignment.Disk disk,
            NodeOperations node,
            RecordUpkeep.Replicas replicas,
            Readiness readiness) {
        this.publisher =
                new StatusPublisher(store.nodes(), node, disk, DiskMedia.of(disk.directory()), System::nanoTime);
        this.tombstones = new TombstoneUpkeep(store.nodes(), self, store::readNow, replicas);
        this.readiness = readiness;
    }

    /** Begins, and goes on until it is closed. */
    public void start() {
        var unused = thread.scheduleWithFixedDelay(this::look, 0, LOOK_SECONDS, TimeUnit.SECONDS);
    }

    private void look() {
        try {
            publisher.publish();
            if (readiness.obstacle().isEmpty()) {
                tombstones.settle();
            }
        } catch (RuntimeException e) {
            LOG.error("the status of this node could not be kept up to date", e);
        }
    }

    /** Tells why the disk could not be opened, as well as it goes. Blocks. */
    public static void reportFailure(KubernetesClient client, NodeName self, NodeAssignment.Disk disk, String reason) {
        try (ApiCalls calls = new ApiCalls();
                NodeObjects nodes = new NodeObjects(client, calls, self)) {
            nodes.merge(StatusPublisher.failed(disk, reason));
        } catch (KubernetesClientException e) {
            LOG.warn("the failure is not in the status of StorageNode {}: {}", self, e.getMessage());
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
