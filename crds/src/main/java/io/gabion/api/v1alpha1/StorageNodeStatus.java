package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is true of the node; written by the node itself, conditions by the operator. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public final class StorageNodeStatus {
    @JsonPropertyDescription("The generation of the specification that this status speaks of.")
    @Min(0)
    private @Nullable Long observedGeneration;

    @JsonPropertyDescription("Where the node can be reached.")
    private @Nullable NodeAddress address;

    @JsonPropertyDescription("Version of the data plane.")
    @Size(max = 128)
    private @Nullable String softwareVersion;

    @JsonPropertyDescription("Identity of the boot of the process (UUID).")
    @Size(max = 64)
    private @Nullable String bootId;

    @JsonPropertyDescription("Grows at every change of address or version.")
    @Min(0)
    private long recordVersion;

    @JsonPropertyDescription("Disks and their state.")
    @Size(max = 64)
    private List<DiskReport> disks = new ArrayList<>();

    @JsonPropertyDescription("Tombstones of the specification whose data is gone; the operator may take them away.")
    @Size(max = 4096)
    private List<ReplicaTombstone> erased = new ArrayList<>();

    @JsonPropertyDescription("Records of disks by their identity.")
    @Size(max = 256)
    private Map<String, DiskEntry> diskRecords = new LinkedHashMap<>();

    @JsonPropertyDescription("Disks online and wanted, as in 3/3.")
    @Size(max = 32)
    private @Nullable String disksOnline;

    @JsonPropertyDescription("Share of the disks that is used.")
    @Min(0)
    @Max(100)
    private @Nullable Integer usedPercent;

    @JsonPropertyDescription("Copies here that order the writes of their volume.")
    @Min(0)
    private @Nullable Integer primaries;

    @JsonPropertyDescription("Copies here.")
    @Min(0)
    private @Nullable Integer replicas;

    @JsonPropertyDescription("Observations, one per type, always all present.")
    @Size(max = 16)
    private List<Condition> conditions = new ArrayList<>();

    public @Nullable Long getObservedGeneration() {
        return observedGeneration;
    }

    public void setObservedGeneration(@Nullable Long observedGeneration) {
        this.observedGeneration = observedGeneration;
    }

    public @Nullable NodeAddress getAddress() {
        return address;
    }

    public void setAddress(@Nullable NodeAddress address) {
        this.address = address;
    }

    public @Nullable String getSoftwareVersion() {
        return softwareVersion;
    }

    public void setSoftwareVersion(@Nullable String softwareVersion) {
        this.softwareVersion = softwareVersion;
    }

    public @Nullable String getBootId() {
        return bootId;
    }

    public void setBootId(@Nullable String bootId) {
        this.bootId = bootId;
    }

    public long getRecordVersion() {
        return recordVersion;
    }

    public void setRecordVersion(long recordVersion) {
        this.recordVersion = recordVersion;
    }

    public List<DiskReport> getDisks() {
        return disks;
    }

    public void setDisks(List<DiskReport> disks) {
        this.disks = disks;
    }

    public List<ReplicaTombstone> getErased() {
        return erased;
    }

    public void setErased(List<ReplicaTombstone> erased) {
        this.erased = erased;
    }

    public Map<String, DiskEntry> getDiskRecords() {
        return diskRecords;
    }

    public void setDiskRecords(Map<String, DiskEntry> diskRecords) {
        this.diskRecords = diskRecords;
    }

    public @Nullable String getDisksOnline() {
        return disksOnline;
    }

    public void setDisksOnline(@Nullable String disksOnline) {
        this.disksOnline = disksOnline;
    }

    public @Nullable Integer getUsedPercent() {
        return usedPercent;
    }

    public void setUsedPercent(@Nullable Integer usedPercent) {
        this.usedPercent = usedPercent;
    }

    public @Nullable Integer getPrimaries() {
        return primaries;
    }

    public void setPrimaries(@Nullable Integer primaries) {
        this.primaries = primaries;
    }

    public @Nullable Integer getReplicas() {
        return replicas;
    }

    public void setReplicas(@Nullable Integer replicas) {
        this.replicas = replicas;
    }

    public List<Condition> getConditions() {
        return conditions;
    }

    public void setConditions(List<Condition> conditions) {
        this.conditions = conditions;
    }
}
