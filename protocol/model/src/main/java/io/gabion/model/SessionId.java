package io.gabion.model;

import static java.util.Objects.requireNonNull;

import java.util.UUID;

/**
 * One agent's right to write. {@code generation} comes from the attachment in the volume's record, {@code connection} is
 * assigned by the primary (one higher at every Open), {@code instance} names the agent process. Ordered by generation, then
 * connection: whoever is lower than the highest durable one is refused on every replica.
 */
public record SessionId(long generation, long connection, UUID instance) {
    /** Nobody ever opened the volume. */
    public static final SessionId NONE = new SessionId(0, 0, new UUID(0, 0));

    public SessionId {
        requireNonNull(instance, "instance is null");
        if (generation < 0 || connection < 0) {
            throw new IllegalArgumentException("generation and connection must not be negative");
        }
    }

    public boolean isLowerThan(SessionId other) {
        return generation < other.generation || (generation == other.generation && connection < other.connection);
    }

    @Override
    public String toString() {
        return generation + "/" + connection + "@" + instance;
    }
}
