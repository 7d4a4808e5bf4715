package io.gabion.model;

import static java.util.Objects.requireNonNull;

/** Where a storage node can be reached; written by the node itself when it starts. Addresses are never identities. */
public record NodeRecord(
        NodeName name,
        String host,
        int dataPort,
        int controlPort,
        int metricsPort,
        String softwareVersion,
        long version) {
    public NodeRecord {
        requireNonNull(name, "name is null");
        requireNonNull(host, "host is null");
        requireNonNull(softwareVersion, "softwareVersion is null");
    }
}
