package io.gabion.csi.node;

import io.gabion.csi.agent.NodeAgent;
import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.StorageNodes;
import io.gabion.csi.rpc.CsiFailure;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the agent where the storage nodes are: at once, after each change, and now and then, for an agent that was replaced
 * asks nobody.
 */
public final class NodePush implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodePush.class);
    private static final Duration AGAIN = Duration.ofSeconds(30);
    private static final Duration RETRY = Duration.ofSeconds(2);

    private final NodeAgent agent;
    private final AtomicReference<List<StorageNodes.Address>> latest = new AtomicReference<>(List.of());
    private final BlockingQueue<Boolean> changed = new ArrayBlockingQueue<>(1);
    private final StorageNodes.Subscription subscription;
    private final Thread thread;

    private NodePush(NodeAgent agent, StorageNodes nodes) {
        this.agent = agent;
        this.subscription = nodes.watch(this::update);
        this.thread = Thread.ofVirtual().name("node-push").start(this::run);
    }

    public static NodePush start(NodeAgent agent, StorageNodes nodes) {
        return new NodePush(agent, nodes);
    }

    private void update(List<StorageNodes.Address> nodes) {
        latest.set(nodes);
        // Full when a round is due already; it takes the latest.
        changed.offer(true);
    }

    private void run() {
        List<StorageNodes.Address> sent = List.of();
        boolean failed = false;
        while (!Thread.currentThread().isInterrupted()) {
            List<StorageNodes.Address> nodes = latest.get();
            if (!nodes.isEmpty()) {
                failed = !push(nodes, failed);
                sent = failed ? sent : nodes;
            }
            try {
                boolean stale = failed || !latest.get().equals(sent);
                changed.poll((stale ? RETRY : AGAIN).toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private boolean push(List<StorageNodes.Address> nodes, boolean failedBefore) {
        try {
            agent.updateNodes(nodes);
            if (failedBefore) {
                LOG.info("the agent knows the storage nodes again");
            }
            return true;
        } catch (BackendUnavailableException | CsiFailure e) {
            if (!failedBefore) {
                LOG.warn("the agent cannot be told where the storage nodes are: {}", e.getMessage());
            }
            return false;
        }
    }

    @Override
    public void close() {
        subscription.close();
        thread.interrupt();
    }
}
