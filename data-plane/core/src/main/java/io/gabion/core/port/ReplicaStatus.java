package io.gabion.core.port;

/** What a replica durably knows of itself. Whether it is reachable is another matter. */
public enum ReplicaStatus {
    /** Created, never held data. */
    EMPTY,
    /** In the middle of a resync: neither readable nor a source. */
    CATCHING_UP,
    /** Was in the in-sync set of the last configuration it adopted. */
    IN_SYNC,
    /** Knows that it is not in the in-sync set. */
    OUTDATED,
    /** Damaged or on a failed disk: never a source; needs a full resync. */
    FAULTED
}
