package io.gabion.operator.volume;

import static java.util.Objects.requireNonNull;

import io.gabion.api.health.HealthCode;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What to do next.
 *
 * @param lookAgain after which time the answer may be another although nothing changed
 */
public record VolumePlan(VolumeAction action, List<Obstacle> obstacles, Optional<Duration> lookAgain) {
    public VolumePlan {
        requireNonNull(action, "action is null");
        requireNonNull(lookAgain, "lookAgain is null");
        obstacles = List.copyOf(obstacles);
    }

    static VolumePlan of(VolumeAction action) {
        return new VolumePlan(action, List.of(), Optional.empty());
    }

    static VolumePlan rest(List<Obstacle> obstacles, Optional<Duration> lookAgain) {
        return new VolumePlan(new VolumeAction.Rest(), obstacles, lookAgain);
    }

    static VolumePlan blocked(HealthCode reason, String message, Duration lookAgain) {
        return rest(List.of(new Obstacle(reason, message)), Optional.of(lookAgain));
    }
}
