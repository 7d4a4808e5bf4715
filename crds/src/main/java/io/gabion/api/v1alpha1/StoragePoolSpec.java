package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which disks of which nodes make up the pool, and how volumes are laid out on them. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
@ValidationRule(
        value =
                "(has(self.directories) && self.directories.size() > 0) != (has(self.devices) && self.devices.size() > 0)",
        message = "give at least one directory, or devices, but not both")
@ValidationRule(
        value =
                "!has(self.directories) || self.directories.all(d, d.startsWith('/') && !d.contains('/../') && !d.endsWith('/..'))",
        message = "directories must be absolute paths without ..",
        fieldPath = ".directories")
@ValidationRule(
        value = "!has(self.devices) || self.devices.all(d, d.startsWith('/dev/'))",
        message = "devices must be paths below /dev/",
        fieldPath = ".devices")
@ValidationRule(
        value = "!has(self.capacity) || !isQuantity(string(self.capacity))"
                + " || quantity(string(self.capacity)).compareTo(quantity('1Gi')) >= 0",
        message = "capacity must be at least 1Gi",
        fieldPath = ".capacity")
@ValidationRule(
        value = "duration(self.replicaReplacementDelay) <= duration('168h')",
        message = "replicaReplacementDelay must be at most 168h",
        fieldPath = ".replicaReplacementDelay")
public final class StoragePoolSpec {
    @JsonPropertyDescription("Nodes that belong to the pool; all nodes when empty.")
    private @Nullable LabelSelector nodeSelector;

    @JsonPropertyDescription(
            "Directories on each node that hold the data, for example /var/lib/gabion/fast; one for now. Give directories or devices, not both.")
    @Size(max = 16)
    private List<String> directories = new ArrayList<>();

    @JsonPropertyDescription("Whole block devices; not supported yet. Give directories or devices, not both.")
    @Size(max = 64)
    private List<String> devices = new ArrayList<>();

    @JsonPropertyDescription("What one directory may hold at most; the size of its file system when empty.")
    private @Nullable Quantity capacity;

    @JsonPropertyDescription("Kind of the disks; found out when empty.")
    private @Nullable MediaClass mediaClass;

    @JsonPropertyDescription(
            "Label of Kubernetes nodes whose value is the failure domain: never two copies of a volume in one.")
    @Default("kubernetes.io/hostname")
    @Size(min = 1, max = 317)
    private String failureDomainKey = "kubernetes.io/hostname";

    @JsonPropertyDescription("How long a lost copy may come back before it is replaced elsewhere, as in 5m or 1h30m.")
    @Default("5m")
    @Size(min = 2, max = 32)
    @Pattern("^([0-9]+(ms|h|m|s))+$")
    private String replicaReplacementDelay = "5m";

    @JsonPropertyDescription("Share of the capacity that is kept for lost copies.")
    @Default("10")
    @Min(0)
    @Max(50)
    private int rebuildReservePercent = 10;

    @JsonPropertyDescription("Sum of the sizes of all copies that may be promised, in percent of the capacity.")
    @Default("200")
    @Min(100)
    @Max(10000)
    private int overcommitPercent = 200;

    @JsonPropertyDescription("What volumes of the pool get when they do not say.")
    private @Nullable PoolDefaults defaults;

    public @Nullable LabelSelector getNodeSelector() {
        return nodeSelector;
    }

    public void setNodeSelector(@Nullable LabelSelector nodeSelector) {
        this.nodeSelector = nodeSelector;
    }

    public List<String> getDirectories() {
        return directories;
    }

    public void setDirectories(List<String> directories) {
        this.directories = directories;
    }

    public List<String> getDevices() {
        return devices;
    }

    public void setDevices(List<String> devices) {
        this.devices = devices;
    }

    public @Nullable Quantity getCapacity() {
        return capacity;
    }

    public void setCapacity(@Nullable Quantity capacity) {
        this.capacity = capacity;
    }

    public @Nullable MediaClass getMediaClass() {
        return mediaClass;
    }

    public void setMediaClass(@Nullable MediaClass mediaClass) {
        this.mediaClass = mediaClass;
    }

    public String getFailureDomainKey() {
        return failureDomainKey;
    }

    public void setFailureDomainKey(String failureDomainKey) {
        this.failureDomainKey = failureDomainKey;
    }

    public String getReplicaReplacementDelay() {
        return replicaReplacementDelay;
    }

    public void setReplicaReplacementDelay(String replicaReplacementDelay) {
        this.replicaReplacementDelay = replicaReplacementDelay;
    }

    public int getRebuildReservePercent() {
        return rebuildReservePercent;
    }

    public void setRebuildReservePercent(int rebuildReservePercent) {
        this.rebuildReservePercent = rebuildReservePercent;
    }

    public int getOvercommitPercent() {
        return overcommitPercent;
    }

    public void setOvercommitPercent(int overcommitPercent) {
        this.overcommitPercent = overcommitPercent;
    }

    public @Nullable PoolDefaults getDefaults() {
        return defaults;
    }

    public void setDefaults(@Nullable PoolDefaults defaults) {
        this.defaults = defaults;
    }
}
