package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crd.generator.annotation.SelectableField;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.model.annotation.StatusReplicas;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is true of the volume. placement, removed, deleting and config are the record that the data plane obeys; it changes only by compare-and-swap. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
@ValidationRule(
        value = "!has(oldSelf.deleting) || !oldSelf.deleting || (has(self.deleting) && self.deleting)",
        message = "deletion is never taken back")
@ValidationRule(
        value = "!has(oldSelf.volumeId) || (has(self.volumeId) && self.volumeId == oldSelf.volumeId)",
        message = "volumeId never changes")
@ValidationRule(
        value = "!has(oldSelf.everWritten) || !oldSelf.everWritten || (has(self.everWritten) && self.everWritten)",
        message = "everWritten is never taken back")
@ValidationRule(
        value =
                "!has(oldSelf.config) || !has(self.config) || self.config.version > oldSelf.config.version || ((has(self.placement) ? self.placement : []) == (has(oldSelf.placement) ? oldSelf.placement : []) && (has(self.removed) ? self.removed : []) == (has(oldSelf.removed) ? oldSelf.removed : []) && (has(self.deleting) && self.deleting) == (has(oldSelf.deleting) && oldSelf.deleting))",
        message = "placement, removed and deleting change only together with a higher config.version")
@ValidationRule(
        value =
                "!has(self.config) || (has(self.deleting) && self.deleting) || (has(self.placement) && self.config.inSync.all(m, self.placement.exists(p, p.replica == m.replica)))",
        message = "every copy of config.inSync must have a placement")
public final class VolumeStatus {
    @JsonPropertyDescription("The generation of the specification that this status speaks of.")
    @Min(0)
    private @Nullable Long observedGeneration;

    @SelectableField
    @JsonPropertyDescription("Identity of the data (UUID): spec.volumeId or the UID of this object.")
    @Pattern("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    @Size(max = 36)
    private @Nullable String volumeId;

    @JsonPropertyDescription("The copies that should exist.")
    @Size(max = 16)
    private List<ReplicaOnNode> placement = new ArrayList<>();

    @JsonPropertyDescription("Tombstones: copies whose data may be deleted. Only a tombstone ever deletes a copy.")
    @Size(max = 64)
    private List<ReplicaOnNode> removed = new ArrayList<>();

    @JsonPropertyDescription("The volume is being erased on every node.")
    private boolean deleting;

    @JsonPropertyDescription("Something was written to the volume once: it is never formatted again.")
    private boolean everWritten;

    @JsonPropertyDescription("Who may do what: the authority of the data plane.")
    private @Nullable VolumeConfiguration config;

    @JsonPropertyDescription("Each copy and its state.")
    @Size(max = 16)
    private List<ReplicaReport> replicas = new ArrayList<>();

    @JsonPropertyDescription("Number of copies in sync, for kubectl scale.")
    @Min(0)
    @StatusReplicas
    private int replicaCount;

    @JsonPropertyDescription("Node of the copy that orders the writes.")
    @Size(max = 253)
    private @Nullable String primaryNode;

    @JsonPropertyDescription("Copies in sync and wanted, as in 3/3.")
    @Size(max = 32)
    private @Nullable String copies;

    @JsonPropertyDescription("Nodes of the copies, separated by commas.")
    @Size(max = 2048)
    private @Nullable String replicaNodes;

    @JsonPropertyDescription("Nodes that may open the volume, separated by commas.")
    @Size(max = 2048)
    private @Nullable String attachedTo;

    @JsonPropertyDescription("The claim as namespace/name.")
    @Size(max = 320)
    private @Nullable String claim;

    @JsonPropertyDescription("Bytes that one copy takes on disk.")
    @Min(0)
    private @Nullable Long allocatedBytes;

    @JsonPropertyDescription("allocatedBytes for people.")
    @Size(max = 32)
    private @Nullable String allocated;

    @JsonPropertyDescription("Observations, one per type, always all present.")
    @Size(max = 16)
    private List<Condition> conditions = new ArrayList<>();

    public @Nullable Long getObservedGeneration() {
        return observedGeneration;
    }

    public void setObservedGeneration(@Nullable Long observedGeneration) {
        this.observedGeneration = observedGeneration;
    }

    public @Nullable String getVolumeId() {
        return volumeId;
    }

    public void setVolumeId(@Nullable String volumeId) {
        this.volumeId = volumeId;
    }

    public List<ReplicaOnNode> getPlacement() {
        return placement;
    }

    public void setPlacement(List<ReplicaOnNode> placement) {
        this.placement = placement;
    }

    public List<ReplicaOnNode> getRemoved() {
        return removed;
    }

    public void setRemoved(List<ReplicaOnNode> removed) {
        this.removed = removed;
    }

    public boolean isDeleting() {
        return deleting;
    }

    public void setDeleting(boolean deleting) {
        this.deleting = deleting;
    }

    public boolean isEverWritten() {
        return everWritten;
    }

    public void setEverWritten(boolean everWritten) {
        this.everWritten = everWritten;
    }

    public @Nullable VolumeConfiguration getConfig() {
        return config;
    }

    public void setConfig(@Nullable VolumeConfiguration config) {
        this.config = config;
    }

    public List<ReplicaReport> getReplicas() {
        return replicas;
    }

    public void setReplicas(List<ReplicaReport> replicas) {
        this.replicas = replicas;
    }

    public int getReplicaCount() {
        return replicaCount;
    }

    public void setReplicaCount(int replicaCount) {
        this.replicaCount = replicaCount;
    }

    public @Nullable String getPrimaryNode() {
        return primaryNode;
    }

    public void setPrimaryNode(@Nullable String primaryNode) {
        this.primaryNode = primaryNode;
    }

    public @Nullable String getCopies() {
        return copies;
    }

    public void setCopies(@Nullable String copies) {
        this.copies = copies;
    }

    public @Nullable String getReplicaNodes() {
        return replicaNodes;
    }

    public void setReplicaNodes(@Nullable String replicaNodes) {
        this.replicaNodes = replicaNodes;
    }

    public @Nullable String getAttachedTo() {
        return attachedTo;
    }

    public void setAttachedTo(@Nullable String attachedTo) {
        this.attachedTo = attachedTo;
    }

    public @Nullable String getClaim() {
        return claim;
    }

    public void setClaim(@Nullable String claim) {
        this.claim = claim;
    }

    public @Nullable Long getAllocatedBytes() {
        return allocatedBytes;
    }

    public void setAllocatedBytes(@Nullable Long allocatedBytes) {
        this.allocatedBytes = allocatedBytes;
    }

    public @Nullable String getAllocated() {
        return allocated;
    }

    public void setAllocated(@Nullable String allocated) {
        this.allocated = allocated;
    }

    public List<Condition> getConditions() {
        return conditions;
    }

    public void setConditions(List<Condition> conditions) {
        this.conditions = conditions;
    }
}
