package io.gabion.core.port;

import io.gabion.model.NodeName;

/** Read-only view of the heartbeats between this node and its peers, shared by all volumes of the node. */
public interface PeerLeases {
    /** Monotonic time in nanoseconds until which {@code peer} is known to have accepted nobody else, {@link Long#MIN_VALUE} if never. */
    long validUntilNanos(NodeName peer);

    /** True while a link to the peer is up and heartbeats arrive. */
    boolean isUp(NodeName peer);
}
