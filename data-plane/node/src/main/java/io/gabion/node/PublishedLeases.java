package io.gabion.node;

import io.gabion.core.port.PeerLeases;
import io.gabion.model.NodeName;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What the heartbeats' loop last said about the peers, for the shards of other loops. */
final class PublishedLeases implements PeerLeases {
    private final Map<NodeName, Lease> leases = new ConcurrentHashMap<>();

    private record Lease(long validUntilNanos, boolean isUp) {}

    /** Called on the heartbeats' loop after everything that may have changed them. */
    void publish(NodeName peer, PeerLeases source) {
        leases.put(peer, new Lease(source.validUntilNanos(peer), source.isUp(peer)));
    }

    @Override
    public long validUntilNanos(NodeName peer) {
        Lease lease = leases.get(peer);
        return lease == null ? Long.MIN_VALUE : lease.validUntilNanos();
    }

    @Override
    public boolean isUp(NodeName peer) {
        Lease lease = leases.get(peer);
        return lease != null && lease.isUp();
    }
}
