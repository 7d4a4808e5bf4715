package io.gabion.core.membership;

import io.gabion.core.message.NodeMessage;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.port.PeerLeases;
import io.gabion.core.volume.ReplicaSettings;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import java.util.UUID;

/** Heartbeats between this node and its peers: one exchange per pair and interval, however many volumes they share. */
public final class PeerMonitor implements PeerLeases {
    /** What the monitor asks of its surroundings. */
    public interface Listener {
        void send(NodeName peer, NodeMessage message);

        void peerUp(NodeName peer);

        void peerDown(NodeName peer, DownReason reason);

        void peerPromised(NodeName peer, VolumeId volume, long epoch);
    }

    public PeerMonitor(NodeName self, UUID bootId, ReplicaSettings settings, Listener listener) {}

    /** A link was made (the handshake is done). */
    public void linkUp(NodeName peer, long nowNanos) {}

    /** The link was lost. {@code reason} RESET or GONE; RESET may be followed by GONE once a new connection was refused. */
    public void linkDown(NodeName peer, DownReason reason, long nowNanos) {}

    public void received(NodeName peer, NodeMessage message, long nowNanos) {}

    /** This node durably promised an epoch: goes into the next heartbeat and acknowledgement, before they renew any lease. */
    public void promised(VolumeId volume, long epoch) {}

    /** Age of the last successful probe of this node's disk. */
    public void probed(long ageMillis) {}

    public void tick(long nowNanos) {}

    public long nextDeadlineNanos() {
        return Long.MAX_VALUE;
    }

    @Override
    public long validUntilNanos(NodeName peer) {
        return Long.MIN_VALUE;
    }

    @Override
    public boolean isUp(NodeName peer) {
        return false;
    }
}
