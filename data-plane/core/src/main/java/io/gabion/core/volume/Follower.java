package io.gabion.core.volume;

import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.TailEntry;
import io.gabion.core.port.EpochStart;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.Notice;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.ByteRange;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeConfig;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** An in-sync member that is not primary: obeys the primary of the epoch it promised, and takes over when that is gone. */
final class Follower extends Role {
    /** Between the candidates of one volume, so that their swaps do not meet. */
    private static final long CANDIDATE_STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(40);

    private static final long CANDIDATE_JITTER_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long STOP_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final long epoch;
    private final NodeName primary;
    private final StreamReceiver stream;
    private final long jitterNanos;
    private boolean promiseDurable;
    /** Equal to the primary of this epoch, durably or about to be: takes part in the stream. */
    private boolean activated;

    private @Nullable String primaryLost;
    private long primaryLostEpoch;
    private boolean takeOver;
    private long lostAtNanos = Long.MAX_VALUE;
    private long stopByNanos = Long.MAX_VALUE;

    private Follower(Replica replica, NodeName primary, boolean activated, boolean promiseDurable) {
        super(replica);
        this.epoch = replica.promised();
        this.primary = primary;
        this.activated = activated;
        this.promiseDurable = promiseDurable;
        long applied = activated && replica.lastLsn.epoch() == epoch ? replica.lastLsn.seq() : 0;
        this.stream = new StreamReceiver(replica, epoch, primary, applied, new StreamReceiver.Points() {});
        this.jitterNanos = replica.jitter.below(CANDIDATE_JITTER_NANOS);
    }

    /** In sync by the known record, but not spoken to by its primary yet; or after a restart of the process. */
    static Follower waiting(Replica r, boolean restarted) {
        ReplicaRecord own = r.own;
        boolean activated = restarted
                && own.status() == ReplicaStatus.IN_SYNC
                && own.position().epoch() == own.promisedEpoch()
                && own.record().config().epoch() == own.promisedEpoch();
        return new Follower(r, r.record.primaryNode().orElse(r.self), activated, true);
    }

    /** Obeys {@code message}: promises its epoch durably, then reports. */
    static Follower promising(Replica r, NodeName node, PeerMessage.NewEpoch message) {
        ReplicaRecord next = r.ownWith(message.epoch(), ReplicaStatus.IN_SYNC);
        Follower[] made = new Follower[1];
        r.persist(next, () -> made[0].promised());
        Follower follower = new Follower(r, node, false, false);
        made[0] = follower;
        return follower;
    }

    private void promised() {
        promiseDurable = true;
        if (!left) {
            reportTail();
        }
    }

    private void reportTail() {
        r.send(
                primary,
                new PeerMessage.EpochPromised(
                        r.volume,
                        epoch,
                        r.me(),
                        r.own.incarnation(),
                        r.lastLsn,
                        r.committed,
                        r.tail.list(),
                        stream.restartCredit(),
                        r.snapshots.set()));
    }

    /** The primary of this very epoch asks again: its link was new, or our answer was lost. */
    void askedAgain(NodeName node) {
        if (!node.equals(primary) || !promiseDurable || stream.applied() > 0) {
            return;
        }
        activated = false;
        r.appends.whenDurable(() -> {
            if (!left) {
                reportTail();
            }
        });
    }

    // ---- the primary speaks
    @Override
    void peer(NodeName node, PeerMessage message) {
        switch (message) {
            case PeerMessage.Replicate replicate when speaks(node, message) && activated -> stream.replicate(replicate);
            case PeerMessage.Committed committed
            when speaks(node, message) && activated -> stream.committed(committed.committedSeq());
            case PeerMessage.Reconcile reconcile when speaks(node, message) && !activated -> reconcile(reconcile);
            case PeerMessage.ReconcileEnd end when speaks(node, message) && !activated -> reconcileEnd(end);
            case PeerMessage.TakeOver _
            when speaks(node, message) && activated -> {
                takeOver = true;
                lost(epoch, "the primary hands over");
            }
            case PeerMessage.MemberFaulted faulted
            when faulted.from().equals(r.cfg().primary()) ->
                lost(r.cfg().epoch(), "the primary's copy is faulted: " + faulted.reason());
            case PeerMessage.StateReport report
            when report.from().equals(r.cfg().primary()) -> stateReported(report);
            case PeerMessage.DifferenceQuery query
            when activated && message.epoch() == epoch -> r.source.query(node, query);
            case PeerMessage.FetchBlocks fetch
            when activated && message.epoch() == epoch -> r.source.fetch(node, fetch);
            case PeerMessage.JoinRequest join ->
                r.send(node, new PeerMessage.JoinRefused(r.volume, epoch, r.me(), "not the primary: " + join.from()));
            case PeerMessage other -> Payloads.release(other);
        }
    }

    private boolean speaks(NodeName node, PeerMessage message) {
        return promiseDurable && message.epoch() == epoch && node.equals(primary);
    }

    private void reconcile(PeerMessage.Reconcile message) {
        Lsn at = new Lsn(epoch, 0);
        // The primary may be gone before it has sent everything. What was undone so far must then not pass for applied,
        // not
        // even after a restart: the record says so before the blocks change.
        if (r.requests.removeAll(r.tail.undoneBy(message.runs()))) {
            r.persist(r.ownAt(epoch, ReplicaStatus.CATCHING_UP, at, r.requests.list()));
        }
        message.runs()
                .forEach(run -> r.tail.add(
                        new TailEntry(at, ByteRange.ofBlocks(run.firstBlock(), run.blocks()), RequestId.NONE)));
        r.append(new LogRecord.Copied(epoch, message.runs()));
    }

    private void reconcileEnd(PeerMessage.ReconcileEnd end) {
        activated = true;
        // What this log holds beyond the primary's never counted; what the primary holds counts, whether it came by log
        // or copy.
        r.requests.replace(end.requests());
        // A higher session here was never open anywhere: its operation is undone like any other.
        r.session = end.session();
        Lsn start = new Lsn(epoch, 0);
        r.lastLsn = start;
        r.snapshots.follow(end.snapshots());
        r.snapshots.trustAll();
        ReplicaRecord next = r.ownAt(epoch, ReplicaStatus.IN_SYNC, start, end.requests());
        r.persist(r.withEpochStart(next, new EpochStart(epoch, end.start())), () -> {
            if (!left) {
                r.send(primary, new PeerMessage.Reconciled(r.volume, epoch, r.me()));
                if (r.stopping) {
                    r.readyToStop();
                }
            }
        });
    }

    private void stateReported(PeerMessage.StateReport report) {
        InSyncMember listed = r.cfg().member(report.from()).orElse(null);
        if (listed != null && (listed.incarnation() != report.incarnation() || !report.intact())) {
            lost(r.cfg().epoch(), "the primary lost power or its disk");
        }
    }

    private void lost(long lostEpoch, String reason) {
        if (primaryLost == null || lostEpoch > primaryLostEpoch) {
            primaryLost = reason;
            primaryLostEpoch = lostEpoch;
            lostAtNanos = r.now;
            evaluate();
        }
    }

    // ---- links
    @Override
    void peerUp(NodeName node) {
        if (activated && node.equals(primary)) {
            stream.resume();
        }
    }

    @Override
    void peerDown(NodeName node, DownReason reason) {
        evaluate();
    }

    @Override
    void endStep() {
        if (activated) {
            stream.endStep();
        }
    }

    @Override
    void spaceChanged() {
        stream.spaceChanged();
    }

    // ---- taking over
    /** When this replica should propose itself, {@link Long#MAX_VALUE} while the primary seems alive. */
    private long promoteAtNanos() {
        if (!r.confirmed || r.stopping || !r.intact) {
            return Long.MAX_VALUE;
        }
        VolumeConfig c = r.cfg();
        if (!isLost(c)) {
            return ownTurn(c, goneAtNanos());
        }
        return takeOver ? lostAtNanos : ownTurn(c, Math.min(lostAtNanos, goneAtNanos()));
    }

    /** The primary of {@code c}, not of an earlier epoch, said that it cannot go on. */
    private boolean isLost(VolumeConfig c) {
        return primaryLost != null && primaryLostEpoch >= c.epoch();
    }

    private long goneAtNanos() {
        return r.record.primaryNode().map(r.peers::goneAtNanos).orElse(r.now);
    }

    private long ownTurn(VolumeConfig c, long at) {
        if (at == Long.MAX_VALUE) {
            return at;
        }
        int index = 0;
        for (InSyncMember member : c.inSync()) {
            if (member.replica().equals(r.me())) {
                break;
            }
            if (!member.replica().equals(c.primary())) {
                index++;
            }
        }
        // The first candidate does not wait at all; jitter only where there is somebody to meet.
        return index == 0 ? at : at + index * CANDIDATE_STEP_NANOS + jitterNanos;
    }

    private void evaluate() {
        if (r.config.busy() || r.now < promoteAtNanos()) {
            return;
        }
        VolumeConfig c = r.cfg();
        boolean keep = takeOver && isLost(c);
        List<InSyncMember> members = keep ? c.inSync() : Replica.without(c.inSync(), c.primary());
        String why = primaryLost != null && isLost(c)
                ? primaryLost
                : "primary " + r.describe(c.primary()) + ": "
                        + r.record.primaryNode().map(r.peers::describe).orElse("not placed");
        r.outageSinceNanos = Math.min(
                isLost(c)
                        ? lostAtNanos
                        : r.record.primaryNode().map(r.peers::downSinceNanos).orElse(r.now),
                r.outageSinceNanos);
        r.notice(new Notice.Promoting(c.epoch() + 1, why));
        r.config.propose(r.record.withConfig(c.withMembers(r.me(), members, r.config.newWriter())));
    }

    @Override
    void recordChanged() {
        evaluate();
    }

    @Override
    void tick() {
        evaluate();
        if (r.now >= stopByNanos) {
            stopByNanos = Long.MAX_VALUE;
            r.readyToStop();
        }
    }

    @Override
    long deadline() {
        long promote = promoteAtNanos();
        // While a change is under way its own deadline counts.
        return Math.min(stopByNanos, promote <= r.now && r.config.busy() ? Long.MAX_VALUE : promote);
    }

    // ---- the rest
    @Override
    void shutdown() {
        if (activated || epoch == r.cfg().epoch()) {
            r.readyToStop();
        } else {
            // We just handed over: let the new primary make us equal first, so that it can start without waiting.
            stopByNanos = r.now + STOP_NANOS;
        }
    }

    @Override
    void leave() {
        super.leave();
        stream.stop();
    }

    @Override
    String name() {
        return "in-sync";
    }

    @Override
    String phase() {
        if (activated) {
            return "following";
        }
        return promiseDurable ? "waiting for the primary" : "promising";
    }
}
