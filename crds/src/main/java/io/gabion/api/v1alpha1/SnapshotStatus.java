package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is true of the snapshot. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public final class SnapshotStatus {
    @JsonPropertyDescription("The generation of the specification that this status speaks of.")
    @Min(0)
    private @Nullable Long observedGeneration;

    @JsonPropertyDescription("It can be read and restored.")
    private boolean readyToUse;

    @JsonPropertyDescription("When it was cut (RFC 3339).")
    @Size(max = 64)
    private @Nullable String creationTime;

    @JsonPropertyDescription("Size of the volume when it was cut.")
    @Min(0)
    private @Nullable Long sizeBytes;

    @JsonPropertyDescription("Its number among the snapshots of the volume.")
    @Min(0)
    private @Nullable Long snapSequence;

    @JsonPropertyDescription("Observations, one per type, always all present.")
    @Size(max = 16)
    private List<Condition> conditions = new ArrayList<>();

    public @Nullable Long getObservedGeneration() {
        return observedGeneration;
    }

    public void setObservedGeneration(@Nullable Long observedGeneration) {
        this.observedGeneration = observedGeneration;
    }

    public boolean isReadyToUse() {
        return readyToUse;
    }

    public void setReadyToUse(boolean readyToUse) {
        this.readyToUse = readyToUse;
    }

    public @Nullable String getCreationTime() {
        return creationTime;
    }

    public void setCreationTime(@Nullable String creationTime) {
        this.creationTime = creationTime;
    }

    public @Nullable Long getSizeBytes() {
        return sizeBytes;
    }

    public void setSizeBytes(@Nullable Long sizeBytes) {
        this.sizeBytes = sizeBytes;
    }

    public @Nullable Long getSnapSequence() {
        return snapSequence;
    }

    public void setSnapSequence(@Nullable Long snapSequence) {
        this.snapSequence = snapSequence;
    }

    public List<Condition> getConditions() {
        return conditions;
    }

    public void setConditions(List<Condition> conditions) {
        this.conditions = conditions;
    }
}
