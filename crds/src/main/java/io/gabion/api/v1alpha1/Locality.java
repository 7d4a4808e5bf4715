package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Whether the primary follows the consumer. */
public enum Locality {
    /** The primary stays where it is. */
    @JsonProperty("None")
    NONE,
    /** The primary moves to the consumer's node when a copy is there. */
    @JsonProperty("Preferred")
    PREFERRED
}
