package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;

/** Where a storage node can be reached. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public final class NodeAddress {
    @JsonPropertyDescription("Address of the pod.")
    @Required
    @Size(min = 1, max = 253)
    private String host = "";

    @JsonPropertyDescription("Port of the data path (TLS).")
    @Required
    @Min(0)
    @Max(65535)
    private int dataPort;

    @JsonPropertyDescription("Port of the control service (gRPC, mutual TLS).")
    @Required
    @Min(0)
    @Max(65535)
    private int controlPort;

    @JsonPropertyDescription("Port of metrics and health.")
    @Required
    @Min(0)
    @Max(65535)
    private int metricsPort;

    public String getHost() {
        return host;
    }

    public void setHost(String host) {
        this.host = host;
    }

    public int getDataPort() {
        return dataPort;
    }

    public void setDataPort(int dataPort) {
        this.dataPort = dataPort;
    }

    public int getControlPort() {
        return controlPort;
    }

    public void setControlPort(int controlPort) {
        this.controlPort = controlPort;
    }

    public int getMetricsPort() {
        return metricsPort;
    }

    public void setMetricsPort(int metricsPort) {
        this.metricsPort = metricsPort;
    }
}
