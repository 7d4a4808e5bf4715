package io.gabion.core.volume;

import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Notice;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Gives the volume to another member in good order: drains, then asks that member to promote itself. */
final class Handover {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long STOP_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final Primary p;
    private final Replica r;
    private @Nullable Member target;
    private long endsAtNanos = Long.MAX_VALUE;
    private long stopByNanos = Long.MAX_VALUE;
    private long notBeforeNanos = Long.MIN_VALUE;
    private boolean said;
    private boolean faultSaid;

    Handover(Primary primary) {
        this.p = primary;
        this.r = primary.r;
    }

    boolean draining() {
        return target != null;
    }

    void request(ReplicaId wanted) {
        Member member = p.members.get(wanted);
        if (member == null || !canTake(member)) {
            // Asked for somebody who cannot: everything stays as it is, and the caller sees that in the record.
            return;
        }
        start(member);
    }

    private boolean canTake(Member member) {
        return p.active() && member.streaming && member.lostForGood == null && r.peers.isUp(member.node);
    }

    private void start(Member member) {
        if (target == null) {
            target = member;
            said = false;
            endsAtNanos = r.now + PATIENCE_NANOS;
            committed();
        }
    }

    /** The process ends: somebody else should go on, if there is somebody. */
    void shutdown() {
        stopByNanos = r.now + STOP_NANOS;
        if (!startToAnyone()) {
            r.readyToStop();
        }
    }

    private boolean startToAnyone() {
        for (Member member : p.members.values()) {
            if (canTake(member)) {
                start(member);
                return true;
            }
        }
        return false;
    }

    /** This replica is to be removed: another one has to be primary before it can go. */
    void evaluate() {
        for (ReplicaPlacement removed : r.record.removed()) {
            if (removed.replica().equals(r.me()) && target == null && r.now >= notBeforeNanos) {
                startToAnyone();
            }
        }
    }

    void committed() {
        Member member = target;
        if (member != null && !said && p.active() && p.committedSeq == p.window.last()) {
            said = true;
            r.send(member.node, new PeerMessage.TakeOver(r.volume, p.epoch, r.me(), new Lsn(p.epoch, p.committedSeq)));
        }
    }

    /** The members of the next epoch are others, even where they are the same replicas. */
    void epochEnds() {
        if (target != null) {
            giveUp();
        }
    }

    void linkLost(NodeName node) {
        if (target != null && target.node.equals(node)) {
            giveUp();
        }
    }

    private void giveUp() {
        target = null;
        endsAtNanos = Long.MAX_VALUE;
        notBeforeNanos = r.now + PATIENCE_NANOS;
        if (r.stopping) {
            r.readyToStop();
        } else {
            p.pump();
        }
    }

    void tick() {
        if (r.now >= endsAtNanos) {
            giveUp();
        }
        if (r.now >= stopByNanos) {
            r.readyToStop();
        }
    }

    /** The own copy cannot make others equal: any of them is a better primary. */
    void ownCopyBad(String reason) {
        if (faultSaid) {
            return;
        }
        faultSaid = true;
        r.notice(new Notice.Faulted(reason));
        for (Member member : p.members.values()) {
            r.send(member.node, new PeerMessage.MemberFaulted(r.volume, p.epoch, r.me(), reason));
        }
    }

    long deadline() {
        long deadline = Math.min(endsAtNanos, r.stopped ? Long.MAX_VALUE : stopByNanos);
        for (ReplicaPlacement removed : r.record.removed()) {
            if (removed.replica().equals(r.me()) && target == null) {
                deadline = Math.min(deadline, Math.max(notBeforeNanos, r.now + 250_000_000L));
            }
        }
        return deadline;
    }
}
