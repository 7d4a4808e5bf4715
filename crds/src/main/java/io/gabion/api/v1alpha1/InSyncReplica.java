package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crd.generator.annotation.PreserveUnknownFields;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.LinkedHashMap;
import java.util.Map;

/** A copy that must hold every acknowledged write, bound to the incarnation in which it does. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@PreserveUnknownFields
public final class InSyncReplica {
    @JsonPropertyDescription("Identity of the copy (UUID).")
    @Required
    @Pattern("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    @Size(max = 36)
    private String replica = "";

    @JsonPropertyDescription("Incarnation of the copy.")
    @Required
    @Min(0)
    private long incarnation;

    @JsonIgnore
    private final Map<String, Object> unknown = new LinkedHashMap<>();

    public String getReplica() {
        return replica;
    }

    public void setReplica(String replica) {
        this.replica = replica;
    }

    public long getIncarnation() {
        return incarnation;
    }

    public void setIncarnation(long incarnation) {
        this.incarnation = incarnation;
    }

    /** Fields of a newer version of the API: kept as they are. */
    @JsonAnyGetter
    public Map<String, Object> getUnknown() {
        return unknown;
    }

    @JsonAnySetter
    public void setUnknown(String name, Object value) {
        unknown.put(name, value);
    }
}
