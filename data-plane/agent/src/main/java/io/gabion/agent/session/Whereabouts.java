package io.gabion.agent.session;

import static java.util.Objects.requireNonNull;

import io.gabion.model.NodeName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which nodes one volume looks for its primary on: those that were named when it was attached and those that other nodes named
 * since; all of the cluster when nothing was named, or when the search took long. On the volume's loop.
 */
final class Whereabouts {
    private final NodeBook book;
    private final Set<NodeName> named = new LinkedHashSet<>();
    private final Map<NodeName, NodeAddress> lastKnown = new HashMap<>();
    private boolean everywhere;

    Whereabouts(List<NodeAddress> nodes, NodeBook book) {
        this.book = requireNonNull(book, "book is null");
        name(nodes);
        everywhere = nodes.isEmpty();
    }

    void name(List<NodeAddress> nodes) {
        for (NodeAddress node : nodes) {
            named.add(node.node());
            lastKnown.put(node.node(), node);
        }
    }

    /** In the order in which to try them. A node that left the cluster is not among them; nothing known, nobody left. */
    List<NodeName> candidates() {
        Set<NodeName> result = new LinkedHashSet<>();
        for (NodeName node : named) {
            if (book.isEmpty() || book.find(node).isPresent()) {
                result.add(node);
            }
        }
        if (everywhere || result.isEmpty()) {
            for (NodeAddress node : book.all()) {
                if (result.size() < Attachment.MAX_NODES) {
                    result.add(node.node());
                }
            }
        }
        return new ArrayList<>(result);
    }

    /** The newest address; of a node that left, the last one. */
    Optional<NodeAddress> address(NodeName node) {
        Optional<NodeAddress> known = book.find(node);
        known.ifPresent(address -> lastKnown.put(node, address));
        return known.isPresent() ? known : Optional.ofNullable(lastKnown.get(node));
    }

    /** Somebody says that this node serves the volume; true where that is news, and its address is known. */
    boolean learn(NodeName node) {
        return book.find(node).isPresent() && named.add(node);
    }

    /** Nobody that was named serves the volume; true where that leaves more nodes to ask. */
    boolean widen() {
        boolean news = !everywhere && !book.isEmpty();
        everywhere |= news;
        return news;
    }
}
