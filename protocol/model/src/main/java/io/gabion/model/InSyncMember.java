package io.gabion.model;

import static java.util.Objects.requireNonNull;

/** A replica that must hold every acknowledged write, bound to the incarnation in which it does: a copy that lost its memory is not this member. */
public record InSyncMember(ReplicaId replica, long incarnation) {
    public InSyncMember {
        requireNonNull(replica, "replica is null");
        if (incarnation < 0) {
            throw new IllegalArgumentException("incarnation must not be negative: " + incarnation);
        }
    }
}
