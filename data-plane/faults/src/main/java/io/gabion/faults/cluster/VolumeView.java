package io.gabion.faults.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

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

    public String id() {
        return json.path("id").asText("");
    }

    /** Why writes wait; empty when they do not. */
    public String stallReason() {
        return json.path("stall").path("reason").asText("");
    }

    /** One sentence for people. */
    public String health() {
        return json.path("health").asText("");
    }

    /** Whether the primary says that it serves. */
    public boolean isServing() {
        for (JsonNode replica : json.path("replicas")) {
            if (replica.path("replica").asText().equals(json.path("primary").asText("-"))) {
                return replica.path("phase").asText().equals("serving");
            }
        }
        return false;
    }

    /** Nodes whose replica has this role now. */
    public List<String> nodesInRole(String role) {
        List<String> nodes = new ArrayList<>();
        for (JsonNode replica : json.path("replicas")) {
            if (replica.path("role").asText().equals(role)) {
                nodes.add(replica.path("node").asText());
            }
        }
        return nodes;
    }
}
