package io.gabion.core.volume;

import java.util.concurrent.TimeUnit;

/**
 * Times and bounds of the replication protocol, in nanoseconds and bytes.
 *
 * @param heartbeatNanos interval of heartbeats per pair of nodes
 * @param leaseNanos a lease counts this long from when the acknowledged heartbeat was sent
 * @param graceNanos silence after which a peer counts as gone; longer than the lease, so that a silent primary stops serving
 *     reads before another one starts
 * @param acknowledgeNanos an in-sync member that leaves a write unacknowledged this long is dropped
 * @param restartGraceNanos how long to wait for a member's process to come back where dropping it would go below minInSync
 * @param allBackNanos after all members lost power: how long to wait for all before one goes on alone
 * @param maxOutstandingRequests requests a session may have under way
 * @param maxOutstandingBytes payload bytes a session may have under way
 */
public record ReplicaSettings(
        long heartbeatNanos,
        long leaseNanos,
        long graceNanos,
        long acknowledgeNanos,
        long restartGraceNanos,
        long allBackNanos,
        int maxOutstandingRequests,
        long maxOutstandingBytes) {
    public ReplicaSettings {
        if (graceNanos <= leaseNanos) {
            throw new IllegalArgumentException("the grace time must be longer than the lease");
        }
    }

    /** Proven on small machines: heartbeat 0.5 s, lease 3 s, grace 4.5 s, acknowledge 5 s, restart grace 3 s, all back 30 s. */
    public static ReplicaSettings standard() {
        return new ReplicaSettings(
                TimeUnit.MILLISECONDS.toNanos(500),
                TimeUnit.SECONDS.toNanos(3),
                TimeUnit.MILLISECONDS.toNanos(4500),
                TimeUnit.SECONDS.toNanos(5),
                TimeUnit.SECONDS.toNanos(3),
                TimeUnit.SECONDS.toNanos(30),
                1024,
                32L * 1024 * 1024);
    }
}
