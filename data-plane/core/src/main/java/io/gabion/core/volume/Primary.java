package io.gabion.core.volume;

import io.gabion.core.Invariants;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Effect;
import io.gabion.core.port.EpochStart;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.Notice;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The primary of one epoch after the other for as long as this replica stays primary. An epoch starts with its activation:
 * every member promises it and is made equal; only then is anything accepted or answered.
 */
final class Primary extends Role {
    private static final long BUSY_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long ANNOUNCE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    enum Phase {
        PERSISTING,
        GATHERING,
        /** The first epoch is equal everywhere; data is only written in later ones, so that an empty disk can never pass for a full one. */
        FOUNDING,
        ACTIVE
    }

    final Map<ReplicaId, Member> members = new LinkedHashMap<>();
    final Window window = new Window();
    final ClientDesk desk;
    final ReadPath reads;
    final JoinHost joins;
    final Dropping dropping;
    final Handover handover;
    final Activation activation;
    final SnapshotDesk snapshots;
    private final MemberLinks links;
    private final Growth growth;
    private final Stalls stalls;

    long epoch;
    Phase phase = Phase.PERSISTING;
    long committedSeq;
    private long localSeq;
    private long othersSeq;
    /** Operations of earlier own epochs that were not committed: they are when the new epoch is active. */
    private List<WindowEntry> carried = new ArrayList<>();

    private long announcedSeq;
    private long announceAtNanos = Long.MAX_VALUE;
    private long busyTickNanos = Long.MAX_VALUE;
    private final List<Long> verifications = new ArrayList<>();

    Primary(Replica replica) {
        super(replica);
        this.desk = new ClientDesk(this);
        this.reads = new ReadPath(this);
        this.joins = new JoinHost(this);
        this.dropping = new Dropping(this);
        this.handover = new Handover(this);
        this.activation = new Activation(this);
        this.snapshots = new SnapshotDesk(this);
        this.links = new MemberLinks(this);
        this.growth = new Growth(this);
        this.stalls = new Stalls(this);
    }

    boolean active() {
        return phase == Phase.ACTIVE && !left;
    }

    // ---- the life of an epoch
    /** Starts the epoch of the record known now, in which this replica is primary. */
    void startEpoch() {
        VolumeConfig c = r.cfg();
        Invariants.check(
                c.epoch() > r.promised(), "a primary never speaks twice for one epoch", c.epoch(), r.promised());
        if (phase == Phase.ACTIVE || r.outageSinceNanos == Long.MAX_VALUE) {
            r.outageSinceNanos = Math.min(r.outageSinceNanos, oldestWaitingNanos());
        }
        phase = Phase.PERSISTING;
        carryOver();
        List<Member> before = List.copyOf(members.values());
        List<Member> joiners = joins.clear();
        members.clear();
        for (InSyncMember listed : c.inSync()) {
            if (!listed.replica().equals(r.me())) {
                NodeName node = r.record.nodeOf(listed.replica()).orElse(r.self);
                members.put(listed.replica(), new Member(listed.replica(), node, listed.incarnation()));
            }
        }
        epoch = c.epoch();
        snapshots.epochStarts();
        report(before, joiners);
        long starting = epoch;
        r.persist(r.withEpochStart(r.ownWith(epoch, ReplicaStatus.IN_SYNC), new EpochStart(epoch, r.lastLsn)), () -> {
            if (!left && epoch == starting) {
                phase = Phase.GATHERING;
                activation.begin();
            }
        });
    }

    private long oldestWaitingNanos() {
        return window.last() > committedSeq ? window.get(committedSeq + 1).submittedNanos : r.now;
    }

    private void carryOver() {
        for (long seq = committedSeq + 1; seq <= window.last(); seq++) {
            WindowEntry entry = window.get(seq);
            r.tail.add(entry.asTail());
            carried.add(entry);
        }
        window.reset();
        committedSeq = 0;
        localSeq = 0;
        othersSeq = 0;
        announceAtNanos = Long.MAX_VALUE;
        growth.epochEnds();
        reads.epochEnds();
        desk.epochEnds();
        handover.epochEnds();
    }

    private void report(List<Member> before, List<Member> joiners) {
        for (Member old : before) {
            if (!members.containsKey(old.replica)) {
                r.notice(new Notice.MemberDropped(old.replica, epoch, dropping.reason(old)));
                r.send(old.node, new PeerMessage.EpochRefused(r.volume, epoch - 1, r.me(), epoch));
            }
        }
        for (Member joiner : joiners) {
            if (members.containsKey(joiner.replica)) {
                r.notice(new Notice.MemberAdded(joiner.replica, epoch));
            }
        }
    }

    /** All members promised the epoch and are equal. */
    void activate() {
        for (Member member : members.values()) {
            Invariants.check(
                    member.stage == Member.Stage.EQUAL,
                    "I6: nothing is served before all are equal",
                    member.replica,
                    epoch);
        }
        Lsn start = new Lsn(epoch, 0);
        r.tail.clear();
        r.commitThrough(start);
        r.lastLsn = start;
        r.snapshots.trustAll();
        r.persist(r.ownAt(epoch, ReplicaStatus.IN_SYNC, start, r.requests.list()));
        if (epoch == r.record.foundingEpoch()) {
            phase = Phase.FOUNDING;
            evaluate();
            return;
        }
        phase = Phase.ACTIVE;
        long pause =
                r.outageSinceNanos == Long.MAX_VALUE ? -1 : TimeUnit.NANOSECONDS.toMillis(r.now - r.outageSinceNanos);
        r.outageSinceNanos = Long.MAX_VALUE;
        r.notice(new Notice.Activated(
                epoch, r.cfg().inSync().stream().map(InSyncMember::replica).toList(), pause));
        announcedSeq = -1;
        announceAtNanos = r.now;
        finishCarried();
        desk.activated();
        reads.activated();
        for (long id : List.copyOf(verifications)) {
            verify(id);
        }
        verifications.clear();
        snapshots.activated();
        pump();
        evaluate();
    }

    private void finishCarried() {
        if (belowMinimum()) {
            return;
        }
        List<WindowEntry> finished = carried;
        carried = new ArrayList<>();
        for (WindowEntry entry : finished) {
            if (!(entry.operation instanceof Operation.Grow)) {
                finished(entry);
            }
        }
    }

    private void finished(WindowEntry entry) {
        switch (entry.operation) {
            case Operation.Grow grow -> growth.committed(grow.sizeBytes());
            case Operation.TakeSnapshot take -> snapshots.taken(take.number());
            case Operation.DeleteSnapshot delete -> snapshots.deleted(delete.number());
            case Operation.Write _,
                    Operation.Trim _,
                    Operation.OpenSession _,
                    Operation.VerifyPoint _,
                    Operation.ComparePoint _ -> desk.finished(entry);
        }
    }

    boolean hasCarried() {
        return !carried.isEmpty();
    }

    boolean belowMinimum() {
        return members.size() + 1 < r.record.spec().minInSync();
    }

    // ---- sequencing
    /** Gives the next place in the epoch to {@code entry} and sends it to everybody. */
    void sequence(WindowEntry entry) {
        Invariants.check(phase == Phase.ACTIVE, "I6: operations only in an active epoch", phase, epoch);
        entry.epoch = epoch;
        entry.seq = window.last() + 1;
        entry.submittedNanos = r.now;
        window.add(entry);
        links.replicate(entry);
        appendLocally(entry);
        r.requests.add(entry.request);
    }

    private void appendLocally(WindowEntry entry) {
        Lsn lsn = new Lsn(epoch, entry.seq);
        r.lastLsn = lsn;
        switch (entry.operation) {
            case Operation.Write write -> {
                r.space.take(entry.payloadBytes);
                r.append(
                        new LogRecord.Written(
                                lsn,
                                r.committed,
                                write.range(),
                                write.request(),
                                write.payload().retain()),
                        entry);
            }
            case Operation.Trim trim ->
                r.append(new LogRecord.Trimmed(lsn, r.committed, trim.range(), trim.request()), entry);
            case Operation.OpenSession open -> r.append(new LogRecord.SessionOpened(lsn, open.session()), entry);
            case Operation.Grow grow -> r.append(new LogRecord.Grown(lsn, grow.sizeBytes()), entry);
            case Operation.TakeSnapshot take -> r.snapshots.take(take.number(), lsn, entry);
            case Operation.DeleteSnapshot delete -> r.snapshots.delete(delete.number(), lsn, entry);
            case Operation.VerifyPoint point -> {
                r.append(new LogRecord.Marked(lsn), entry);
                r.emit(new Effect.Verify(point.id(), lsn));
            }
            case Operation.ComparePoint point -> {
                r.append(new LogRecord.Marked(lsn), entry);
                joins.atComparePoint(point.round());
            }
        }
    }

    void locallyDurable(WindowEntry entry) {
        if (left || entry.epoch != epoch) {
            return;
        }
        entry.localNanos = r.now;
        localSeq = entry.seq;
    }

    /** Sequences what waits, as far as it may go. */
    void pump() {
        while (active() && desk.hasWaiting() && !belowMinimum() && !isHeld() && desk.sequenceNext()) {}
    }

    private boolean isHeld() {
        return handover.draining() || snapshots.holdsWrites();
    }

    // ---- acknowledgements
    private void durable(PeerMessage.Durable message) {
        Member member = members.get(message.from());
        if (member == null) {
            member = joins.member(message.from());
        }
        if (member == null || message.seq() > window.last()) {
            return;
        }
        member.durableSeq = Math.max(member.durableSeq, message.seq());
        member.creditBytes = message.creditLimitBytes();
        if (member.starvedSinceNanos != Long.MAX_VALUE) {
            pump();
        }
    }

    /** Commits what all members of the acknowledgement set hold durably. */
    private void advance() {
        long others = Long.MAX_VALUE;
        for (Member member : members.values()) {
            others = Math.min(others, member.durableSeq);
        }
        others = Math.min(others, joins.countedDurableSeq());
        long otherwise = Math.min(others, window.last());
        for (long seq = Math.max(othersSeq, committedSeq) + 1; seq <= otherwise; seq++) {
            window.get(seq).replicasNanos = r.now;
        }
        othersSeq = Math.max(othersSeq, otherwise);
        long commit = Math.min(others, localSeq);
        if (commit > committedSeq) {
            commitThrough(commit);
        }
        window.forgetThrough(Math.min(committedSeq, lowestHeld()));
    }

    private long lowestHeld() {
        long lowest = joins.lowestDurableSeq();
        for (Member member : members.values()) {
            lowest = Math.min(lowest, member.durableSeq);
        }
        return lowest;
    }

    private void commitThrough(long seq) {
        for (long next = committedSeq + 1; next <= seq; next++) {
            committedSeq = next;
            WindowEntry entry = window.get(next);
            finished(entry);
            if (entry.operation instanceof Operation.Grow) {
                evaluate();
            }
        }
        r.commitThrough(new Lsn(epoch, seq));
        announceAtNanos = r.now + ANNOUNCE_NANOS;
        reads.committed();
        desk.committed();
        snapshots.proceed();
        handover.committed();
        if (joins.hasAny()) {
            evaluate();
        }
        pump();
    }

    private void announce() {
        announceAtNanos = Long.MAX_VALUE;
        if (active() && announcedSeq != committedSeq) {
            announcedSeq = committedSeq;
            for (Member member : members.values()) {
                if (member.streaming) {
                    r.send(member.node, new PeerMessage.Committed(r.volume, epoch, r.me(), committedSeq));
                }
            }
        }
    }

    // ---- peers
    @Override
    void peer(NodeName node, PeerMessage message) {
        boolean current = message.epoch() == epoch;
        Member member = members.get(message.from());
        switch (message) {
            case PeerMessage.Durable durable when current && phase == Phase.ACTIVE -> durable(durable);
            case PeerMessage.EpochPromised promised
            when current && member != null -> activation.promised(member, promised);
            case PeerMessage.Reconciled _ when current && member != null -> activation.reconciled(member);
            case PeerMessage.Resume resume when current -> links.resume(resume);
            case PeerMessage.MemberFaulted faulted
            when member != null -> lose(member, "its copy is faulted: " + faulted.reason());
            case PeerMessage.StateReport report
            when member != null && (report.incarnation() != member.incarnation || !report.intact()) ->
                lose(member, report.intact() ? "it lost power" : "its copy is lost");
            case PeerMessage.JoinRequest join -> joinRequested(node, member, join);
            case PeerMessage.CopyComplete complete when current -> joins.copyComplete(complete);
            case PeerMessage.RegionsAt regions when current -> joins.regionsAt(regions);
            case PeerMessage.DifferenceQuery query when current && active() -> r.source.query(node, query);
            case PeerMessage.FetchBlocks fetch when current && active() -> r.source.fetch(node, fetch);
            case PeerMessage.Blocks blocks -> reads.fetched(blocks);
            case PeerMessage.BlocksUnreadable unreadable -> reads.fetchFailed(unreadable.fetch());
            case PeerMessage other -> Payloads.release(other);
        }
    }

    private void joinRequested(NodeName node, @Nullable Member member, PeerMessage.JoinRequest join) {
        if (member == null) {
            joins.requested(node, join);
        } else if (member.incarnation != join.incarnation()) {
            lose(member, "it came back without what it held");
        } else {
            // It does not know yet that it is in sync.
            activation.askAgain(member);
        }
    }

    void lose(Member member, String reason) {
        if (member.lostForGood == null) {
            member.lostForGood = reason;
            evaluate();
        }
    }

    @Override
    void peerUp(NodeName node) {
        links.up(node);
        joins.linkChanged(node);
    }

    @Override
    void peerDown(NodeName node, DownReason reason) {
        links.down(node);
        reads.linkLost(node);
        joins.linkChanged(node);
        handover.linkLost(node);
        evaluate();
    }

    void peerPromised(NodeName node, long promisedEpoch) {
        links.promised(node, promisedEpoch);
    }

    // ---- the rest of what happens
    @Override
    void client(long link, NodeName agent, ClientMessage.Request request) {
        desk.received(link, agent, request);
    }

    @Override
    void clientGone(long link) {
        desk.gone(link);
    }

    @Override
    void recordChanged() {
        desk.recordChanged();
        evaluate();
        snapshots.proceed();
        pump();
    }

    @Override
    void spaceChanged() {
        pump();
    }

    @Override
    void snapshotWanted(long call, long number) {
        snapshots.wanted(call, number);
    }

    @Override
    void snapshotUnwanted(long call, long number) {
        snapshots.unwanted(call, number);
    }

    @Override
    void handover(ReplicaId target) {
        handover.request(target);
    }

    @Override
    void shutdown() {
        handover.shutdown();
    }

    @Override
    void verify(long id) {
        if (!active()) {
            verifications.add(id);
            return;
        }
        sequence(new WindowEntry(this, new Operation.VerifyPoint(id), null, r.now));
    }

    /** Looks whether the configuration should change, and proposes it. */
    void evaluate() {
        if (left || r.cfg().epoch() != epoch || r.config.busy()) {
            return;
        }
        VolumeConfig c = r.cfg();
        if (dropping.propose()) {
            return;
        }
        if (phase == Phase.FOUNDING) {
            r.config.propose(r.record.withConfig(c.withMembers(r.me(), c.inSync(), r.config.newWriter())));
            return;
        }
        if (!active() || joins.proposeAdd()) {
            return;
        }
        handover.evaluate();
        growth.evaluate(c);
    }

    @Override
    void endStep() {
        if (active()) {
            advance();
        }
    }

    @Override
    void tick() {
        busyTickNanos = Long.MAX_VALUE;
        if (r.now >= announceAtNanos) {
            announce();
        }
        links.tick();
        activation.tick();
        joins.tick();
        handover.tick();
        desk.tick();
        evaluate();
        snapshots.proceed();
        pump();
        stalls.tick();
    }

    @Override
    long deadline() {
        long deadline = Math.min(announceAtNanos, Math.min(dropping.deadline(), handover.deadline()));
        deadline = Math.min(deadline, links.deadline());
        boolean busy = !active()
                || desk.hasWaiting()
                || window.last() > committedSeq
                || joins.hasAny()
                || snapshots.isBusy()
                || stalls.stalled()
                || reads.hasAny();
        if (!busy) {
            return deadline;
        }
        if (busyTickNanos == Long.MAX_VALUE) {
            busyTickNanos = r.now + BUSY_TICK_NANOS;
        }
        return Math.min(deadline, busyTickNanos);
    }

    @Override
    void leave() {
        r.notice(new Notice.Deposed(epoch, "epoch " + Math.max(r.cfg().epoch(), r.promised()) + " is known"));
        for (long seq = committedSeq + 1; seq <= window.last(); seq++) {
            r.tail.add(window.get(seq).asTail());
        }
        super.leave();
        window.reset();
        carried.clear();
        desk.leave();
        snapshots.leave();
        reads.leave();
        joins.clear();
    }

    @Override
    String name() {
        return "primary";
    }

    @Override
    String phase() {
        return switch (phase) {
            case PERSISTING, GATHERING, FOUNDING -> "activating";
            case ACTIVE -> handover.draining() ? "handing over" : "serving";
        };
    }

    @Override
    ReplicaView.@Nullable Stall stall() {
        return stalls.current();
    }

    @Override
    int writesInFlight() {
        return (int) (window.last() - committedSeq) + desk.waiting();
    }
}
