package io.gabion.api.condition;

import static java.util.Objects.requireNonNull;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.gabion.api.health.HealthCode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The conditions of one object as a value. All types of its kind are always present (Unknown until somebody knows better), and
 * the transition time moves only when the status does: a status that changes at every look would be reconciled for ever.
 */
public final class Conditions {
    /** Longer messages are cut. */
    public static final int MAX_MESSAGE_CHARACTERS = 1024;

    private static final String NOT_KNOWN = "Nothing is known yet.";

    private final List<ConditionType> types;
    private final long generation;
    private final Instant now;
    private final Map<ConditionType, Condition> current;

    private Conditions(List<ConditionType> types, long generation, Instant now, Map<ConditionType, Condition> current) {
        this.types = types;
        this.generation = generation;
        this.now = now;
        this.current = current;
    }

    /**
     * Starts from what an object says now.
     *
     * @param types those of the kind, as in {@link ConditionType#VOLUME}
     * @param existing {@code status.conditions}; types that the kind does not have are dropped
     * @param generation {@code metadata.generation} that the caller looked at
     */
    public static Conditions of(List<ConditionType> types, List<Condition> existing, long generation, Instant now) {
        Map<ConditionType, Condition> current = new EnumMap<>(ConditionType.class);
        String time = now.truncatedTo(ChronoUnit.SECONDS).toString();
        for (ConditionType type : types) {
            Condition found = existing.stream()
                    .filter(c -> type.text().equals(c.getType()))
                    .findFirst()
                    .orElseGet(() -> condition(
                            type, ConditionStatus.UNKNOWN, HealthCode.Pending.name(), NOT_KNOWN, time, generation));
            current.put(type, found);
        }
        return new Conditions(List.copyOf(types), generation, now, current);
    }

    /** The same conditions but for one. */
    public Conditions with(ConditionType type, ConditionStatus status, HealthCode reason, String message) {
        Condition before = requireNonNull(current.get(type), () -> type + " is no condition of this kind");
        boolean same = status.text().equals(before.getStatus());
        String time = same
                ? before.getLastTransitionTime()
                : now.truncatedTo(ChronoUnit.SECONDS).toString();
        Map<ConditionType, Condition> next = new EnumMap<>(current);
        next.put(type, condition(type, status, reason.name(), cut(message), time, generation));
        return new Conditions(types, generation, now, next);
    }

    /** Status of one condition; Unknown when this kind has none. */
    public ConditionStatus status(ConditionType type) {
        return get(type).map(Condition::getStatus).map(Conditions::parse).orElse(ConditionStatus.UNKNOWN);
    }

    public Optional<Condition> get(ConditionType type) {
        return Optional.ofNullable(current.get(type));
    }

    /** For {@code status.conditions}, always in the same order. */
    public List<Condition> toList() {
        return new ArrayList<>(current.values());
    }

    private static ConditionStatus parse(String text) {
        return ConditionStatus.TRUE.text().equals(text)
                ? ConditionStatus.TRUE
                : ConditionStatus.FALSE.text().equals(text) ? ConditionStatus.FALSE : ConditionStatus.UNKNOWN;
    }

    private static String cut(String message) {
        return message.length() <= MAX_MESSAGE_CHARACTERS
                ? message
                : message.substring(0, MAX_MESSAGE_CHARACTERS - 1) + "…";
    }

    private static Condition condition(
            ConditionType type, ConditionStatus status, String reason, String message, String time, long generation) {
        return new ConditionBuilder()
                .withType(type.text())
                .withStatus(status.text())
                .withReason(reason)
                .withMessage(message)
                .withLastTransitionTime(time)
                .withObservedGeneration(generation)
                .build();
    }
}
