package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import org.jspecify.annotations.Nullable;

/** The PersistentVolumeClaim that a volume serves. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public final class ClaimReference {
    @JsonPropertyDescription("Namespace of the claim.")
    @Required
    @Size(min = 1, max = 63)
    private String namespace = "";

    @JsonPropertyDescription("Name of the claim.")
    @Required
    @Size(min = 1, max = 253)
    private String name = "";

    @JsonPropertyDescription("UID of the claim.")
    @Size(max = 64)
    private @Nullable String uid;

    public String getNamespace() {
        return namespace;
    }

    public void setNamespace(String namespace) {
        this.namespace = namespace;
    }

    public String getName() {
        return name;
    }

    public void setName(String name) {
        this.name = name;
    }

    public @Nullable String getUid() {
        return uid;
    }

    public void setUid(@Nullable String uid) {
        this.uid = uid;
    }
}
