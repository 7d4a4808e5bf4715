package io.gabion.core.session;

import io.gabion.core.message.ClientMessage;
import io.gabion.model.NodeName;
import java.util.List;

/** What can happen to an agent's session. */
public sealed interface SessionEvent {
    /** First event; the session starts to connect. */
    record Start() implements SessionEvent {}

    record Submitted(BlockRequest request) implements SessionEvent {}

    /** A connection to the node is ready for messages. */
    record LinkUp(NodeName node) implements SessionEvent {}

    /** The connection to the node was lost or could not be made; nothing said on it will be answered. */
    record LinkDown(NodeName node) implements SessionEvent {}

    record Received(NodeName node, ClientMessage.Response message) implements SessionEvent {}

    /** The volume's replicas may live on these nodes from now on. The one that serves it stays until it is lost. */
    record Nodes(List<NodeName> nodes) implements SessionEvent {
        public Nodes {
            nodes = List.copyOf(nodes);
        }
    }

    record Tick() implements SessionEvent {}

    /** Leave in good order: no new requests come after this. */
    record Closed() implements SessionEvent {}
}
