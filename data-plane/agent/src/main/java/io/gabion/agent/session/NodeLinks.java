package io.gabion.agent.session;

import static java.util.Objects.requireNonNull;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.Payload;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.wire.CloseReason;
import io.gabion.wire.Connection;
import io.gabion.wire.ConnectionHandler;
import io.gabion.wire.WireClient;
import io.gabion.wire.WireLoop;
import io.gabion.wire.WireOptions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections of one event loop to storage nodes, shared by all volumes of that loop. A node that some volume wants is
 * connected to again and again, with growing pauses. Everything on the loop.
 */
public final class NodeLinks {
    private static final Logger LOG = LoggerFactory.getLogger(NodeLinks.class);
    /** A restarted process is found quickly; a dead one costs two attempts a second. */
    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** Makes connections; a seam for tests. */
    @FunctionalInterface
    public interface Dialer {
        WireClient.Attempt connect(NodeAddress address, ConnectionHandler handler);
    }

    /** Whoever speaks about one volume on the links. */
    public interface Subscriber {
        VolumeId volume();

        void linkUp(NodeName node);

        void linkDown(NodeName node);

        /** Owns the payloads in the message. */
        void received(NodeName node, ClientMessage.Response message);
    }

    private final WireLoop loop;
    private final Dialer dialer;
    private final Map<NodeName, Link> links = new HashMap<>();

    NodeLinks(WireLoop loop, Dialer dialer) {
        this.loop = requireNonNull(loop, "loop is null");
        this.dialer = requireNonNull(dialer, "dialer is null");
    }

    /** Links of {@code loop} by the wire protocol. */
    public static NodeLinks of(WireOptions options, WireLoop loop) {
        return new NodeLinks(
                loop,
                (address, handler) ->
                        WireClient.connect(options, loop, address.host(), address.port(), address.node(), handler));
    }

    WireLoop loop() {
        return loop;
    }

    /** From now on the subscriber is told when the node can be talked to; at once if it can. */
    void want(NodeAddress address, Subscriber subscriber) {
        Link link = links.computeIfAbsent(address.node(), _ -> new Link(address));
        link.moveTo(address);
        link.subscribers.put(subscriber.volume(), subscriber);
        if (link.connection != null) {
            subscriber.linkUp(address.node());
        } else {
            link.connect();
        }
    }

    /** The node is found there from now on. */
    void moveTo(NodeAddress address) {
        Link link = links.get(address.node());
        if (link != null) {
            link.moveTo(address);
        }
    }

    /** The subscriber needs only these nodes from now on. */
    void keepOnly(Collection<NodeName> nodes, Subscriber subscriber) {
        for (Link link : new ArrayList<>(links.values())) {
            if (!nodes.contains(link.address.node())) {
                release(link, subscriber);
            }
        }
    }

    /** The subscriber is told nothing any more; connections that nobody wants are closed. */
    void leave(Subscriber subscriber) {
        for (Link link : new ArrayList<>(links.values())) {
            release(link, subscriber);
        }
    }

    private void release(Link link, Subscriber subscriber) {
        link.subscribers.remove(subscriber.volume(), subscriber);
        if (link.subscribers.isEmpty()) {
            links.remove(link.address.node());
            link.end();
        }
    }

    /** Sends, or releases the message where there is no connection. */
    void send(NodeName node, ClientMessage.Request message) {
        Link link = links.get(node);
        Connection connection = link == null ? null : link.connection;
        if (connection != null) {
            connection.send(message);
        } else if (message instanceof ClientMessage.Write write) {
            write.payload().release();
        }
    }

    /** One node. */
    private final class Link implements ConnectionHandler {
        private final Map<VolumeId, Subscriber> subscribers = new LinkedHashMap<>();
        private NodeAddress address;
        private @Nullable Connection connection;
        private WireClient.@Nullable Attempt attempt;
        private boolean waiting;
        private boolean ended;
        private boolean failureLogged;
        private long pauseNanos = FIRST_PAUSE_NANOS;

        Link(NodeAddress address) {
            this.address = address;
        }

        void connect() {
            if (!ended && connection == null && attempt == null && !waiting) {
                attempt = dialer.connect(address, this);
            }
        }

        /** What was begun with the former address is given up: nobody answers there any more, or somebody else does. */
        void moveTo(NodeAddress next) {
            if (next.equals(address)) {
                return;
            }
            LOG.info("{} is at {}:{} now", next.node(), next.host(), next.port());
            address = next;
            pauseNanos = FIRST_PAUSE_NANOS;
            WireClient.Attempt pending = attempt;
            Connection open = connection;
            if (open != null) {
                open.close("the node's address changed");
            } else if (pending != null) {
                pending.cancel();
            }
        }

        void end() {
            ended = true;
            WireClient.Attempt pending = attempt;
            Connection open = connection;
            if (open != null) {
                open.close("no volume of this agent needs the connection");
            } else if (pending != null) {
                pending.cancel();
            }
        }

        @Override
        public void connected(Connection established) {
            attempt = null;
            if (ended) {
                established.close("no volume of this agent needs the connection");
                return;
            }
            connection = established;
            pauseNanos = FIRST_PAUSE_NANOS;
            failureLogged = false;
            LOG.info("connected to {} at {}", address.node(), established.remoteAddress());
            for (Subscriber subscriber : new ArrayList<>(subscribers.values())) {
                subscriber.linkUp(address.node());
            }
        }

        @Override
        public void received(Connection from, ClientMessage message) {
            Subscriber subscriber = subscribers.get(message.volume());
            if (subscriber != null && message instanceof ClientMessage.Response response) {
                subscriber.received(address.node(), response);
            } else {
                release(message);
            }
        }

        private static void release(ClientMessage message) {
            Payload payload =
                    switch (message) {
                        case ClientMessage.ReadDone done -> done.payload();
                        case ClientMessage.Write write -> write.payload();
                        case ClientMessage.Request _, ClientMessage.Response _ -> null;
                    };
            if (payload != null) {
                payload.release();
            }
        }

        @Override
        public void closed(Connection former, CloseReason reason) {
            connection = null;
            if (ended) {
                return;
            }
            LOG.info("connection to {} ended: {}", address.node(), reason.detail());
            for (Subscriber subscriber : new ArrayList<>(subscribers.values())) {
                subscriber.linkDown(address.node());
            }
            retry();
        }

        @Override
        public void connectFailed(CloseReason reason) {
            attempt = null;
            if (ended) {
                return;
            }
            if (!failureLogged) {
                failureLogged = true;
                LOG.warn("cannot connect to {} (will go on trying): {}", address.node(), reason.detail());
            }
            for (Subscriber subscriber : new ArrayList<>(subscribers.values())) {
                subscriber.linkDown(address.node());
            }
            retry();
        }

        private void retry() {
            waiting = true;
            // Half of it by chance, so that many agents do not knock in step.
            long pause = pauseNanos / 2 + ThreadLocalRandom.current().nextLong(pauseNanos / 2 + 1);
            pauseNanos = Math.min(LONGEST_PAUSE_NANOS, pauseNanos * 2);
            var _ = loop.schedule(
                    () -> {
                        waiting = false;
                        connect();
                    },
                    pause);
        }
    }
}
