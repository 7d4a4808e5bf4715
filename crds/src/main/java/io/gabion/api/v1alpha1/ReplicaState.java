package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What a copy of a volume is doing. */
public enum ReplicaState {
    /** Holds every acknowledged write. */
    @JsonProperty("InSync")
    IN_SYNC,
    /** Is being brought up to date. */
    @JsonProperty("CatchingUp")
    CATCHING_UP,
    /** Was placed, holds nothing yet. */
    @JsonProperty("Joining")
    JOINING,
    /** Lacks writes and waits for a primary to serve it. */
    @JsonProperty("Outdated")
    OUTDATED,
    /** Cannot be used; the reason says why. */
    @JsonProperty("Faulted")
    FAULTED,
    /** Its node does not report it. */
    @JsonProperty("Absent")
    ABSENT
}
