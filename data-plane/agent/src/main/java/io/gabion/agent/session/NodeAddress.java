package io.gabion.agent.session;

import static java.util.Objects.requireNonNull;

import io.gabion.model.NodeName;

/** Where a storage node listens for data. */
public record NodeAddress(NodeName node, String host, int port) {
    private static final int MAX_PORT = 65_535;

    public NodeAddress {
        requireNonNull(node, "node is null");
        if (host.isBlank() || host.chars().anyMatch(Character::isWhitespace)) {
            throw new IllegalArgumentException("host of node " + node + " is not a host name: \"" + host + "\"");
        }
        if (port < 1 || port > MAX_PORT) {
            throw new IllegalArgumentException("data port of node " + node + " must be 1 to 65535, not " + port);
        }
    }
}
