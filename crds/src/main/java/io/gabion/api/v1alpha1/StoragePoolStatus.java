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

/** What is true of the pool. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public final class StoragePoolStatus {
    @JsonPropertyDescription("The generation of the specification that this status speaks of.")
    @Min(0)
    private @Nullable Long observedGeneration;

    @JsonPropertyDescription("Nodes ready and wanted, as in 5/5.")
    @Size(max = 32)
    private @Nullable String nodes;

    @JsonPropertyDescription("Disks online and known, as in 20/20.")
    @Size(max = 32)
    private @Nullable String disks;

    @JsonPropertyDescription("Bytes on all disks.")
    @Min(0)
    private @Nullable Long capacityBytes;

    @JsonPropertyDescription("Bytes used.")
    @Min(0)
    private @Nullable Long usedBytes;

    @JsonPropertyDescription("Bytes free.")
    @Min(0)
    private @Nullable Long freeBytes;

    @JsonPropertyDescription("Sum of the sizes of all copies.")
    @Min(0)
    private @Nullable Long provisionedBytes;

    @JsonPropertyDescription("capacityBytes for people.")
    @Size(max = 32)
    private @Nullable String capacity;

    @JsonPropertyDescription("freeBytes for people.")
    @Size(max = 32)
    private @Nullable String free;

    @JsonPropertyDescription("provisionedBytes for people.")
    @Size(max = 32)
    private @Nullable String provisioned;

    @JsonPropertyDescription("Observations, one per type, always all present.")
    @Size(max = 16)
    private List<Condition> conditions = new ArrayList<>();

    public @Nullable Long getObservedGeneration() {
        return observedGeneration;
    }

    public void setObservedGeneration(@Nullable Long observedGeneration) {
        this.observedGeneration = observedGeneration;
    }

    public @Nullable String getNodes() {
        return nodes;
    }

    public void setNodes(@Nullable String nodes) {
        this.nodes = nodes;
    }

    public @Nullable String getDisks() {
        return disks;
    }

    public void setDisks(@Nullable String disks) {
        this.disks = disks;
    }

    public @Nullable Long getCapacityBytes() {
        return capacityBytes;
    }

    public void setCapacityBytes(@Nullable Long capacityBytes) {
        this.capacityBytes = capacityBytes;
    }

    public @Nullable Long getUsedBytes() {
        return usedBytes;
    }

    public void setUsedBytes(@Nullable Long usedBytes) {
        this.usedBytes = usedBytes;
    }

    public @Nullable Long getFreeBytes() {
        return freeBytes;
    }

    public void setFreeBytes(@Nullable Long freeBytes) {
        this.freeBytes = freeBytes;
    }

    public @Nullable Long getProvisionedBytes() {
        return provisionedBytes;
    }

    public void setProvisionedBytes(@Nullable Long provisionedBytes) {
        this.provisionedBytes = provisionedBytes;
    }

    public @Nullable String getCapacity() {
        return capacity;
    }

    public void setCapacity(@Nullable String capacity) {
        this.capacity = capacity;
    }

    public @Nullable String getFree() {
        return free;
    }

    public void setFree(@Nullable String free) {
        this.free = free;
    }

    public @Nullable String getProvisioned() {
        return provisioned;
    }

    public void setProvisioned(@Nullable String provisioned) {
        this.provisioned = provisioned;
    }

    public List<Condition> getConditions() {
        return conditions;
    }

    public void setConditions(List<Condition> conditions) {
        this.conditions = conditions;
    }
}
