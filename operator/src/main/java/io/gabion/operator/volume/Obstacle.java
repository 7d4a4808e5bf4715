package io.gabion.operator.volume;

import static java.util.Objects.requireNonNull;

import io.gabion.api.health.HealthCode;

/** Something that only a person, or a change of the surroundings, can take out of a volume's way. */
public record Obstacle(HealthCode reason, String message) {
    public Obstacle {
        requireNonNull(reason, "reason is null");
        requireNonNull(message, "message is null");
    }
}
