package io.gabion.core.volume;

import io.gabion.model.InSyncMember;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Decides which members the primary goes on without. */
final class Dropping {
    /** Epoch 1 waits this long for replicas that are only just being created on their nodes. */
    private static final long FOUNDING_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final Primary p;
    private final Replica r;
    private final Map<ReplicaId, String> reasons = new LinkedHashMap<>();

    Dropping(Primary primary) {
        this.p = primary;
        this.r = primary.r;
    }

    /** Proposes a smaller set if somebody must go and enough remain; true when it did. */
    boolean propose() {
        List<Member> gone = new ArrayList<>();
        boolean allHopeless = true;
        for (Member member : p.members.values()) {
            if (isHopeless(member) || r.now >= unhealthyAtNanos(member)) {
                gone.add(member);
                allHopeless &= isHopeless(member);
            }
        }
        if (gone.isEmpty()) {
            return false;
        }
        boolean enough = p.members.size() + 1 - gone.size() >= r.record.spec().minInSync();
        if (!enough && !allHopeless) {
            // Those that may still come back are waited for; those that cannot are no loss.
            gone.removeIf(member -> !isHopeless(member));
            if (gone.isEmpty()) {
                return false;
            }
        }
        VolumeConfig c = r.cfg();
        List<InSyncMember> rest = c.inSync();
        for (Member member : gone) {
            reasons.put(member.replica, why(member));
            rest = Replica.without(rest, member.replica);
        }
        r.config.propose(r.record.withConfig(c.withMembers(r.me(), rest, r.config.newWriter())));
        return true;
    }

    /** The copy can never count again, whatever happens: waiting for it helps nobody, not even below minInSync. */
    private boolean isHopeless(Member member) {
        return member.lostForGood != null || isRemoved(member);
    }

    private boolean isRemoved(Member member) {
        for (ReplicaPlacement removed : r.record.removed()) {
            if (removed.replica().equals(member.replica)) {
                return true;
            }
        }
        return r.record.nodeOf(member.replica).isEmpty();
    }

    private long unhealthyAtNanos(Member member) {
        if (!r.peers.isUp(member.node)) {
            return r.peers.goneAtNanos(member.node);
        }
        long patience = r.settings.acknowledgeNanos();
        if (p.phase == Primary.Phase.GATHERING && member.stage != Member.Stage.EQUAL) {
            return member.askedAtNanos + (p.epoch == r.record.foundingEpoch() ? FOUNDING_NANOS : patience);
        }
        long at = Long.MAX_VALUE;
        if (p.phase == Primary.Phase.ACTIVE && member.durableSeq < p.window.last()) {
            long next = Math.max(member.durableSeq + 1, p.window.first());
            at = p.window.get(next).submittedNanos + patience;
        }
        if (member.starvedSinceNanos != Long.MAX_VALUE) {
            at = Math.min(at, member.starvedSinceNanos + patience);
        }
        return at;
    }

    private String why(Member member) {
        if (member.lostForGood != null) {
            return member.lostForGood;
        }
        if (isRemoved(member)) {
            return "it is to be removed";
        }
        if (!r.peers.isUp(member.node)) {
            return "node " + member.node + ": " + r.peers.describe(member.node);
        }
        return member.starvedSinceNanos != Long.MAX_VALUE ? "its disk is full" : "it does not acknowledge";
    }

    String reason(Member member) {
        String reason = reasons.remove(member.replica);
        return reason == null ? "the configuration changed" : reason;
    }

    long deadline() {
        if (r.config.busy()) {
            return Long.MAX_VALUE;
        }
        long deadline = Long.MAX_VALUE;
        for (Member member : p.members.values()) {
            long at = unhealthyAtNanos(member);
            // What is overdue waits for others or for minInSync, and is looked at in the busy tick.
            if (at > r.now) {
                deadline = Math.min(deadline, at);
            }
        }
        return deadline;
    }
}
