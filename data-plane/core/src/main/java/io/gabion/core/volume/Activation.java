package io.gabion.core.volume;

import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Event;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Makes all members of a new epoch equal to its primary: each promises, reports its tail, and receives the primary's blocks
 * wherever either of the two holds something that may not be everywhere.
 */
final class Activation {
    /** Reads under way per member: keeps the disk busy and bounds memory to this many MiB. */
    private static final int MAX_READS = 4;

    private static final long ASK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final Primary p;
    private final Replica r;
    private long askAgainAtNanos = Long.MAX_VALUE;

    Activation(Primary primary) {
        this.p = primary;
        this.r = primary.r;
    }

    /** The own promise is durable: ask everybody. */
    void begin() {
        askAgainAtNanos = r.now + ASK_AGAIN_NANOS;
        for (Member member : p.members.values()) {
            member.askedAtNanos = r.now;
            if (r.peers.isUp(member.node)) {
                ask(member);
            }
        }
        completeIfAllEqual();
    }

    void linkUp(Member member) {
        if (p.phase == Primary.Phase.GATHERING) {
            member.askedAtNanos = r.now;
            ask(member);
        }
    }

    void askAgain(Member member) {
        if (p.phase == Primary.Phase.GATHERING
                && (member.stage == Member.Stage.NONE || member.stage == Member.Stage.ASKED)) {
            ask(member);
        }
    }

    private void ask(Member member) {
        member.stage = Member.Stage.ASKED;
        member.attempt++;
        r.send(member.node, new PeerMessage.NewEpoch(r.volume, p.epoch, r.me(), r.record, r.committed));
    }

    void tick() {
        if (p.phase != Primary.Phase.GATHERING || r.now < askAgainAtNanos) {
            return;
        }
        askAgainAtNanos = r.now + ASK_AGAIN_NANOS;
        for (Member member : p.members.values()) {
            if (r.peers.isUp(member.node)) {
                askAgain(member);
            }
        }
    }

    void promised(Member member, PeerMessage.EpochPromised promised) {
        if (p.phase != Primary.Phase.GATHERING || member.stage != Member.Stage.ASKED) {
            return;
        }
        if (promised.incarnation() != member.incarnation) {
            member.lostForGood = "it came back without what it held";
            p.evaluate();
            return;
        }
        member.stage = Member.Stage.PROMISED;
        p.snapshots.memberHas(promised.snapshots());
        member.creditBytes = promised.creditLimitBytes();
        member.askedAtNanos = r.now;
        Lsn common = Lsn.max(r.committed, promised.committed());
        List<ByteRange> doubtful = new ArrayList<>(r.tail.rangesAfter(common));
        Tail.rangesAfter(promised.tail(), common, doubtful);
        new Equalising(member, Ranges.unionByRegion(doubtful)).next();
    }

    void reconciled(Member member) {
        if (p.phase != Primary.Phase.GATHERING || member.stage != Member.Stage.ENDED) {
            return;
        }
        member.stage = Member.Stage.EQUAL;
        member.streaming = r.peers.isUp(member.node);
        completeIfAllEqual();
    }

    private void completeIfAllEqual() {
        for (Member member : p.members.values()) {
            if (member.stage != Member.Stage.EQUAL) {
                return;
            }
        }
        p.activate();
    }

    /** Sends one member the primary's content of the doubtful ranges, a few at a time. */
    private final class Equalising {
        private final Member member;
        private final List<ByteRange> ranges;
        private final int attempt;
        private final long epoch;
        private int nextRange;
        private int reading;

        Equalising(Member member, List<ByteRange> ranges) {
            this.member = member;
            this.ranges = ranges;
            this.attempt = member.attempt;
            this.epoch = p.epoch;
        }

        private boolean stale() {
            return p.left || p.epoch != epoch || member.attempt != attempt || member.stage != Member.Stage.PROMISED;
        }

        void next() {
            while (reading < MAX_READS && nextRange < ranges.size()) {
                ByteRange range = ranges.get(nextRange);
                nextRange++;
                reading++;
                r.readBlocks(range, true, List.of(), this::answered);
            }
            if (reading == 0) {
                end();
            }
        }

        private void answered(Event event) {
            reading--;
            if (stale()) {
                Payloads.release(event);
                return;
            }
            switch (event) {
                case Event.BlocksRead read -> {
                    member.askedAtNanos = r.now;
                    r.send(member.node, new PeerMessage.Reconcile(r.volume, epoch, r.me(), read.runs()));
                    next();
                }
                case Event.ReadFailed failed -> p.handover.ownCopyBad(failed.reason());
                case Event other -> Payloads.release(other);
            }
        }

        private void end() {
            member.stage = Member.Stage.ENDED;
            r.send(
                    member.node,
                    new PeerMessage.ReconcileEnd(
                            r.volume,
                            epoch,
                            r.me(),
                            r.lastLsn,
                            r.session,
                            r.cfg().sizeBytes(),
                            r.requests.list(),
                            r.snapshots.set()));
        }
    }
}
