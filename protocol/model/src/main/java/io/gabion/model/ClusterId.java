package io.gabion.model;

import static java.util.Objects.requireNonNull;

import java.util.UUID;

/** A Gabion cluster. Nodes, disks and certificates of another cluster are refused. */
public record ClusterId(UUID value) implements Comparable<ClusterId> {
    public ClusterId {
        requireNonNull(value, "value is null");
    }

    /** Parses the canonical text form; throws {@link IllegalArgumentException} on anything else. */
    public static ClusterId of(String text) {
        return new ClusterId(UUID.fromString(text));
    }

    @Override
    public int compareTo(ClusterId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
