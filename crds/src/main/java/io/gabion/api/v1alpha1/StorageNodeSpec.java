package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import java.util.ArrayList;
import java.util.List;

/** What the operator wants of a node. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public final class StorageNodeSpec {
    @JsonPropertyDescription("Disks that the node should open; resolved by the operator from the pools.")
    @Size(max = 64)
    private List<NodeDisk> disks = new ArrayList<>();

    @JsonPropertyDescription("No new copies are placed here.")
    private boolean unschedulable;

    @JsonPropertyDescription("Copies whose data may be deleted although their Volume is gone.")
    @Size(max = 4096)
    private List<ReplicaTombstone> tombstones = new ArrayList<>();

    public List<NodeDisk> getDisks() {
        return disks;
    }

    public void setDisks(List<NodeDisk> disks) {
        this.disks = disks;
    }

    public boolean isUnschedulable() {
        return unschedulable;
    }

    public void setUnschedulable(boolean unschedulable) {
        this.unschedulable = unschedulable;
    }

    public List<ReplicaTombstone> getTombstones() {
        return tombstones;
    }

    public void setTombstones(List<ReplicaTombstone> tombstones) {
        this.tombstones = tombstones;
    }
}
