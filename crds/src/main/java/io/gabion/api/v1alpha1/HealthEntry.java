package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Something that needs attention. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public final class HealthEntry {
    @JsonPropertyDescription("Health code, as in the documentation.")
    @Required
    @Size(min = 1, max = 64)
    private String code = "";

    @JsonPropertyDescription("Info, Warning or Critical.")
    @Required
    @Size(min = 1, max = 16)
    private String severity = "";

    @JsonPropertyDescription("What is wrong, for people.")
    @Size(max = 2048)
    private @Nullable String message;

    @JsonPropertyDescription("Objects concerned, as in volume/pvc-1.")
    @Size(max = 64)
    private List<String> objects = new ArrayList<>();

    public String getCode() {
        return code;
    }

    public void setCode(String code) {
        this.code = code;
    }

    public String getSeverity() {
        return severity;
    }

    public void setSeverity(String severity) {
        this.severity = severity;
    }

    public @Nullable String getMessage() {
        return message;
    }

    public void setMessage(@Nullable String message) {
        this.message = message;
    }

    public List<String> getObjects() {
        return objects;
    }

    public void setObjects(List<String> objects) {
        this.objects = objects;
    }
}
