package io.gabion.core.volume;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.port.SnapshotOutcome;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import org.jspecify.annotations.Nullable;

/**
 * What a replica is at the moment. A role that was left hears nothing any more; answers to its reads and appends find {@link
 * #left} set.
 */
abstract class Role {
    final Replica r;
    boolean left;

    Role(Replica replica) {
        this.r = replica;
    }

    /** Takes over the message's payloads. */
    void peer(NodeName node, PeerMessage message) {
        Payloads.release(message);
    }

    /** Takes over the request's payloads. */
    void client(long link, NodeName agent, ClientMessage.Request request) {
        r.refuseClient(link, request, "this replica is " + phase());
    }

    void clientGone(long link) {}

    void peerUp(NodeName node) {}

    void peerDown(NodeName node, DownReason reason) {}

    /** The known record changed, or a change of it came to its end; the role is still the right one. */
    void recordChanged() {}

    void spaceChanged() {}

    void handover(ReplicaId target) {}

    void snapshotWanted(long call, long number) {
        r.emit(new Effect.SnapshotAnswered(call, new SnapshotOutcome.NotPrimary(r.primaryHint())));
    }

    void snapshotUnwanted(long call, long number) {
        r.emit(new Effect.SnapshotAnswered(call, new SnapshotOutcome.NotPrimary(r.primaryHint())));
    }

    void verify(long id) {}

    /** The process will stop; call {@link Replica#readyToStop()} when nothing is in flight. */
    void shutdown() {
        r.readyToStop();
    }

    /** The last word in a step: send what was collected. */
    void endStep() {}

    void tick() {}

    /** When {@link #tick} is wanted next. */
    long deadline() {
        return Long.MAX_VALUE;
    }

    /** Give everything back. */
    void leave() {
        left = true;
    }

    abstract String name();

    abstract String phase();

    ReplicaView.@Nullable Stall stall() {
        return null;
    }

    long @Nullable [] resyncBytes() {
        return null;
    }

    int writesInFlight() {
        return 0;
    }
}
