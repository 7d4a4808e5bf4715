package io.gabion.cli.volume;

import io.gabion.cli.text.Ages;
import io.gabion.cli.volume.VolumeDescription.Replica;
import io.gabion.cli.volume.VolumeDescription.Stall;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The state of a volume in one sentence: the worst first, and what it waits for. */
final class Health {
    private static final int PERCENT = 100;

    private Health() {}

    static String sentence(VolumeRecord record, List<Replica> replicas, @Nullable Stall stall, long nowMillis) {
        if (record.deleting()) {
            return "being deleted; not yet confirmed by: "
                    + replicas.stream().map(Replica::node).toList();
        }
        String primary = record.primaryNode().map(NodeName::value).orElse("?");
        String degraded = degraded(record, replicas);
        if (stall != null) {
            return "writes wait since " + Ages.text(nowMillis - stall.sinceMillis()) + ": " + stall.reason()
                    + (stall.waitsFor().isEmpty() ? "" : ", for " + stall.waitsFor()) + "; " + degraded;
        }
        Replica leader = replicas.stream()
                .filter(r -> r.replica().equals(record.config().primary().toString()))
                .findFirst()
                .orElse(null);
        if (leader == null || !leader.reachable()) {
            return "the primary " + primary + " does not answer; another copy takes over if it stays away; " + degraded;
        }
        if (!leader.phase().equals("serving")) {
            return "not serving: the primary " + primary + " is " + leader.phase() + "; " + degraded;
        }
        if (record.config().inSync().size() < record.spec().minInSync()) {
            return "writes wait: fewer copies in sync than " + record.spec().minInSync() + "; " + degraded;
        }
        return record.config().inSync().size() < record.spec().replicas()
                ? "degraded, serving at " + primary + "; " + degraded
                : "healthy, serving at " + primary + "; " + degraded;
    }

    private static String degraded(VolumeRecord record, List<Replica> replicas) {
        List<String> parts = new ArrayList<>();
        parts.add(record.config().inSync().size() + " of " + record.spec().replicas() + " copies in sync");
        for (Replica replica : replicas) {
            if (!replica.reachable()) {
                parts.add(replica.node() + " does not answer");
            } else if (!replica.inSync()) {
                parts.add(replica.node() + " is " + (replica.role().isEmpty() ? "not there yet" : replica.role())
                        + progress(replica));
            }
        }
        return String.join(", ", parts);
    }

    private static String progress(Replica replica) {
        return replica.resyncTotalBytes() <= 0
                ? ""
                : " ("
                        + PERCENT
                                * Math.min(replica.resyncComparedBytes(), replica.resyncTotalBytes())
                                / replica.resyncTotalBytes()
                        + " %)";
    }
}
