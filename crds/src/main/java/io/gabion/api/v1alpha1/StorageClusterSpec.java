package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Settings of the whole system. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public final class StorageClusterSpec {
    @JsonPropertyDescription("Version to run; that of the operator when empty.")
    @Size(max = 128)
    private @Nullable String version;

    @JsonPropertyDescription("The operator changes nothing while true; volumes go on.")
    private boolean paused;

    @JsonPropertyDescription("Settings by name; unknown ones are reported.")
    @Size(max = 64)
    private Map<String, String> settings = new LinkedHashMap<>();

    public @Nullable String getVersion() {
        return version;
    }

    public void setVersion(@Nullable String version) {
        this.version = version;
    }

    public boolean isPaused() {
        return paused;
    }

    public void setPaused(boolean paused) {
        this.paused = paused;
    }

    public Map<String, String> getSettings() {
        return settings;
    }

    public void setSettings(Map<String, String> settings) {
        this.settings = settings;
    }
}
