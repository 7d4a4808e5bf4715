package io.gabion.core.membership;

import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.NodeMessage.PromisedEpoch;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.port.PeerLeases;
import io.gabion.core.volume.ReplicaSettings;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Heartbeats between this node and its peers: one exchange per pair and interval, however many volumes they share.
 *
 * <p>A lease counts from when the acknowledged heartbeat was sent, so that it ends here before the peer may think it ended.
 * Promised epochs travel in front of whatever renews a lease. Not thread-safe: one thread owns it; times are monotonic.
 */
public final class PeerMonitor implements PeerLeases {
    /** What the monitor asks of its surroundings. */
    public interface Listener {
        void send(NodeName peer, NodeMessage message);

        void peerUp(NodeName peer);

        void peerDown(NodeName peer, DownReason reason);

        void peerPromised(NodeName peer, VolumeId volume, long epoch);
    }

    /** Heartbeats whose send time is remembered; more than fit into a lease at the shortest sensible interval. */
    private static final int REMEMBERED_HEARTBEATS = 64;

    private final UUID bootId;
    private final ReplicaSettings settings;
    private final Listener listener;
    private final Map<NodeName, Peer> peers = new LinkedHashMap<>();
    private final Map<VolumeId, Long> promises = new LinkedHashMap<>();
    private long probeAgeMillis;

    public PeerMonitor(NodeName self, UUID bootId, ReplicaSettings settings, Listener listener) {
        if (self.value().isEmpty()) {
            throw new IllegalArgumentException("self has no name");
        }
        this.bootId = bootId;
        this.settings = settings;
        this.listener = listener;
    }

    private static final class Peer {
        final long[] sentNanos = new long[REMEMBERED_HEARTBEATS];
        final Map<VolumeId, Long> untold = new LinkedHashMap<>();
        boolean linked;
        boolean up;
        long lastHeardNanos;
        long nextHeartbeatNanos;
        long number;
        long validUntilNanos = Long.MIN_VALUE;

        @Nullable
        UUID bootId;

        List<PromisedEpoch> takeUntold() {
            if (untold.isEmpty()) {
                return List.of();
            }
            List<PromisedEpoch> told = new ArrayList<>(untold.size());
            untold.forEach((volume, epoch) -> told.add(new PromisedEpoch(volume, epoch)));
            untold.clear();
            return told;
        }
    }

    /** A link was made (the handshake is done). */
    public void linkUp(NodeName peer, long nowNanos) {
        Peer state = peers.computeIfAbsent(peer, _ -> new Peer());
        state.linked = true;
        state.up = true;
        state.lastHeardNanos = nowNanos;
        state.number = 0;
        state.nextHeartbeatNanos = nowNanos;
        // What was told on an earlier link may be lost: tell everything again.
        state.untold.putAll(promises);
        listener.peerUp(peer);
        heartbeat(peer, state, nowNanos);
    }

    /** The link was lost. {@code reason} RESET or GONE; RESET may be followed by GONE once a new connection was refused. */
    public void linkDown(NodeName peer, DownReason reason, long nowNanos) {
        Peer state = peers.computeIfAbsent(peer, _ -> new Peer());
        state.linked = false;
        state.up = false;
        listener.peerDown(peer, reason);
    }

    public void received(NodeName peer, NodeMessage message, long nowNanos) {
        Peer state = peers.get(peer);
        if (state == null || !state.linked) {
            return;
        }
        state.lastHeardNanos = nowNanos;
        if (!state.up) {
            state.up = true;
            listener.peerUp(peer);
        }
        switch (message) {
            case NodeMessage.Heartbeat heartbeat -> {
                if (!heartbeat.bootId().equals(state.bootId)) {
                    // Another boot: what the machine said before it forgot.
                    state.bootId = heartbeat.bootId();
                    state.validUntilNanos = Long.MIN_VALUE;
                }
                report(peer, heartbeat.promised());
                listener.send(peer, new NodeMessage.HeartbeatAck(heartbeat.number(), state.takeUntold()));
            }
            case NodeMessage.HeartbeatAck ack -> {
                report(peer, ack.promised());
                renew(state, ack.number());
            }
        }
    }

    private void report(NodeName peer, List<PromisedEpoch> promised) {
        for (PromisedEpoch one : promised) {
            listener.peerPromised(peer, one.volume(), one.epoch());
        }
    }

    private void renew(Peer state, long number) {
        boolean known = number >= 1 && number <= state.number && number > state.number - REMEMBERED_HEARTBEATS;
        if (known) {
            long sent = state.sentNanos[(int) (number % REMEMBERED_HEARTBEATS)];
            state.validUntilNanos = Math.max(state.validUntilNanos, sent + settings.leaseNanos());
        }
    }

    /** This node durably promised an epoch: goes into the next heartbeat and acknowledgement, before they renew any lease. */
    public void promised(VolumeId volume, long epoch) {
        promises.merge(volume, epoch, Math::max);
        for (Peer state : peers.values()) {
            state.untold.merge(volume, epoch, Math::max);
        }
    }

    /** The volume is gone from this node. */
    public void forget(VolumeId volume) {
        promises.remove(volume);
        for (Peer state : peers.values()) {
            state.untold.remove(volume);
        }
    }

    /** Age of the last successful probe of this node's disk. */
    public void probed(long ageMillis) {
        probeAgeMillis = ageMillis;
    }

    public void tick(long nowNanos) {
        for (Map.Entry<NodeName, Peer> entry : peers.entrySet()) {
            Peer state = entry.getValue();
            if (!state.linked) {
                continue;
            }
            if (nowNanos >= state.nextHeartbeatNanos) {
                heartbeat(entry.getKey(), state, nowNanos);
            }
            if (state.up && nowNanos - state.lastHeardNanos >= settings.graceNanos()) {
                state.up = false;
                listener.peerDown(entry.getKey(), DownReason.SILENT);
            }
        }
    }

    private void heartbeat(NodeName peer, Peer state, long nowNanos) {
        state.number++;
        state.sentNanos[(int) (state.number % REMEMBERED_HEARTBEATS)] = nowNanos;
        state.nextHeartbeatNanos = nowNanos + settings.heartbeatNanos();
        listener.send(peer, new NodeMessage.Heartbeat(state.number, bootId, probeAgeMillis, state.takeUntold()));
    }

    public long nextDeadlineNanos() {
        long next = Long.MAX_VALUE;
        for (Peer state : peers.values()) {
            if (state.linked) {
                next = Math.min(next, state.nextHeartbeatNanos);
                if (state.up) {
                    next = Math.min(next, state.lastHeardNanos + settings.graceNanos());
                }
            }
        }
        return next;
    }

    @Override
    public long validUntilNanos(NodeName peer) {
        Peer state = peers.get(peer);
        return state == null ? Long.MIN_VALUE : state.validUntilNanos;
    }

    @Override
    public boolean isUp(NodeName peer) {
        Peer state = peers.get(peer);
        return state != null && state.up;
    }
}
