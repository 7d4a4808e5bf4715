package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** What volumes of the pool get when they do not say. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
@ValidationRule(
        value = "!has(self.minInSync) || !has(self.replicas) || self.minInSync <= self.replicas",
        message = "minInSync must not be above replicas")
public final class PoolDefaults {
    @JsonPropertyDescription("Number of copies.")
    @Min(1)
    @Max(5)
    private @Nullable Integer replicas;

    @JsonPropertyDescription("Copies that must be in sync for a write to be acknowledged.")
    @Min(1)
    @Max(5)
    private @Nullable Integer minInSync;

    public @Nullable Integer getReplicas() {
        return replicas;
    }

    public void setReplicas(@Nullable Integer replicas) {
        this.replicas = replicas;
    }

    public @Nullable Integer getMinInSync() {
        return minInSync;
    }

    public void setMinInSync(@Nullable Integer minInSync) {
        this.minInSync = minInSync;
    }
}
