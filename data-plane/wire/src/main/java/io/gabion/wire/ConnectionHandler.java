package io.gabion.wire;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.PeerMessage;

/**
 * What a process does with a connection. All calls come on the connection's loop and must not block. An outbound attempt ends
 * either in {@link #connectFailed} or in {@code connected ... closed}; an inbound connection is {@code connected} once, then
 * {@code closed} once.
 *
 * <p>{@code received} hands over one reference of each payload in the message. Messages that the peer's role may not send
 * never arrive here: the connection is closed first. A handler that throws closes its connection.
 */
public interface ConnectionHandler {
    /** The peer is known and messages may be sent. */
    void connected(Connection connection);

    /** Only from a storage node, on a storage node. */
    default void received(Connection connection, PeerMessage message) {
        throw new IllegalStateException("no handler for " + message.getClass().getSimpleName());
    }

    /** Only from a storage node, on a storage node. */
    default void received(Connection connection, NodeMessage message) {
        throw new IllegalStateException("no handler for " + message.getClass().getSimpleName());
    }

    /** Requests on a storage node, responses on an agent. */
    default void received(Connection connection, ClientMessage message) {
        throw new IllegalStateException("no handler for " + message.getClass().getSimpleName());
    }

    /** Everything that could be read at once was received: the time to start I/O in one batch. */
    default void batchComplete(Connection connection) {}

    /** {@link Connection#isWritable} changed. */
    default void writabilityChanged(Connection connection) {}

    /** Last call of a connection. */
    void closed(Connection connection, CloseReason reason);

    /** Last and only call of an outbound attempt that led to no connection. */
    default void connectFailed(CloseReason reason) {}
}
