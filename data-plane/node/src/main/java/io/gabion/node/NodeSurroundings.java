package io.gabion.node;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.core.port.Notice;
import io.gabion.core.port.SnapshotOutcome;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.node.configstore.VolumeConfigurations;
import io.gabion.node.control.VerifyOutcome;
import io.gabion.node.control.VerifyResults;
import io.gabion.node.metrics.NodeMetrics;
import io.gabion.wire.Connection;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries out effects with the real links, disk and configuration store, which are plugged in while the process starts. */
final class NodeSurroundings implements Surroundings {
    private static final Logger LOG = LoggerFactory.getLogger(NodeSurroundings.class);

    private final VolumeConfigurations configurations;
    private final VerifyResults verifyResults;
    private final NodeMetrics metrics;
    private final NoticeLog notices;
    private final StopCount stopping;
    private final SnapshotCalls snapshotCalls;
    private volatile @Nullable Plugged plugged;

    /** What exists only once the replicas can be made. */
    record Plugged(ReplicaDisk disk, PeerLinks links, ClientLinks clients, Consumer<HostedReplica> forgotten) {}

    NodeSurroundings(
            VolumeConfigurations configurations,
            VerifyResults verifyResults,
            NodeMetrics metrics,
            StopCount stopping,
            SnapshotCalls snapshotCalls) {
        this.configurations = configurations;
        this.verifyResults = verifyResults;
        this.metrics = metrics;
        this.notices = new NoticeLog(metrics);
        this.stopping = stopping;
        this.snapshotCalls = snapshotCalls;
    }

    void plug(Plugged parts) {
        plugged = parts;
    }

    private Plugged parts() {
        Plugged parts = plugged;
        if (parts == null) {
            throw new IllegalStateException("a replica acted before the process was put together");
        }
        return parts;
    }

    @Override
    public void sendPeer(Shard from, NodeName node, PeerMessage message) {
        Connection link = from.link(node);
        if (link == null) {
            OwnedPayloads.release(message);
        } else {
            link.send(message);
        }
    }

    @Override
    public void sendClient(long link, ClientMessage.Response message) {
        parts().clients().send(link, message);
    }

    @Override
    public void closeClient(long link, String reason) {
        parts().clients().close(link, reason);
    }

    @Override
    public void readConfig(VolumeId volume, Consumer<ReadOutcome> answer) {
        configurations.read(volume, answer);
    }

    @Override
    public void swapConfig(VolumeRecord next, boolean urgent, Consumer<SwapOutcome> answer) {
        configurations.swap(next, urgent, answer);
    }

    @Override
    public void store(VolumeId volume, Effect.StoreEffect effect) {
        if (effect instanceof Effect.Verify(long id, var lsn)) {
            verifyResults.put(volume, id, new VerifyOutcome.Reading(lsn));
        }
        parts().disk().execute(volume, effect);
    }

    @Override
    public void snapshotAnswered(long call, SnapshotOutcome outcome) {
        snapshotCalls.answered(call, outcome);
    }

    @Override
    public void promised(Shard shard, VolumeId volume, long epoch, Runnable then) {
        PeerLinks links = parts().links();
        if (links.inLoop()) {
            links.promised(volume, epoch);
            then.run();
        } else {
            links.run(() -> {
                links.promised(volume, epoch);
                shard.run(then);
            });
        }
    }

    @Override
    public void notice(HostedReplica replica, Notice notice) {
        notices.log(replica.name(), notice);
    }

    @Override
    public void forgotten(HostedReplica replica) {
        LOG.info("{}: replica {} was deleted here", replica.name(), replica.replica());
        stopping.ready(replica.volume());
        parts().forgotten().accept(replica);
    }

    @Override
    public void readyToStop(VolumeId volume) {
        stopping.ready(volume);
    }

    @Override
    public void failed(HostedReplica replica, RuntimeException violation) {
        metrics.invariantViolated();
        LOG.error(
                "{}: the replica here broke a rule of the protocol and was stopped; the other nodes go on without it."
                        + " Report this, keep the log, and restart the node to bring the replica back",
                replica.name(),
                violation);
    }

    @Override
    public void refusedPeer(HostedReplica replica, NodeName node, PeerMessage message) {
        metrics.unauthorised();
        LOG.warn(
                "{}: refused {} of replica {} from node {}, which has no such placement in the record known here",
                replica.name(),
                message.getClass().getSimpleName(),
                message.from(),
                node);
    }
}
