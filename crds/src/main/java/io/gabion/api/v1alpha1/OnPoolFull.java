package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What a write that needs space meets when the pool has none. */
public enum OnPoolFull {
    /** The write waits and the volume reports PoolFull. */
    @JsonProperty("Stall")
    STALL,
    /** The write fails with ENOSPC. */
    @JsonProperty("Error")
    ERROR
}
