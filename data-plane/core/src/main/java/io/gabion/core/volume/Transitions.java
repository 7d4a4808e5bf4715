package io.gabion.core.volume;

import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Effect;
import io.gabion.core.port.EffectSink;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.Notice;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeConfig;

/** Brings events to the replica's role, and decides which role it has by what is known and what was promised. */
final class Transitions {
    /** A step that changes roles more often than this runs in a circle. */
    private static final int MAX_CHANGES = 32;

    private final Replica r;
    private boolean ticking;
    private boolean restarted;

    Transitions(Replica replica) {
        this.r = replica;
    }

    Role role() {
        return r.role;
    }

    void linkLost(NodeName node) {
        r.repair.linkLost(node);
    }

    void begin(long nowNanos, EffectSink effects) {
        r.now = nowNanos;
        r.sink = effects;
    }

    void started() {
        restarted = true;
        r.reconsider = true;
        settle();
        restarted = false;
        r.config.refresh();
    }

    void dispatch(Event event) {
        switch (event) {
            case Event.Tick _,
                    Event.Started _,
                    Event.Create _,
                    Event.PeerUp _,
                    Event.PeerDown _,
                    Event.SpaceAvailable _ -> {}
            case Event.BlocksDamaged damage -> r.repair.damaged(damage);
            case Event.ConfigHint hint -> r.learn(hint.record());
            case Event.ConfigRead read -> r.config.onRead(read);
            case Event.ConfigSwapped swapped -> r.config.onSwapped(swapped);
            case Event.FromPeer(NodeName node, PeerMessage message) -> fromPeer(node, message);
            case Event.PeerPromised promised -> peerPromised(promised);
            case Event.FromClient client -> r.role.client(client.link(), client.agent(), client.message());
            case Event.ClientGone gone -> r.role.clientGone(gone.link());
            case Event.Appended appended -> r.appends.durable(appended.throughTicket());
            case Event.StoreFaulted faulted -> storeFaulted(faulted.reason());
            case Event.ReadCompleted read -> r.answered(read.ticket(), read);
            case Event.ReadFailed read -> r.answered(read.ticket(), read);
            case Event.ExtentsRead read -> r.answered(read.ticket(), read);
            case Event.BlocksRead read -> r.answered(read.ticket(), read);
            case Event.VersionsRead read -> r.answered(read.ticket(), read);
            case Event.RegionTableRead read -> r.answered(read.ticket(), read);
            case Event.ChangesRead read -> r.answered(read.ticket(), read);
            case Event.Cloned cloned -> r.answered(cloned.ticket(), cloned);
            case Event.VerifyRequested verify -> r.role.verify(verify.id());
            case Event.SnapshotWanted wanted -> r.role.snapshotWanted(wanted.call(), wanted.number());
            case Event.SnapshotUnwanted unwanted -> r.role.snapshotUnwanted(unwanted.call(), unwanted.number());
            case Event.HandoverRequested handover -> r.role.handover(handover.target());
            case Event.ShutdownRequested _ -> {
                r.stopping = true;
                r.role.shutdown();
            }
        }
    }

    void finish(boolean tick) {
        settle();
        if (!ticking && (tick || r.now >= deadline())) {
            ticking = true;
            r.config.tick();
            r.role.tick();
            settle();
            ticking = false;
        }
    }

    private void settle() {
        for (int changes = 0; r.reconsider; changes++) {
            if (changes > MAX_CHANGES) {
                throw new IllegalStateException("the role of " + r.me() + " changes in a circle: " + r.role.phase());
            }
            r.reconsider = false;
            reconsider();
        }
        r.role.endStep();
        if (r.reconsider) {
            settle();
        }
    }

    long deadline() {
        return Math.min(r.config.deadline(), r.role.deadline());
    }

    // ---- which role?
    private void reconsider() {
        if (r.beginning) {
            return;
        }
        if (r.role instanceof Ended) {
            if (isCondemned()) {
                delete();
            }
            return;
        }
        if (isCondemned()) {
            delete();
            return;
        }
        VolumeConfig c = r.cfg();
        if (c.epoch() < r.promised()) {
            // Behind what was promised: from an old watch, or a store restored from a backup. Nothing is done on it.
            r.role.recordChanged();
            return;
        }
        if (!r.isMine(c)) {
            if (r.role instanceof Outsider) {
                r.role.recordChanged();
            } else {
                change(() -> new Outsider(r));
            }
        } else if (c.primary().equals(r.me())) {
            lead(c);
        } else {
            r.intact = true;
            if (r.role instanceof Follower) {
                r.role.recordChanged();
            } else {
                change(() -> Follower.waiting(r, restarted));
            }
        }
        keepRecord();
    }

    private void lead(VolumeConfig c) {
        r.intact = true;
        if (r.role instanceof Primary primary) {
            if (c.epoch() > primary.epoch) {
                primary.startEpoch();
            } else {
                primary.recordChanged();
            }
        } else if (c.epoch() > r.promised()) {
            change(() -> new Primary(r));
            if (r.role instanceof Primary primary) {
                primary.startEpoch();
            }
        } else if (r.role instanceof Waiting) {
            r.role.recordChanged();
        } else {
            change(() -> new Waiting(r, "waiting to start a new epoch"));
        }
    }

    /** What changed within the epoch (attachments, size) is kept too: it may be all that is left one day. */
    private void keepRecord() {
        if (r.cfg().epoch() == r.promised()
                && r.own.record().config().version() < r.cfg().version()) {
            r.persist(r.ownWith(r.promised(), r.own.status()));
        }
    }

    private interface Maker {
        Role make();
    }

    private void change(Maker maker) {
        r.role.leave();
        r.role = maker.make();
        if (r.stopping && !r.stopped) {
            r.role.shutdown();
        }
        r.reconsider = r.role instanceof Waiting || r.role instanceof Outsider || r.role instanceof Follower;
    }

    // ---- the end
    /** Only a tombstone deletes: the volume's, or this replica's once the in-sync set does not count on it. */
    private boolean isCondemned() {
        if (r.role instanceof Ended ended && ended.isDeleted()) {
            return false;
        }
        boolean removed =
                r.record.removed().stream().anyMatch(gone -> gone.replica().equals(r.me()));
        return r.record.deleting() || (removed && r.cfg().member(r.me()).isEmpty());
    }

    private void delete() {
        r.role.leave();
        r.role = Ended.deleted(r);
        r.append(new LogRecord.ReplicaDeleted(), new AppendQueue.Pending() {
            @Override
            void durable() {
                r.emit(new Effect.Forget());
            }
        });
    }

    private void storeFaulted(String reason) {
        if (r.role instanceof Ended) {
            return;
        }
        r.notice(new Notice.Faulted(reason));
        r.intact = false;
        r.role.leave();
        r.role = Ended.faulted(r, reason);
    }

    // ---- peers
    private void fromPeer(NodeName node, PeerMessage message) {
        if (!VolumeReplica.isVolume(message, r.volume) || r.role instanceof Ended || r.beginning) {
            Payloads.release(message);
            return;
        }
        if (isBoundToEpoch(message)) {
            if (message.epoch() < r.promised()) {
                Payloads.release(message);
                r.refuseEpoch(node, message.epoch(), message.from());
                return;
            }
            if (message.epoch() > r.promised()
                    && (message instanceof PeerMessage.Resume || message instanceof PeerMessage.Replicate)) {
                r.config.refresh();
            }
        }
        switch (message) {
            case PeerMessage.NewEpoch newEpoch -> newEpoch(node, newEpoch);
            case PeerMessage.EpochRefused refused -> {
                if (refused.promisedEpoch() > r.promised()) {
                    r.config.refresh();
                }
            }
            case PeerMessage.Blocks blocks when r.repair.blocks(blocks) -> {}
            case PeerMessage.BlocksUnreadable unreadable when r.repair.unreadable(unreadable) -> {}
            case PeerMessage other -> r.role.peer(node, other);
        }
    }

    /** I2 holds for everything that claims something in an epoch; answers of an old epoch are just late. */
    private static boolean isBoundToEpoch(PeerMessage message) {
        return switch (message) {
            case PeerMessage.NewEpoch _,
                    PeerMessage.Reconcile _,
                    PeerMessage.ReconcileEnd _,
                    PeerMessage.Replicate _,
                    PeerMessage.Committed _,
                    PeerMessage.TakeOver _,
                    PeerMessage.JoinStart _,
                    PeerMessage.StillDifferent _,
                    PeerMessage.Resume _,
                    PeerMessage.DifferenceQuery _,
                    PeerMessage.FetchBlocks _,
                    PeerMessage.CopyComplete _,
                    PeerMessage.RegionsAt _ -> true;
            case PeerMessage.EpochPromised _,
                    PeerMessage.EpochRefused _,
                    PeerMessage.Reconciled _,
                    PeerMessage.Durable _,
                    PeerMessage.MemberFaulted _,
                    PeerMessage.StateReport _,
                    PeerMessage.JoinRequest _,
                    PeerMessage.JoinRefused _,
                    PeerMessage.Differences _,
                    PeerMessage.Blocks _,
                    PeerMessage.BlocksUnreadable _ -> false;
        };
    }

    private void newEpoch(NodeName node, PeerMessage.NewEpoch message) {
        VolumeConfig c = message.record().config();
        boolean sound = c.epoch() == message.epoch()
                && c.primary().equals(message.from())
                && message.record().primaryNode().map(node::equals).orElse(false)
                && !message.from().equals(r.me());
        if (!sound) {
            return;
        }
        r.learn(message.record());
        if (!r.isMine(c) || r.cfg().epoch() != message.epoch()) {
            // Not for us as we are, or already superseded: the record says who we are now.
            return;
        }
        if (message.epoch() == r.promised()) {
            if (r.role instanceof Follower follower) {
                follower.askedAgain(node);
            }
            return;
        }
        r.intact = true;
        r.role.leave();
        r.role = Follower.promising(r, node, message);
        if (r.stopping && !r.stopped) {
            r.role.shutdown();
        }
    }

    private void peerPromised(Event.PeerPromised promised) {
        if (promised.epoch() <= r.promised() || r.beginning) {
            return;
        }
        if (r.role instanceof Primary primary) {
            primary.peerPromised(promised.node(), promised.epoch());
            r.config.refresh();
        } else if (r.role instanceof Outsider && r.own.status() != ReplicaStatus.EMPTY) {
            r.config.refresh();
        }
    }
}
