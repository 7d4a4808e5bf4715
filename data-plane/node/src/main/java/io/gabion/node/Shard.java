package io.gabion.node;

import io.gabion.core.port.Event.DownReason;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.wire.Connection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One event loop and the replicas that live on it. Everything but {@link #run} belongs to the loop. The shard keeps its own
 * view of the links, moved by the same queue as the messages that come over them, so that no message leaves on a newer link
 * than its sender knows of.
 */
final class Shard {
    private final int index;
    private final Loop loop;
    private final LongSupplier nanoTime;
    private final DeadlineTimer timer;
    private final Map<VolumeId, HostedReplica> replicas = new HashMap<>();
    private final Map<NodeName, Connection> links = new HashMap<>();
    private final Map<NodeName, PeerState> peers = new HashMap<>();
    private final AppendProgress appends = new AppendProgress();

    /** What the heartbeats last said of a node. */
    sealed interface PeerState {
        record Up() implements PeerState {}

        record Down(DownReason reason) implements PeerState {}
    }

    Shard(int index, Loop loop, LongSupplier nanoTime) {
        this.index = index;
        this.loop = loop;
        this.nanoTime = nanoTime;
        this.timer = new DeadlineTimer(loop, nanoTime, this::tick);
    }

    int index() {
        return index;
    }

    /** Runs on the shard's loop: at once when called on it. Any thread. */
    void run(Runnable task) {
        loop.run(task);
    }

    /** Runs on the shard's loop, behind everything that is queued there. Any thread. */
    void runLater(Runnable task) {
        loop.execute(task);
    }

    long nowNanos() {
        return nanoTime.getAsLong();
    }

    // ---- replicas
    void add(HostedReplica replica) {
        replicas.put(replica.volume(), replica);
    }

    void remove(HostedReplica replica) {
        replicas.remove(replica.volume(), replica);
        appends.forget(replica.volume());
    }

    List<HostedReplica> replicas() {
        return List.copyOf(replicas.values());
    }

    AppendProgress appends() {
        return appends;
    }

    /** A replica of this shard wants to be called at this time. */
    void deadline(long deadlineNanos) {
        timer.atLatest(deadlineNanos);
    }

    private void tick() {
        long now = nanoTime.getAsLong();
        List<HostedReplica> due = new ArrayList<>();
        for (HostedReplica replica : replicas.values()) {
            if (replica.nextDeadlineNanos() <= now) {
                due.add(replica);
            }
        }
        for (HostedReplica replica : due) {
            replica.tick();
        }
        long earliest = Long.MAX_VALUE;
        for (HostedReplica replica : replicas.values()) {
            earliest = Math.min(earliest, replica.nextDeadlineNanos());
        }
        timer.atLatest(earliest);
    }

    // ---- peers
    @Nullable
    Connection link(NodeName node) {
        return links.get(node);
    }

    void linkUp(NodeName node, Connection connection) {
        links.put(node, connection);
    }

    void linkDown(NodeName node, Connection connection) {
        links.remove(node, connection);
    }

    void peerUp(NodeName node) {
        peers.put(node, new PeerState.Up());
        for (HostedReplica replica : replicas()) {
            replica.peerUp(node);
        }
    }

    void peerDown(NodeName node, DownReason reason) {
        peers.put(node, new PeerState.Down(reason));
        for (HostedReplica replica : replicas()) {
            replica.peerDown(node, reason);
        }
    }

    /** Empty for a node of which nothing was heard since the start. */
    @Nullable
    PeerState peer(NodeName node) {
        return peers.get(node);
    }
}
