package io.gabion.core.volume;

import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Notice;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.RecoveryPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What happens after a power cut: replicas listed as in sync that came back under another incarnation tell everybody what they
 * hold. A clean member takes over or drops them; when there is none, the one that holds most goes on and the rest join it.
 */
final class Recovery {
    private static final long REPORT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    /** A report counts for this long: a few are lost, none is old. */
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(3);

    private record Heard(PeerMessage.StateReport report, long atNanos) {}

    private final Replica r;
    private final long startNanos;
    private final Map<ReplicaId, Heard> heard = new LinkedHashMap<>();
    private long reportAtNanos;

    Recovery(Replica replica) {
        this.r = replica;
        this.startNanos = replica.now;
        this.reportAtNanos = replica.now;
    }

    /** The record counts on this replica as it was before it lost its memory. */
    boolean concerned() {
        return r.cfg().member(r.me()).isPresent() && !r.isMine(r.cfg());
    }

    void linkUp() {
        reportAtNanos = r.now;
        tick();
    }

    void reported(PeerMessage.StateReport report) {
        heard.put(report.from(), new Heard(report, r.now));
        evaluate();
    }

    void tick() {
        if (!concerned()) {
            return;
        }
        if (r.now >= reportAtNanos) {
            reportAtNanos = r.now + REPORT_NANOS;
            for (NodeName node : r.otherNodes()) {
                if (r.peers.isUp(node)) {
                    r.send(
                            node,
                            new PeerMessage.StateReport(
                                    r.volume, r.promised(), r.me(), r.own.incarnation(), true, r.intact, r.lastLsn));
                }
            }
        }
        evaluate();
    }

    void evaluate() {
        if (!concerned() || !r.confirmed || !r.intact || r.stopping || r.config.busy()) {
            return;
        }
        VolumeConfig c = r.cfg();
        boolean late = r.now - startNanos >= r.settings.allBackNanos()
                && r.record.spec().recoveryPolicy() == RecoveryPolicy.ANY;
        ReplicaId best = r.me();
        Lsn most = r.lastLsn;
        boolean before = true;
        for (InSyncMember member : c.inSync()) {
            if (member.replica().equals(r.me())) {
                before = false;
                continue;
            }
            Heard last = heard.get(member.replica());
            if (last == null || r.now - last.atNanos() > FRESH_NANOS) {
                // Silent although reachable: a clean member that will act itself.
                boolean unreachable = r.record
                        .nodeOf(member.replica())
                        .map(node -> !r.peers.isUp(node))
                        .orElse(true);
                if (late && unreachable) {
                    continue;
                }
                return;
            }
            PeerMessage.StateReport report = last.report();
            if (report.incarnation() == member.incarnation()) {
                return;
            }
            int order = report.lastLsn().compareTo(most);
            if (report.intact() && (order > 0 || (order == 0 && before))) {
                best = member.replica();
                most = report.lastLsn();
            }
        }
        if (best.equals(r.me())) {
            r.notice(new Notice.Promoting(c.epoch() + 1, "all in-sync replicas lost power; this one holds most"));
            List<InSyncMember> alone = List.of(new InSyncMember(r.me(), r.own.incarnation()));
            r.config.propose(r.record.withConfig(c.withMembers(r.me(), alone, r.config.newWriter())));
        }
    }

    long deadline() {
        return concerned() ? reportAtNanos : Long.MAX_VALUE;
    }
}
