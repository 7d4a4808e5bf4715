package io.gabion.node;

import io.gabion.core.message.ClientMessage;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.wire.CloseReason;
import io.gabion.wire.Connection;
import io.gabion.wire.ConnectionHandler;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The connections of agents, numbered. Safe for any thread. */
final class ClientLinks {
    private static final Logger LOG = LoggerFactory.getLogger(ClientLinks.class);
    /** Far above what one agent attaches; bounds what a connection can make this node remember. */
    private static final int MAX_VOLUMES_PER_LINK = 4096;

    /** Bounds descriptors and buffers; an agent needs one connection. */
    private static final int MAX_LINKS = 4096;

    private final ReplicaRegistry replicas;
    private final AtomicLong lastNumber = new AtomicLong();
    private final Map<Long, Connection> connections = new ConcurrentHashMap<>();

    ClientLinks(ReplicaRegistry replicas) {
        this.replicas = replicas;
    }

    boolean isFull() {
        return connections.size() >= MAX_LINKS;
    }

    int size() {
        return connections.size();
    }

    /** Handler of a new connection of the agent on node {@code agent}. */
    ConnectionHandler accept(NodeName agent) {
        return new Link(lastNumber.incrementAndGet(), agent);
    }

    /** Releases the message's payload when the connection is gone. */
    void send(long link, ClientMessage.Response message) {
        Connection connection = connections.get(link);
        if (connection == null) {
            OwnedPayloads.release(message);
            return;
        }
        connection.send(message);
    }

    void close(long link, String reason) {
        Connection connection = connections.get(link);
        if (connection != null) {
            LOG.info("closing the connection of the agent on node {}: {}", connection.peerName(), reason);
            connection.close(reason);
        }
    }

    void closeAll(String reason) {
        connections.values().forEach(connection -> connection.close(reason));
    }

    /** All callbacks come on the connection's loop. */
    private final class Link implements ConnectionHandler {
        private final long number;
        private final NodeName agent;
        private final Set<VolumeId> volumes = new HashSet<>();

        private Link(long number, NodeName agent) {
            this.number = number;
            this.agent = agent;
        }

        @Override
        public void connected(Connection connection) {
            connections.put(number, connection);
        }

        @Override
        public void received(Connection connection, ClientMessage message) {
            if (!(message instanceof ClientMessage.Request request)) {
                OwnedPayloads.release(message);
                connection.close(
                        "an agent sends requests, not " + message.getClass().getSimpleName());
                return;
            }
            if (volumes.size() >= MAX_VOLUMES_PER_LINK && !volumes.contains(request.volume())) {
                OwnedPayloads.release(message);
                connection.close("more than " + MAX_VOLUMES_PER_LINK + " volumes on one connection");
                return;
            }
            if (replicas.fromClient(number, agent, request)) {
                volumes.add(request.volume());
            } else {
                connection.send(new ClientMessage.UnknownVolume(request.volume()));
            }
        }

        /** An agent that does not read its answers gets no more of them to wait for. */
        @Override
        public void writabilityChanged(Connection connection) {
            if (connection.isWritable()) {
                connection.resumeReading();
            } else {
                connection.pauseReading();
            }
        }

        @Override
        public void closed(Connection connection, CloseReason reason) {
            connections.remove(number);
            LOG.debug("agent on node {} left: {}", agent, reason.detail());
            for (VolumeId volume : volumes) {
                replicas.to(volume, hosted -> hosted.clientGone(number));
            }
        }
    }
}
