package io.gabion.model;

/** What a write that needs space meets when there is none. */
public enum PoolFullPolicy {
    /** The write waits and an alert is raised: kernel file systems turn any error into a read-only mount. */
    STALL,
    /** The write fails with ENOSPC, before it reaches any replica. */
    ERROR
}
