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
import java.util.function.Consumer;

/**
 * What carries out the effects of hosted replicas. Called on the replica's shard. Messages and store effects are handed over
 * with their payload references; answers may come on any thread.
 */
interface Surroundings {
    void sendPeer(Shard from, NodeName node, PeerMessage message);

    void sendClient(long link, ClientMessage.Response message);

    void closeClient(long link, String reason);

    void readConfig(VolumeId volume, Consumer<ReadOutcome> answer);

    void swapConfig(VolumeRecord next, boolean urgent, Consumer<SwapOutcome> answer);

    void store(VolumeId volume, Effect.StoreEffect effect);

    /**
     * The replica durably promised {@code epoch}; {@code then} runs once no heartbeat can leave any more without saying so:
     * at once when the heartbeats live on the calling loop, else later on the replica's shard.
     */
    void promised(Shard shard, VolumeId volume, long epoch, Runnable then);

    /** What became of a wish to take or delete a snapshot. */
    void snapshotAnswered(long call, SnapshotOutcome outcome);

    void notice(HostedReplica replica, Notice notice);

    /** The replica and its data are gone. */
    void forgotten(HostedReplica replica);

    void readyToStop(VolumeId volume);

    /** The state machine broke a rule and was stopped. */
    void failed(HostedReplica replica, RuntimeException violation);

    /** A node without a placement spoke for the volume. */
    void refusedPeer(HostedReplica replica, NodeName node, PeerMessage message);
}
