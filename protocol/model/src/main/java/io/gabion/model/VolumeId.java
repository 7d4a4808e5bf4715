package io.gabion.model;

import static java.util.Objects.requireNonNull;

import java.util.UUID;

/** A volume, for ever: never re-used, never derived from its name. */
public record VolumeId(UUID value) implements Comparable<VolumeId> {
    public VolumeId {
        requireNonNull(value, "value is null");
    }

    /** Parses the canonical text form; throws {@link IllegalArgumentException} on anything else. */
    public static VolumeId of(String text) {
        return new VolumeId(UUID.fromString(text));
    }

    @Override
    public int compareTo(VolumeId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
