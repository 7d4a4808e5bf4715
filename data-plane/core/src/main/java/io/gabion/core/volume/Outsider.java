package io.gabion.core.volume;

import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.port.Notice;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Not in the in-sync set, at least not as what it is now: serves nothing and asks to be brought back. */
final class Outsider extends Role {
    private static final long ASK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long MAX_ASK_NANOS = TimeUnit.SECONDS.toNanos(2);
    /** Unanswered requests after which the record is read again: the primary may be another one by now. */
    private static final int ASKS_BEFORE_READ = 3;

    private final Recovery recovery;
    private @Nullable Resync resync;
    private long askAtNanos;
    private long waitNanos = ASK_NANOS;
    private int unanswered;

    Outsider(Replica replica) {
        super(replica);
        this.recovery = new Recovery(replica);
        this.askAtNanos = replica.now;
        ReplicaStatus status = replica.own.status();
        if (status == ReplicaStatus.IN_SYNC) {
            replica.wholeUpTo = replica.committed;
            replica.persist(replica.ownWith(replica.promised(), ReplicaStatus.OUTDATED));
        } else if (status != ReplicaStatus.OUTDATED) {
            replica.wholeUpTo = Lsn.ZERO;
        }
    }

    private void ask() {
        if (resync != null || !r.confirmed || r.stopping || r.now < askAtNanos) {
            return;
        }
        NodeName primary = r.record.primaryNode().orElse(r.self);
        if (primary.equals(r.self) || !r.peers.isUp(primary)) {
            return;
        }
        askAtNanos = r.now + waitNanos + r.jitter.below(waitNanos / 4);
        waitNanos = Math.min(MAX_ASK_NANOS, waitNanos * 2);
        unanswered++;
        if (unanswered % ASKS_BEFORE_READ == 0) {
            r.config.refresh();
        }
        r.send(
                primary,
                new PeerMessage.JoinRequest(
                        r.volume, r.promised(), r.me(), r.own.incarnation(), r.lastLsn, r.committed));
    }

    @Override
    void peer(NodeName node, PeerMessage message) {
        Resync running = resync;
        switch (message) {
            case PeerMessage.JoinStart start -> joinStart(node, start);
            case PeerMessage.JoinRefused refused -> refused(refused);
            case PeerMessage.StateReport report -> recovery.reported(report);
            case PeerMessage.JoinRequest join ->
                r.send(
                        node,
                        new PeerMessage.JoinRefused(r.volume, r.promised(), r.me(), "not the primary: " + join.from()));
            case PeerMessage other when running != null -> running.peer(node, other);
            case PeerMessage other -> Payloads.release(other);
        }
    }

    private void refused(PeerMessage.JoinRefused refused) {
        unanswered = 0;
        if (resync != null && refused.epoch() == r.promised()) {
            startOver("refused: " + refused.reason());
        }
        if (!refused.from().equals(r.cfg().primary())) {
            r.config.refresh();
        }
    }

    private void joinStart(NodeName node, PeerMessage.JoinStart start) {
        boolean sound = start.record().config().epoch() == start.epoch()
                && start.record().config().primary().equals(start.from());
        if (!sound || r.isMine(start.record().config())) {
            return;
        }
        r.learn(start.record());
        if (r.cfg().epoch() != start.epoch()) {
            return;
        }
        Resync before = resync;
        if (before != null) {
            before.stop();
        }
        unanswered = 0;
        waitNanos = ASK_NANOS;
        resync = new Resync(r, this, node, start);
    }

    void startOver(String reason) {
        Resync running = resync;
        if (running != null) {
            running.stop();
            resync = null;
            r.notice(new Notice.ResyncFailed(reason));
        }
        askAtNanos = r.now + waitNanos;
    }

    @Override
    void peerUp(NodeName node) {
        recovery.linkUp();
        if (r.record.primaryNode().map(node::equals).orElse(false)) {
            askAtNanos = r.now;
            ask();
        }
    }

    @Override
    void peerDown(NodeName node, DownReason reason) {
        Resync running = resync;
        if (running != null && running.dependsOn(node)) {
            startOver("connection to " + node + " lost");
        }
    }

    @Override
    void recordChanged() {
        Resync running = resync;
        if (running != null && running.epoch() != r.cfg().epoch()) {
            // Most likely the primary added or dropped somebody: what was copied already will compare equal.
            startOver("epoch " + r.cfg().epoch() + " began");
            askAtNanos = r.now;
        }
        ask();
        recovery.evaluate();
    }

    @Override
    void spaceChanged() {
        Resync running = resync;
        if (running != null) {
            running.spaceChanged();
        }
    }

    @Override
    void endStep() {
        Resync running = resync;
        if (running != null) {
            running.endStep();
        }
    }

    @Override
    void tick() {
        Resync running = resync;
        if (running != null) {
            running.tick();
        }
        ask();
        recovery.tick();
    }

    @Override
    long deadline() {
        Resync running = resync;
        long deadline = recovery.deadline();
        if (running != null) {
            return Math.min(deadline, running.deadline());
        }
        boolean canAsk = r.confirmed
                && !r.stopping
                && r.record
                        .primaryNode()
                        .map(node -> !node.equals(r.self) && r.peers.isUp(node))
                        .orElse(false);
        return canAsk ? Math.min(deadline, askAtNanos) : deadline;
    }

    @Override
    void leave() {
        super.leave();
        Resync running = resync;
        if (running != null) {
            running.finished();
            running.stop();
            resync = null;
        }
    }

    @Override
    String name() {
        return switch (r.own.status()) {
            case EMPTY -> "empty";
            case CATCHING_UP -> "catching-up";
            case FAULTED -> "faulted";
            case IN_SYNC, OUTDATED -> "outdated";
        };
    }

    @Override
    String phase() {
        if (resync != null) {
            return "resyncing";
        }
        return recovery.concerned() ? "waiting for the other in-sync replicas" : "asking to join";
    }

    @Override
    long @Nullable [] resyncBytes() {
        Resync running = resync;
        return running == null ? null : running.bytes();
    }
}
