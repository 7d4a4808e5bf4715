package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crd.generator.annotation.PreserveUnknownFields;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Who may do what with the volume: the only authority, changed only by compare-and-swap on version. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@PreserveUnknownFields
@ValidationRule(
        value = "self == oldSelf || self.version > oldSelf.version",
        message = "version must grow when the configuration changes")
@ValidationRule(value = "self.epoch >= oldSelf.epoch", message = "epoch never falls")
@ValidationRule(
        value =
                "(self.primary == oldSelf.primary && self.inSync.size() == oldSelf.inSync.size() && self.inSync.all(m, oldSelf.inSync.exists(o, o.replica == m.replica && o.incarnation == m.incarnation))) || self.epoch > oldSelf.epoch",
        message = "epoch must grow when primary or inSync change")
@ValidationRule(
        value = "self.inSync.exists(m, m.replica == self.primary)",
        message = "the primary must be one of inSync")
@ValidationRule(
        value = "self.inSync.all(m, self.inSync.exists_one(o, o.replica == m.replica))",
        message = "a copy is in inSync twice")
@ValidationRule(value = "self.sizeBytes >= oldSelf.sizeBytes", message = "sizeBytes never shrinks")
@ValidationRule(
        value =
                "(has(self.sessionFloor) ? self.sessionFloor : 0) >= (has(oldSelf.sessionFloor) ? oldSelf.sessionFloor : 0)",
        message = "sessionFloor never falls")
@ValidationRule(
        value = "(has(self.verifier) ? self.verifier : 0) >= (has(oldSelf.verifier) ? oldSelf.verifier : 0)",
        message = "verifier never falls")
public final class VolumeConfiguration {
    @JsonPropertyDescription("Grows at every change of the record.")
    @Required
    @Min(1)
    private long version;

    @JsonPropertyDescription("Grows whenever primary or inSync change.")
    @Required
    @Min(1)
    private long epoch;

    @JsonPropertyDescription("The copy that orders the writes; one of inSync.")
    @Required
    @Pattern("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    @Size(max = 36)
    private String primary = "";

    @JsonPropertyDescription("The copies that hold every acknowledged write.")
    @Required
    @Size(min = 1, max = 8)
    private List<InSyncReplica> inSync = new ArrayList<>();

    @JsonPropertyDescription("Changes when a copy that lost acknowledged, unflushed data becomes the source of truth.")
    @Min(0)
    private long verifier;

    @JsonPropertyDescription("Size that every in-sync copy has reserved.")
    @Required
    @Min(1)
    private long sizeBytes;

    @JsonPropertyDescription("Sessions of a lower generation are refused.")
    @Min(0)
    private long sessionFloor;

    @JsonPropertyDescription("Who may open the volume.")
    @Size(max = 16)
    private List<SessionGrant> attachments = new ArrayList<>();

    @JsonPropertyDescription("Number of the last snapshot operation.")
    @Min(0)
    private long snapSequence;

    @JsonPropertyDescription(
            "Who proposed this version: how a proposer whose answer was lost recognises its own success.")
    @Required
    @Size(max = 512)
    private String writer = "";

    @JsonIgnore
    private final Map<String, Object> unknown = new LinkedHashMap<>();

    public long getVersion() {
        return version;
    }

    public void setVersion(long version) {
        this.version = version;
    }

    public long getEpoch() {
        return epoch;
    }

    public void setEpoch(long epoch) {
        this.epoch = epoch;
    }

    public String getPrimary() {
        return primary;
    }

    public void setPrimary(String primary) {
        this.primary = primary;
    }

    public List<InSyncReplica> getInSync() {
        return inSync;
    }

    public void setInSync(List<InSyncReplica> inSync) {
        this.inSync = inSync;
    }

    public long getVerifier() {
        return verifier;
    }

    public void setVerifier(long verifier) {
        this.verifier = verifier;
    }

    public long getSizeBytes() {
        return sizeBytes;
    }

    public void setSizeBytes(long sizeBytes) {
        this.sizeBytes = sizeBytes;
    }

    public long getSessionFloor() {
        return sessionFloor;
    }

    public void setSessionFloor(long sessionFloor) {
        this.sessionFloor = sessionFloor;
    }

    public List<SessionGrant> getAttachments() {
        return attachments;
    }

    public void setAttachments(List<SessionGrant> attachments) {
        this.attachments = attachments;
    }

    public long getSnapSequence() {
        return snapSequence;
    }

    public void setSnapSequence(long snapSequence) {
        this.snapSequence = snapSequence;
    }

    public String getWriter() {
        return writer;
    }

    public void setWriter(String writer) {
        this.writer = writer;
    }

    /** Fields of a newer version of the API: kept as they are. */
    @JsonAnyGetter
    public Map<String, Object> getUnknown() {
        return unknown;
    }

    @JsonAnySetter
    public void setUnknown(String name, Object value) {
        unknown.put(name, value);
    }
}
