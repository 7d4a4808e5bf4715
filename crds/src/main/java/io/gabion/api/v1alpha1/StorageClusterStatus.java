package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is true of the whole system. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
@ValidationRule(
        value = "!has(oldSelf.clusterId) || (has(self.clusterId) && self.clusterId == oldSelf.clusterId)",
        message = "clusterId never changes")
public final class StorageClusterStatus {
    @JsonPropertyDescription("The generation of the specification that this status speaks of.")
    @Min(0)
    private @Nullable Long observedGeneration;

    @JsonPropertyDescription("Identity of the cluster, as in its certificates (UUID).")
    @Pattern("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    @Size(max = 36)
    private @Nullable String clusterId;

    @JsonPropertyDescription("Version that runs.")
    @Size(max = 128)
    private @Nullable String version;

    @JsonPropertyDescription("Nodes ready and known, as in 3/3.")
    @Size(max = 32)
    private @Nullable String nodes;

    @JsonPropertyDescription("Volumes ready and known, as in 4980/4981.")
    @Size(max = 32)
    private @Nullable String volumes;

    @JsonPropertyDescription("Ok, Warning or Critical.")
    @Size(max = 32)
    private @Nullable String healthSummary;

    @JsonPropertyDescription("What is being replaced right now.")
    @Size(max = 256)
    private @Nullable String rollout;

    @JsonPropertyDescription("Everything that needs attention.")
    @Size(max = 64)
    private List<HealthEntry> health = new ArrayList<>();

    @JsonPropertyDescription("Observations, one per type, always all present.")
    @Size(max = 16)
    private List<Condition> conditions = new ArrayList<>();

    public @Nullable Long getObservedGeneration() {
        return observedGeneration;
    }

    public void setObservedGeneration(@Nullable Long observedGeneration) {
        this.observedGeneration = observedGeneration;
    }

    public @Nullable String getClusterId() {
        return clusterId;
    }

    public void setClusterId(@Nullable String clusterId) {
        this.clusterId = clusterId;
    }

    public @Nullable String getVersion() {
        return version;
    }

    public void setVersion(@Nullable String version) {
        this.version = version;
    }

    public @Nullable String getNodes() {
        return nodes;
    }

    public void setNodes(@Nullable String nodes) {
        this.nodes = nodes;
    }

    public @Nullable String getVolumes() {
        return volumes;
    }

    public void setVolumes(@Nullable String volumes) {
        this.volumes = volumes;
    }

    public @Nullable String getHealthSummary() {
        return healthSummary;
    }

    public void setHealthSummary(@Nullable String healthSummary) {
        this.healthSummary = healthSummary;
    }

    public @Nullable String getRollout() {
        return rollout;
    }

    public void setRollout(@Nullable String rollout) {
        this.rollout = rollout;
    }

    public List<HealthEntry> getHealth() {
        return health;
    }

    public void setHealth(List<HealthEntry> health) {
        this.health = health;
    }

    public List<Condition> getConditions() {
        return conditions;
    }

    public void setConditions(List<Condition> conditions) {
        this.conditions = conditions;
    }
}
