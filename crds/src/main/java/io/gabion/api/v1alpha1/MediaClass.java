package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Kind of disk. */
public enum MediaClass {
    /** Flash. */
    @JsonProperty("ssd")
    SSD,
    /** Rotating. */
    @JsonProperty("hdd")
    HDD
}
