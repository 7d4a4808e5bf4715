package io.gabion.model;

import static java.util.Objects.requireNonNull;

import java.util.UUID;

/** A disk that Gabion formatted; kept in its superblock and in the configuration store. */
public record DiskId(UUID value) implements Comparable<DiskId> {
    public DiskId {
        requireNonNull(value, "value is null");
    }

    /** Parses the canonical text form; throws {@link IllegalArgumentException} on anything else. */
    public static DiskId of(String text) {
        return new DiskId(UUID.fromString(text));
    }

    @Override
    public int compareTo(DiskId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
