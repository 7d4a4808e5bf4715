package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import org.jspecify.annotations.Nullable;

/** Limits of a volume; kept, not enforced yet. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public final class QualityOfService {
    @JsonPropertyDescription("Operations per second at most.")
    @Min(1)
    private @Nullable Long iops;

    @JsonPropertyDescription("Bytes per second at most.")
    @Min(4096)
    private @Nullable Long bytesPerSecond;

    public @Nullable Long getIops() {
        return iops;
    }

    public void setIops(@Nullable Long iops) {
        this.iops = iops;
    }

    public @Nullable Long getBytesPerSecond() {
        return bytesPerSecond;
    }

    public void setBytesPerSecond(@Nullable Long bytesPerSecond) {
        this.bytesPerSecond = bytesPerSecond;
    }
}
