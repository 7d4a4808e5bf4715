package io.gabion.agent.session;

import static java.util.Objects.requireNonNull;

import io.gabion.model.NodeName;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where the cluster's storage nodes are, as far as this agent was told; remembered across restarts. Thread-safe. */
public final class NodeBook {
    private static final int MAX_NODES = 1024;

    private final AttachmentFiles files;
    private volatile Map<NodeName, NodeAddress> byName;

    /** What the last process knew. */
    public NodeBook(AttachmentFiles files) throws IOException {
        this.files = requireNonNull(files, "files is null");
        this.byName = index(files.loadNodes());
    }

    private static Map<NodeName, NodeAddress> index(List<NodeAddress> nodes) {
        Map<NodeName, NodeAddress> result = new LinkedHashMap<>();
        for (NodeAddress node : nodes) {
            if (result.put(node.node(), node) != null) {
                throw new IllegalArgumentException("nodes names " + node.node() + " twice");
            }
        }
        if (result.size() > MAX_NODES) {
            throw new IllegalArgumentException("nodes must be at most " + MAX_NODES + ", not " + result.size());
        }
        return result;
    }

    /** Takes the place of all that was known; true where that changes something. */
    synchronized boolean replace(List<NodeAddress> nodes) throws IOException {
        Map<NodeName, NodeAddress> next = index(nodes);
        if (next.equals(byName)) {
            return false;
        }
        files.storeNodes(nodes);
        byName = next;
        return true;
    }

    Optional<NodeAddress> find(NodeName node) {
        return Optional.ofNullable(byName.get(node));
    }

    List<NodeAddress> all() {
        return List.copyOf(byName.values());
    }

    boolean isEmpty() {
        return byName.isEmpty();
    }
}
