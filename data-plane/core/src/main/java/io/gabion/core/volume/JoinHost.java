package io.gabion.core.volume;

import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RegionState;
import io.gabion.core.port.Event;
import io.gabion.model.ByteRange;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The primary's side of bringing replicas back: streams to joiners, counts them once their copy is complete, compares, and
 * adds. From counting on, a joiner acknowledges like a member until the outcome of its addition is known.
 */
final class JoinHost {
    /** Rebuilds that a volume bears beside its clients. */
    private static final int MAX_JOINERS = 2;

    /** After this many comparisons that found differences something else is wrong: start over. */
    private static final int MAX_ROUNDS = 3;

    /** Payload kept for a joiner that lags; beyond it the joiner starts over. */
    private static final long MAX_LAG_BYTES = 96L * 1024 * 1024;

    private static final class Joiner {
        final Member member;
        int rounds;
        long round;
        boolean equal;
        long comparedSeq = Long.MAX_VALUE;
        boolean abandoned;

        @Nullable
        List<RegionState> mine;

        @Nullable
        List<RegionState> theirs;

        Joiner(Member member) {
            this.member = member;
        }
    }

    private final Primary p;
    private final Replica r;
    private final Map<ReplicaId, Joiner> joiners = new LinkedHashMap<>();
    private long lastRound;

    JoinHost(Primary primary) {
        this.p = primary;
        this.r = primary.r;
    }

    boolean hasAny() {
        return !joiners.isEmpty();
    }

    @Nullable
    Member member(ReplicaId replica) {
        Joiner joiner = joiners.get(replica);
        return joiner == null ? null : joiner.member;
    }

    void forEachStreaming(Consumer<Member> action) {
        if (joiners.isEmpty()) {
            return;
        }
        for (Joiner joiner : joiners.values()) {
            action.accept(joiner.member);
        }
    }

    /** Lowest durable position of the joiners whose acknowledgements are needed. */
    long countedDurableSeq() {
        long lowest = Long.MAX_VALUE;
        if (!joiners.isEmpty()) {
            for (Joiner joiner : joiners.values()) {
                if (joiner.member.counted) {
                    lowest = Math.min(lowest, joiner.member.durableSeq);
                }
            }
        }
        return lowest;
    }

    long lowestDurableSeq() {
        long lowest = Long.MAX_VALUE;
        if (!joiners.isEmpty()) {
            for (Joiner joiner : joiners.values()) {
                lowest = Math.min(lowest, joiner.member.durableSeq);
            }
        }
        return lowest;
    }

    List<Member> clear() {
        List<Member> members = new ArrayList<>(joiners.size());
        joiners.values().forEach(joiner -> members.add(joiner.member));
        joiners.clear();
        return members;
    }

    // ---- conversation
    void requested(NodeName node, PeerMessage.JoinRequest join) {
        String refusal = refusal(node, join);
        if (refusal != null) {
            r.send(node, new PeerMessage.JoinRefused(r.volume, p.epoch, r.me(), refusal));
            return;
        }
        Member member = new Member(join.from(), node, join.incarnation());
        member.stage = Member.Stage.EQUAL;
        member.counted = false;
        member.streaming = true;
        member.durableSeq = p.window.last();
        joiners.put(join.from(), new Joiner(member));
        r.send(
                node,
                new PeerMessage.JoinStart(
                        r.volume,
                        p.epoch,
                        r.me(),
                        r.record,
                        p.window.last() + 1,
                        r.session,
                        r.requests.list(),
                        r.snapshots.set()));
    }

    private @Nullable String refusal(NodeName node, PeerMessage.JoinRequest join) {
        if (!p.active()) {
            return "the primary is not active yet";
        }
        if (!r.record.nodeOf(join.from()).equals(Optional.of(node))) {
            return "the record places no such replica on " + node;
        }
        if (r.record.removed().stream().anyMatch(gone -> gone.replica().equals(join.from()))) {
            return "the replica is to be removed";
        }
        if (join.epoch() > p.epoch) {
            r.config.refresh();
            return "the joiner promised a higher epoch";
        }
        Joiner known = joiners.get(join.from());
        if (known != null) {
            if (isProposed(known)) {
                return "it is just being added";
            }
            joiners.remove(join.from());
        }
        return joiners.size() >= MAX_JOINERS ? "other replicas are joining" : null;
    }

    /** A swap that adds the joiner is under way or of unknown outcome. */
    private boolean isProposed(Joiner joiner) {
        VolumeRecord proposal = r.config.proposal();
        return proposal != null && proposal.config().isInSync(joiner.member.replica, joiner.member.incarnation);
    }

    void copyComplete(PeerMessage.CopyComplete complete) {
        Joiner joiner = joiners.get(complete.from());
        if (joiner == null || joiner.abandoned || !p.active() || isProposed(joiner)) {
            return;
        }
        joiner.member.counted = true;
        joiner.rounds++;
        lastRound++;
        joiner.round = lastRound;
        joiner.mine = null;
        joiner.theirs = null;
        p.sequence(new WindowEntry(p, new Operation.ComparePoint(joiner.round), null, r.now));
        joiner.comparedSeq = p.window.last();
    }

    /** Called where the compare point stands in the order of the own appends. */
    void atComparePoint(long round) {
        r.readRegionTable(event -> {
            if (event instanceof Event.RegionTableRead table && !p.left) {
                for (Joiner joiner : List.copyOf(joiners.values())) {
                    if (joiner.round == round) {
                        joiner.mine = table.regions();
                        compare(joiner);
                    }
                }
            }
        });
    }

    void regionsAt(PeerMessage.RegionsAt regions) {
        Joiner joiner = joiners.get(regions.from());
        if (joiner != null && joiner.round == regions.round()) {
            joiner.theirs = regions.regions();
            compare(joiner);
        }
    }

    private void compare(Joiner joiner) {
        List<RegionState> mine = joiner.mine;
        List<RegionState> theirs = joiner.theirs;
        if (mine == null || theirs == null || joiner.abandoned) {
            return;
        }
        Member member = joiner.member;
        List<ByteRange> different = Ranges.different(mine, theirs, Long.MAX_VALUE);
        if (different.isEmpty()) {
            joiner.equal = true;
            p.evaluate();
        } else if (joiner.rounds < MAX_ROUNDS) {
            r.send(member.node, new PeerMessage.StillDifferent(r.volume, p.epoch, r.me(), joiner.round, different));
        } else {
            joiners.remove(member.replica);
            r.send(
                    member.node,
                    new PeerMessage.JoinRefused(r.volume, p.epoch, r.me(), "the copies still differ, start over"));
        }
    }

    /** Proposes to add a joiner whose copy was found equal; true when it did. */
    boolean proposeAdd() {
        VolumeConfig c = r.cfg();
        for (Joiner joiner : joiners.values()) {
            if (joiner.equal && !joiner.abandoned && p.committedSeq >= joiner.comparedSeq) {
                List<InSyncMember> members = new ArrayList<>(Replica.without(c.inSync(), joiner.member.replica));
                members.add(joiner.member.asInSync());
                r.config.propose(r.record.withConfig(c.withMembers(r.me(), members, r.config.newWriter())));
                return true;
            }
        }
        return false;
    }

    // ---- trouble
    /** What was said on the earlier link may be lost: the joiner starts over, unless it may be a member already. */
    void linkChanged(NodeName node) {
        for (Joiner joiner : joiners.values()) {
            if (joiner.member.node.equals(node)) {
                joiner.abandoned = true;
                joiner.member.streaming = false;
            }
        }
        forgetAbandoned();
    }

    private void forgetAbandoned() {
        joiners.values().removeIf(joiner -> joiner.abandoned && !isProposed(joiner));
    }

    void tick() {
        if (joiners.isEmpty()) {
            return;
        }
        boolean full = p.window.bytes() > MAX_LAG_BYTES;
        long lowest = lowestDurableSeq();
        for (Joiner joiner : joiners.values()) {
            Member member = joiner.member;
            boolean behind = member.durableSeq < p.window.last();
            boolean slow = member.counted
                    && behind
                    && r.now - p.window.get(member.durableSeq + 1).submittedNanos >= r.settings.acknowledgeNanos();
            if (slow || (full && behind && member.durableSeq == lowest)) {
                joiner.abandoned = true;
                joiner.member.streaming = false;
                r.send(
                        member.node,
                        new PeerMessage.JoinRefused(r.volume, p.epoch, r.me(), "it does not keep up, start over"));
            }
        }
        forgetAbandoned();
    }
}
