package io.gabion.node;

import io.gabion.core.membership.PeerMonitor;
import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Event;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.port.PeerLeases;
import io.gabion.core.volume.ReplicaSettings;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeId;
import io.gabion.wire.CloseReason;
import io.gabion.wire.Connection;
import io.gabion.wire.ConnectionHandler;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to every other node, shared by all volumes, and the heartbeats on it. The lower node name dials. Belongs to
 * one loop, on which everything about peers happens in one order; only {@link #run} may be called from any thread.
 *
 * <p>When a link is lost, volumes learn RESET at once; both sides then try the peer's port, and a refused connection tells
 * them that its process is GONE.
 */
final class PeerLinks {
    private static final Logger LOG = LoggerFactory.getLogger(PeerLinks.class);
    /** A bounded memory of addresses, far above any cluster. */
    private static final int MAX_PEERS = 1000;

    /** How connections are made; a seam for tests. */
    interface Dialer {
        /** Connects on the links' loop; everything that follows comes to {@code handler}. */
        void connect(NodeRecord peer, ConnectionHandler handler);

        /** Tries the peer's port; {@code refused} runs on the links' loop when nobody listens there. */
        void probe(NodeRecord peer, Runnable refused);
    }

    private final NodeName self;
    private final Loop loop;
    private final Dialer dialer;
    private final ReplicaRegistry replicas;
    private final LongSupplier nanoTime;
    private final PeerMonitor monitor;
    private final PublishedLeases published;
    private final DeadlineTimer timer;
    private final Map<NodeName, KnownPeer> peers = new HashMap<>();
    private final Map<Integer, Long> ageByShard = new HashMap<>();
    private boolean closing;

    /** @param heardNanos monotonic time of the last heartbeat or acknowledgement, {@link Long#MIN_VALUE} if never */
    record PeerView(NodeName node, boolean up, long heardNanos) {}

    PeerLinks(
            NodeName self,
            UUID bootId,
            ReplicaSettings settings,
            Loop loop,
            Dialer dialer,
            ReplicaRegistry replicas,
            PublishedLeases published) {
        this.self = self;
        this.loop = loop;
        this.dialer = dialer;
        this.replicas = replicas;
        this.nanoTime = System::nanoTime;
        this.published = published;
        this.monitor = new PeerMonitor(self, bootId, settings, new Heartbeats());
        this.timer = new DeadlineTimer(loop, nanoTime, this::tick);
    }

    void run(Runnable task) {
        loop.run(task);
    }

    boolean inLoop() {
        return loop.inLoop();
    }

    // ---- peers found
    /** The other nodes as the configuration store (or the file of the last start) lists them. */
    void addresses(List<NodeRecord> nodes) {
        for (NodeRecord node : nodes) {
            KnownPeer peer = peer(node.name());
            if (peer == null || node.name().equals(self)) {
                continue;
            }
            boolean moved = !node.equals(peer.address);
            peer.address = node;
            if (moved && peer.connection == null && dials(peer)) {
                peer.shortPauseAgain();
                dial(peer);
            }
        }
    }

    private @Nullable KnownPeer peer(NodeName name) {
        KnownPeer known = peers.get(name);
        if (known != null || peers.size() >= MAX_PEERS) {
            return known;
        }
        KnownPeer fresh = new KnownPeer(name);
        peers.put(name, fresh);
        return fresh;
    }

    private boolean dials(KnownPeer peer) {
        return self.compareTo(peer.name) < 0;
    }

    /** Does this node wait for the other one to dial? */
    boolean accepts(NodeName other) {
        return other.compareTo(self) < 0;
    }

    // ---- connections
    private void dial(KnownPeer peer) {
        NodeRecord address = peer.address;
        if (address == null || peer.dialling || peer.connection != null || closing) {
            return;
        }
        peer.dialling = true;
        dialer.connect(address, new Link(peer.name));
    }

    private void retry(KnownPeer peer) {
        if (peer.retrySet || closing) {
            return;
        }
        peer.retrySet = true;
        long pause = peer.nextPauseNanos();
        long jitter = ThreadLocalRandom.current().nextLong(pause / 4 + 1);
        var unused = loop.schedule(
                () -> {
                    peer.retrySet = false;
                    if (peer.connection != null) {
                        return;
                    }
                    if (dials(peer)) {
                        dial(peer);
                    } else {
                        probe(peer);
                    }
                },
                pause + jitter);
    }

    private void probe(KnownPeer peer) {
        NodeRecord address = peer.address;
        if (address == null || peer.goneTold || peer.connection != null || closing) {
            return;
        }
        dialer.probe(address, () -> gone(peer));
        retry(peer);
    }

    private void gone(KnownPeer peer) {
        if (peer.goneTold || peer.connection != null || closing) {
            return;
        }
        peer.goneTold = true;
        LOG.info("node {} is gone: nobody listens at its data address", peer.name);
        monitor.linkDown(peer.name, DownReason.GONE, nanoTime.getAsLong());
        afterMonitor(peer.name);
    }

    private void linkUp(NodeName name, Connection connection) {
        KnownPeer peer = peer(name);
        if (peer == null || closing) {
            connection.close("this node is stopping or knows too many peers");
            return;
        }
        peer.dialling = false;
        Connection old = peer.connection;
        if (old != null) {
            linkDown(peer, old);
            old.close("replaced by a newer connection of node " + name);
        }
        LOG.info("link to node {} ({}) is up", name, connection.remoteAddress());
        peer.connection = connection;
        peer.goneTold = false;
        peer.failureLogged = false;
        peer.shortPauseAgain();
        for (Shard shard : replicas.shards()) {
            shard.run(() -> shard.linkUp(name, connection));
        }
        monitor.linkUp(name, nanoTime.getAsLong());
        afterMonitor(name);
    }

    private void linkDown(KnownPeer peer, Connection connection) {
        peer.connection = null;
        for (Shard shard : replicas.shards()) {
            shard.run(() -> shard.linkDown(peer.name, connection));
        }
        monitor.linkDown(peer.name, DownReason.RESET, nanoTime.getAsLong());
        afterMonitor(peer.name);
    }

    private void closed(NodeName name, Connection connection, CloseReason reason) {
        KnownPeer peer = peers.get(name);
        if (peer == null || peer.connection != connection) {
            return;
        }
        LOG.info("link to node {} is down: {}", name, reason.detail());
        linkDown(peer, connection);
        if (dials(peer)) {
            dial(peer);
        } else {
            probe(peer);
        }
    }

    private void connectFailed(NodeName name, CloseReason reason) {
        KnownPeer peer = peers.get(name);
        if (peer == null) {
            return;
        }
        peer.dialling = false;
        if (peer.connection != null) {
            return;
        }
        if (!peer.failureLogged) {
            peer.failureLogged = true;
            LOG.info("node {} cannot be reached, trying on: {}", name, reason.detail());
        }
        if (reason instanceof CloseReason.ConnectRefused) {
            gone(peer);
        }
        retry(peer);
    }

    /** Says good-bye on all links and makes no new ones. */
    void close(String reason) {
        closing = true;
        for (KnownPeer peer : peers.values()) {
            Connection connection = peer.connection;
            if (connection != null) {
                connection.close(reason);
            }
        }
    }

    /** Handler of a connection that the other node made. */
    ConnectionHandler inbound(NodeName name) {
        return new Link(name);
    }

    private final class Link implements ConnectionHandler {
        private final NodeName name;

        private Link(NodeName name) {
            this.name = name;
        }

        @Override
        public void connected(Connection connection) {
            loop.run(() -> linkUp(name, connection));
        }

        @Override
        public void received(Connection connection, PeerMessage message) {
            loop.run(() -> {
                if (isCurrent(name, connection)) {
                    replicas.fromPeer(name, message);
                } else {
                    OwnedPayloads.release(message);
                }
            });
        }

        @Override
        public void received(Connection connection, NodeMessage message) {
            loop.run(() -> {
                KnownPeer peer = peers.get(name);
                if (peer != null && peer.connection == connection) {
                    peer.heardNanos = nanoTime.getAsLong();
                    monitor.received(name, message, peer.heardNanos);
                    afterMonitor(name);
                }
            });
        }

        @Override
        public void closed(Connection connection, CloseReason reason) {
            loop.run(() -> PeerLinks.this.closed(name, connection, reason));
        }

        @Override
        public void connectFailed(CloseReason reason) {
            loop.run(() -> PeerLinks.this.connectFailed(name, reason));
        }
    }

    private boolean isCurrent(NodeName name, Connection connection) {
        KnownPeer peer = peers.get(name);
        return peer != null && peer.connection == connection;
    }

    // ---- heartbeats
    /** On the links' loop: from now on every heartbeat and acknowledgement says so. */
    void promised(VolumeId volume, long epoch) {
        monitor.promised(volume, epoch);
        timer.atLatest(monitor.nextDeadlineNanos());
    }

    /** The volume is gone from this node. */
    void forget(VolumeId volume) {
        monitor.forget(volume);
    }

    /** How long the disk has owed the replicas of shard {@code shard} something; the longest is what the peers are told. */
    void probed(int shard, long ageMillis) {
        ageByShard.put(shard, ageMillis);
        monitor.probed(Collections.max(ageByShard.values()));
    }

    /** The heartbeats' own view: only for shards on the same loop. */
    PeerLeases leases() {
        return monitor;
    }

    List<PeerView> view() {
        List<PeerView> view = new ArrayList<>();
        for (KnownPeer peer : peers.values()) {
            view.add(new PeerView(peer.name, monitor.isUp(peer.name), peer.heardNanos));
        }
        return view;
    }

    private void tick() {
        monitor.tick(nanoTime.getAsLong());
        for (NodeName name : peers.keySet()) {
            published.publish(name, monitor);
        }
        timer.atLatest(monitor.nextDeadlineNanos());
    }

    private void afterMonitor(NodeName name) {
        published.publish(name, monitor);
        timer.atLatest(monitor.nextDeadlineNanos());
    }

    private final class Heartbeats implements PeerMonitor.Listener {
        @Override
        public void send(NodeName name, NodeMessage message) {
            KnownPeer peer = peers.get(name);
            Connection connection = peer == null ? null : peer.connection;
            if (connection != null) {
                connection.send(message);
            }
        }

        @Override
        public void peerUp(NodeName name) {
            published.publish(name, monitor);
            for (Shard shard : replicas.shards()) {
                shard.run(() -> shard.peerUp(name));
            }
        }

        @Override
        public void peerDown(NodeName name, DownReason reason) {
            if (reason == DownReason.SILENT) {
                LOG.warn("node {} is silent: no heartbeat within the grace time", name);
            }
            published.publish(name, monitor);
            for (Shard shard : replicas.shards()) {
                shard.run(() -> shard.peerDown(name, reason));
            }
        }

        @Override
        public void peerPromised(NodeName name, VolumeId volume, long epoch) {
            replicas.to(volume, hosted -> hosted.offer(new Event.PeerPromised(name, epoch)));
        }
    }
}
