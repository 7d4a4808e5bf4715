package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/** The record of a disk; changed only by compare-and-swap on version. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
@ValidationRule(
        value = "self == oldSelf || self.version > oldSelf.version",
        message = "version must grow when the record changes")
@ValidationRule(
        value = "self.openCount >= oldSelf.openCount",
        message = "openCount never falls: the disk was rolled back or copied")
@ValidationRule(value = "self.cluster == oldSelf.cluster", message = "a disk never changes its cluster")
public final class DiskEntry {
    @JsonPropertyDescription("Cluster that the disk belongs to (UUID).")
    @Required
    @Pattern("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    @Size(max = 36)
    private String cluster = "";

    @JsonPropertyDescription("StoragePool that the disk belongs to.")
    @Required
    @Size(min = 1, max = 63)
    @Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    private String pool = "";

    @JsonPropertyDescription("Raised at every opening.")
    @Required
    @Min(0)
    private long openCount;

    @JsonPropertyDescription("Grows at every change.")
    @Required
    @Min(1)
    private long version;

    public String getCluster() {
        return cluster;
    }

    public void setCluster(String cluster) {
        this.cluster = cluster;
    }

    public String getPool() {
        return pool;
    }

    public void setPool(String pool) {
        this.pool = pool;
    }

    public long getOpenCount() {
        return openCount;
    }

    public void setOpenCount(long openCount) {
        this.openCount = openCount;
    }

    public long getVersion() {
        return version;
    }

    public void setVersion(long version) {
        this.version = version;
    }
}
