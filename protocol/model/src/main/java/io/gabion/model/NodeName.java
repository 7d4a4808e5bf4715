package io.gabion.model;

import static java.util.Objects.requireNonNull;

import java.util.regex.Pattern;

/** Name of a machine of the cluster (a storage node or a consumer): a DNS label as Kubernetes names nodes, 1 to 253 characters. */
public record NodeName(String value) implements Comparable<NodeName> {
    private static final int MAX_LENGTH = 253;
    private static final Pattern SHAPE = Pattern.compile("[a-z0-9]([-a-z0-9.]*[a-z0-9])?");

    public NodeName {
        requireNonNull(value, "value is null");
        if (value.length() > MAX_LENGTH || !SHAPE.matcher(value).matches()) {
            throw new IllegalArgumentException("node name must be lower-case letters, digits, '-' or '.', at most "
                    + MAX_LENGTH + " characters: \"" + value + "\"");
        }
    }

    @Override
    public int compareTo(NodeName other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
