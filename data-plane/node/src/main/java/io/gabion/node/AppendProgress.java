package io.gabion.node;

import io.gabion.model.VolumeId;
import java.util.HashMap;
import java.util.Map;

/**
 * How long the disk has owed the replicas of one shard an append: what heartbeats tell the peers as the age of the last
 * successful probe. Costs nothing while nothing is appended. Belongs to the shard.
 */
final class AppendProgress {
    private final Map<VolumeId, Owed> owed = new HashMap<>();

    private record Owed(long lastTicket, long sinceNanos) {}

    void appended(VolumeId volume, long ticket, long nowNanos) {
        Owed before = owed.get(volume);
        owed.put(volume, new Owed(ticket, before == null ? nowNanos : before.sinceNanos()));
    }

    void durable(VolumeId volume, long throughTicket, long nowNanos) {
        Owed before = owed.get(volume);
        if (before == null) {
            return;
        }
        if (throughTicket >= before.lastTicket()) {
            owed.remove(volume);
        } else {
            owed.put(volume, new Owed(before.lastTicket(), nowNanos));
        }
    }

    void forget(VolumeId volume) {
        owed.remove(volume);
    }

    long oldestAgeNanos(long nowNanos) {
        long oldest = 0;
        for (Owed each : owed.values()) {
            oldest = Math.max(oldest, nowNanos - each.sinceNanos());
        }
        return oldest;
    }
}
