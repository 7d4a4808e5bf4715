package io.gabion.model;

import static java.util.Objects.requireNonNull;

import java.util.UUID;

/** One copy of a volume. A replica is never an address: it keeps its id when its node changes its address. */
public record ReplicaId(UUID value) implements Comparable<ReplicaId> {
    public ReplicaId {
        requireNonNull(value, "value is null");
    }

    /** Parses the canonical text form; throws {@link IllegalArgumentException} on anything else. */
    public static ReplicaId of(String text) {
        return new ReplicaId(UUID.fromString(text));
    }

    @Override
    public int compareTo(ReplicaId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
