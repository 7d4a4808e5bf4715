package io.gabion.core.volume;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.PeerMessage;
import io.gabion.model.NodeName;

/** A replica that will not serve again in this process: its disk failed, or its data is being deleted. */
final class Ended extends Role {
    private final boolean deleted;
    private final String reason;

    private Ended(Replica replica, boolean deleted, String reason) {
        super(replica);
        this.deleted = deleted;
        this.reason = reason;
    }

    static Ended faulted(Replica replica, String reason) {
        Ended role = new Ended(replica, false, reason);
        replica.otherNodes().forEach(role::sayFaulted);
        return role;
    }

    static Ended deleted(Replica replica) {
        return new Ended(replica, true, "the replica is deleted");
    }

    boolean isDeleted() {
        return deleted;
    }

    private void sayFaulted(NodeName node) {
        r.send(node, new PeerMessage.MemberFaulted(r.volume, r.promised(), r.me(), reason));
    }

    @Override
    void peerUp(NodeName node) {
        if (!deleted) {
            sayFaulted(node);
        }
    }

    @Override
    void client(long link, NodeName agent, ClientMessage.Request request) {
        if (r.record.deleting()) {
            Payloads.release(request);
            r.respond(link, new ClientMessage.UnknownVolume(r.volume));
        } else {
            super.client(link, agent, request);
        }
    }

    @Override
    String name() {
        return deleted ? "deleted" : "faulted";
    }

    @Override
    String phase() {
        return reason;
    }
}
