package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.api.model.Quantity;
import org.jspecify.annotations.Nullable;

/** A disk that the node should open. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public final class NodeDisk {
    @JsonPropertyDescription("StoragePool that the disk belongs to.")
    @Required
    @Size(min = 1, max = 63)
    @Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    private String pool = "";

    @JsonPropertyDescription("Directory on the node that holds the data.")
    @Required
    @Size(min = 1, max = 512)
    private String directory = "";

    @JsonPropertyDescription("What the directory may hold at most.")
    private @Nullable Quantity capacity;

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

    public @Nullable Quantity getCapacity() {
        return capacity;
    }

    public void setCapacity(@Nullable Quantity capacity) {
        this.capacity = capacity;
    }
}
