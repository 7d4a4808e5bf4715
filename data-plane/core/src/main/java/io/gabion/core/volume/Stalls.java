package io.gabion.core.volume;

import io.gabion.core.port.Notice;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Says why writes wait, for people. */
final class Stalls {
    /** A pause shorter than this is business as usual. */
    private static final long NOTICE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Primary p;
    private final Replica r;
    private ReplicaView.@Nullable Stall stall;
    private boolean noticed;

    Stalls(Primary primary) {
        this.p = primary;
        this.r = primary.r;
    }

    boolean stalled() {
        return stall != null;
    }

    ReplicaView.@Nullable Stall current() {
        return stall;
    }

    void tick() {
        ReplicaView.Stall before = stall;
        ReplicaView.Stall found = find(before == null ? r.now : before.sinceNanos());
        stall = found;
        if (found == null) {
            if (before != null && noticed) {
                r.notice(new Notice.StallEnded(TimeUnit.NANOSECONDS.toMillis(r.now - before.sinceNanos())));
            }
            noticed = false;
            return;
        }
        boolean other = before != null && !before.reason().equals(found.reason());
        if (r.now - found.sinceNanos() >= NOTICE_NANOS && (!noticed || other)) {
            noticed = true;
            r.notice(new Notice.Stalled(found.reason(), found.waitsFor()));
        }
    }

    private ReplicaView.@Nullable Stall find(long since) {
        if (p.phase != Primary.Phase.ACTIVE) {
            for (Member member : p.members.values()) {
                if (member.stage != Member.Stage.EQUAL) {
                    return new ReplicaView.Stall(
                            "the new epoch waits for an in-sync member: " + r.peers.describe(member.node),
                            r.describe(member.replica),
                            since);
                }
            }
            return null;
        }
        if (p.belowMinimum() && (p.desk.hasWaiting() || p.hasCarried())) {
            return new ReplicaView.Stall(
                    "only " + (p.members.size() + 1) + " copies are in sync, "
                            + r.record.spec().minInSync() + " are needed",
                    missing(),
                    since);
        }
        String space = p.desk.spaceHolder();
        if (space != null) {
            return new ReplicaView.Stall("no space for a write", space, since);
        }
        if (p.window.last() > p.committedSeq
                && r.now - p.window.get(p.committedSeq + 1).submittedNanos >= NOTICE_NANOS) {
            for (Member member : p.members.values()) {
                if (member.durableSeq <= p.committedSeq) {
                    return new ReplicaView.Stall(
                            "an in-sync member does not acknowledge: " + r.peers.describe(member.node),
                            r.describe(member.replica),
                            since);
                }
            }
            return new ReplicaView.Stall("the disk does not answer", r.describe(r.me()), since);
        }
        return null;
    }

    private String missing() {
        StringBuilder names = new StringBuilder();
        r.record.placement().forEach(placement -> {
            if (r.cfg().member(placement.replica()).isEmpty()) {
                names.append(names.isEmpty() ? "" : ", ").append(r.describe(placement.replica()));
            }
        });
        return names.isEmpty() ? "another replica" : names.toString();
    }
}
