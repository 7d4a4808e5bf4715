package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Whether a disk takes part. */
public enum DiskState {
    /** Open and serving. */
    @JsonProperty("Online")
    ONLINE,
    /** Not opened yet, or closed. */
    @JsonProperty("Offline")
    OFFLINE,
    /** Serving, but no space is left for new data. */
    @JsonProperty("Full")
    FULL,
    /** Cannot be used; the reason says why. */
    @JsonProperty("Failed")
    FAILED
}
