package io.gabion.faults.cluster;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What {@code gabion volume describe -o json} says.
 *
 * @param json all of it
 */
public record VolumeView(JsonNode json) {
    /** Node of the primary; empty when none is known. */
    public String primaryNode() {
        return json.path("primaryNode").asText("");
    }

    /** Replicas in sync, of the configuration. */
    public int inSync() {
        return json.path("inSync").size();
    }

    public long epoch() {
        return json.path("epoch").asLong(-1);
    }
}
