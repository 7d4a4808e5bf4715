package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import org.jspecify.annotations.Nullable;

/** What the node says of a disk. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public final class DiskReport {
    @JsonPropertyDescription("Identity in the superblock (UUID); empty until it was read.")
    @Size(max = 36)
    private @Nullable String id;

    @JsonPropertyDescription("StoragePool that the disk belongs to.")
    @Required
    @Size(min = 1, max = 63)
    @Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    private String pool = "";

    @JsonPropertyDescription("Directory on the node.")
    @Required
    @Size(min = 1, max = 512)
    private String directory = "";

    @JsonPropertyDescription("Kind of disk.")
    private @Nullable MediaClass mediaClass;

    @JsonPropertyDescription("Bytes that the disk may hold.")
    @Min(0)
    private @Nullable Long sizeBytes;

    @JsonPropertyDescription("Bytes used.")
    @Min(0)
    private @Nullable Long usedBytes;

    @JsonPropertyDescription("Bytes free.")
    @Min(0)
    private @Nullable Long freeBytes;

    @JsonPropertyDescription("Whether the disk takes part.")
    @Required
    private DiskState state = DiskState.OFFLINE;

    @JsonPropertyDescription("Why, for people; empty when all is well.")
    @Size(max = 1024)
    private @Nullable String reason;

    public @Nullable String getId() {
        return id;
    }

    public void setId(@Nullable String id) {
        this.id = id;
    }

    public String getPool() {
        return pool;
    }

    public void setPool(String pool) {
        this.pool = pool;
    }

    public String getDirectory() {
        return directory;
    }

    public void setDirectory(String directory) {
        this.directory = directory;
    }

    public @Nullable MediaClass getMediaClass() {
        return mediaClass;
    }

    public void setMediaClass(@Nullable MediaClass mediaClass) {
        this.mediaClass = mediaClass;
    }

    public @Nullable Long getSizeBytes() {
        return sizeBytes;
    }

    public void setSizeBytes(@Nullable Long sizeBytes) {
        this.sizeBytes = sizeBytes;
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

    public DiskState getState() {
        return state;
    }

    public void setState(DiskState state) {
        this.state = state;
    }

    public @Nullable String getReason() {
        return reason;
    }

    public void setReason(@Nullable String reason) {
        this.reason = reason;
    }
}
