package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crd.generator.annotation.SelectableField;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.model.annotation.SpecReplicas;
import org.jspecify.annotations.Nullable;

/** What the user asks for. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
@ValidationRule(
        value = "!isQuantity(string(self.size)) || quantity(string(self.size)).isInteger()"
                + " && quantity(string(self.size)).asInteger() % 4096 == 0",
        message = "size must be a multiple of 4096 bytes",
        fieldPath = ".size")
@ValidationRule(
        value = "!isQuantity(string(self.size)) || quantity(string(self.size)).compareTo(quantity('1Mi')) >= 0",
        message = "size must be at least 1Mi",
        fieldPath = ".size")
@ValidationRule(
        value = "!isQuantity(string(self.size)) || quantity(string(self.size)).compareTo(quantity('1Pi')) <= 0",
        message = "size must be at most 1Pi",
        fieldPath = ".size")
@ValidationRule(
        value = "!isQuantity(string(self.size))"
                + " || quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0",
        message = "size cannot shrink: a volume only grows",
        fieldPath = ".size")
@ValidationRule(
        value = "self.pool == oldSelf.pool",
        message = "pool cannot be changed: make a new volume in the other pool and copy",
        fieldPath = ".pool")
@ValidationRule(
        value =
                "has(self.volumeId) == has(oldSelf.volumeId) && (!has(self.volumeId) || self.volumeId == oldSelf.volumeId)",
        message = "volumeId cannot be changed")
@ValidationRule(
        value = "!has(self.minInSync) || self.minInSync <= self.replicas",
        message = "minInSync must not be above replicas: with fewer copies no write could ever be acknowledged")
public final class VolumeSpec {
    @JsonPropertyDescription(
            "Size of the block device, a multiple of 4096 bytes and at least 1Mi, for example 10Gi. It only grows.")
    @Required
    private Quantity size = new Quantity("0");

    @JsonPropertyDescription("Name of the StoragePool that holds the copies. It cannot be changed.")
    @Required
    @SelectableField
    @Size(min = 1, max = 63)
    @Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    private String pool = "";

    @JsonPropertyDescription("Number of copies, 1 to 5, each in another failure domain.")
    @Default("3")
    @Min(1)
    @Max(5)
    @SpecReplicas
    private int replicas = 3;

    @JsonPropertyDescription(
            "Writes are acknowledged only while at least this many copies are in sync; not above replicas. Default: 1 for one or two copies, else replicas - 1.")
    @Min(1)
    @Max(5)
    private @Nullable Integer minInSync;

    @JsonPropertyDescription("What a write meets when the pool is full: Stall waits, Error fails with ENOSPC.")
    @Default("Stall")
    private OnPoolFull onPoolFull = OnPoolFull.STALL;

    @JsonPropertyDescription("Which copies must return after all lost power: Any one of the in-sync ones, or All.")
    @Default("Any")
    private RecoveryMode recoveryPolicy = RecoveryMode.ANY;

    @JsonPropertyDescription(
            "Preferred moves the primary to the node of the consumer when a copy is there; None leaves it.")
    @Default("Preferred")
    private Locality locality = Locality.PREFERRED;

    @JsonPropertyDescription("The PersistentVolumeClaim this volume was made for; set by the driver.")
    private @Nullable ClaimReference claimRef;

    @JsonPropertyDescription("While true the volume is not deleted, whoever asks.")
    private boolean deletionProtection;

    @JsonPropertyDescription("Limits; kept, not enforced yet.")
    private @Nullable QualityOfService qos;

    @JsonPropertyDescription(
            "Only to adopt data that exists on disks: the identity (UUID) of that data. It cannot be changed.")
    @Pattern("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    @Size(max = 36)
    private @Nullable String volumeId;

    public Quantity getSize() {
        return size;
    }

    public void setSize(Quantity size) {
        this.size = size;
    }

    public String getPool() {
        return pool;
    }

    public void setPool(String pool) {
        this.pool = pool;
    }

    public int getReplicas() {
        return replicas;
    }

    public void setReplicas(int replicas) {
        this.replicas = replicas;
    }

    public @Nullable Integer getMinInSync() {
        return minInSync;
    }

    public void setMinInSync(@Nullable Integer minInSync) {
        this.minInSync = minInSync;
    }

    public OnPoolFull getOnPoolFull() {
        return onPoolFull;
    }

    public void setOnPoolFull(OnPoolFull onPoolFull) {
        this.onPoolFull = onPoolFull;
    }

    public RecoveryMode getRecoveryPolicy() {
        return recoveryPolicy;
    }

    public void setRecoveryPolicy(RecoveryMode recoveryPolicy) {
        this.recoveryPolicy = recoveryPolicy;
    }

    public Locality getLocality() {
        return locality;
    }

    public void setLocality(Locality locality) {
        this.locality = locality;
    }

    public @Nullable ClaimReference getClaimRef() {
        return claimRef;
    }

    public void setClaimRef(@Nullable ClaimReference claimRef) {
        this.claimRef = claimRef;
    }

    public boolean isDeletionProtection() {
        return deletionProtection;
    }

    public void setDeletionProtection(boolean deletionProtection) {
        this.deletionProtection = deletionProtection;
    }

    public @Nullable QualityOfService getQos() {
        return qos;
    }

    public void setQos(@Nullable QualityOfService qos) {
        this.qos = qos;
    }

    public @Nullable String getVolumeId() {
        return volumeId;
    }

    public void setVolumeId(@Nullable String volumeId) {
        this.volumeId = volumeId;
    }
}
