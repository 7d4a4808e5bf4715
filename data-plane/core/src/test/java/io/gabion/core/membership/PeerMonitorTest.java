package io.gabion.core.membership;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.NodeMessage;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.volume.ReplicaSettings;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PeerMonitorTest {
    private static final NodeName PEER = new NodeName("n2");
    private static final UUID BOOT = new UUID(1, 1);
    private static final VolumeId VOLUME = new VolumeId(new UUID(2, 2));

    private final List<NodeMessage> sent = new ArrayList<>();
    private final List<String> heard = new ArrayList<>();
    private final ReplicaSettings settings = ReplicaSettings.standard();
    private final PeerMonitor monitor = new PeerMonitor(new NodeName("n1"), BOOT, settings, new PeerMonitor.Listener() {
        @Override
        public void send(NodeName peer, NodeMessage message) {
            sent.add(message);
        }

        @Override
        public void peerUp(NodeName peer) {
            heard.add("up");
        }

        @Override
        public void peerDown(NodeName peer, DownReason reason) {
            heard.add("down " + reason);
        }

        @Override
        public void peerPromised(NodeName peer, VolumeId volume, long epoch) {
            heard.add("promised " + epoch);
        }
    });

    @Test
    void leaseCountsFromWhenTheHeartbeatWasSent() {
        monitor.linkUp(PEER, 1000);
        monitor.received(PEER, new NodeMessage.HeartbeatAck(1, List.of()), 999_000);
        assertThat(monitor.validUntilNanos(PEER)).isEqualTo(1000 + settings.leaseNanos());
    }

    @Test
    void promiseIsToldBeforeTheLeaseIsRenewed() {
        monitor.linkUp(PEER, 0);
        monitor.promised(VOLUME, 8);
        monitor.received(PEER, new NodeMessage.Heartbeat(1, BOOT, 0, List.of()), 10);
        NodeMessage.HeartbeatAck ack = (NodeMessage.HeartbeatAck) sent.getLast();
        assertThat(ack.promised()).containsExactly(new NodeMessage.PromisedEpoch(VOLUME, 8));
    }

    @Test
    void silentPeerIsDownAfterTheGraceTimeAndUpWhenHeardAgain() {
        monitor.linkUp(PEER, 0);
        monitor.tick(settings.graceNanos() - 1);
        assertThat(heard).containsExactly("up");
        monitor.tick(settings.graceNanos());
        monitor.received(PEER, new NodeMessage.HeartbeatAck(1, List.of()), settings.graceNanos() + 1);
        assertThat(heard).containsExactly("up", "down SILENT", "up");
    }

    @Test
    void anotherBootEndsTheLease() {
        monitor.linkUp(PEER, 0);
        monitor.received(PEER, new NodeMessage.Heartbeat(1, BOOT, 0, List.of()), 5);
        monitor.received(PEER, new NodeMessage.HeartbeatAck(1, List.of()), 5);
        monitor.received(PEER, new NodeMessage.Heartbeat(2, new UUID(3, 3), 0, List.of()), 6);
        assertThat(monitor.validUntilNanos(PEER)).isEqualTo(Long.MIN_VALUE);
    }
}
