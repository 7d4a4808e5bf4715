package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Who must have returned before a volume whose copies all lost power goes on. */
public enum RecoveryMode {
    /** Any one in-sync copy may go on: each holds every acknowledged write. */
    @JsonProperty("Any")
    ANY,
    /** All in-sync copies must be back. */
    @JsonProperty("All")
    ALL
}
