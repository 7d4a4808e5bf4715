package io.gabion.operator.view;

import static java.util.Objects.requireNonNull;

import io.fabric8.kubernetes.api.model.Condition;
import io.gabion.api.condition.ConditionStatus;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.condition.Conditions;
import io.gabion.api.health.HealthCode;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** What is to be said of an object now: a condition without its times. */
public record Finding(ConditionType type, ConditionStatus status, HealthCode reason, String message) {
    public Finding {
        requireNonNull(type, "type is null");
        requireNonNull(status, "status is null");
        requireNonNull(reason, "reason is null");
        requireNonNull(message, "message is null");
    }

    public static Finding of(ConditionType type, boolean holds, HealthCode reason, String message) {
        return new Finding(type, ConditionStatus.of(holds), reason, message);
    }

    /** The conditions after these findings; times move only where a status does. */
    public static List<Condition> apply(
            List<ConditionType> types, List<Condition> standing, List<Finding> findings, long generation, Instant now) {
        Conditions conditions = Conditions.of(types, standing, generation, now);
        for (Finding finding : findings) {
            conditions = conditions.with(finding.type(), finding.status(), finding.reason(), finding.message());
        }
        return conditions.toList();
    }

    public static Optional<Condition> find(Collection<Condition> conditions, ConditionType type) {
        return conditions.stream().filter(c -> type.text().equals(c.getType())).findFirst();
    }

    public static boolean isTrue(Collection<Condition> conditions, ConditionType type) {
        return find(conditions, type)
                .filter(c -> ConditionStatus.TRUE.text().equals(c.getStatus()))
                .isPresent();
    }

    /** Since when the condition is not true; empty while it is. A missing condition was never true. */
    public static Optional<Instant> notTrueSince(
            Collection<Condition> conditions, ConditionType type, Instant otherwise) {
        if (isTrue(conditions, type)) {
            return Optional.empty();
        }
        return Optional.of(find(conditions, type)
                .map(c -> instant(c.getLastTransitionTime(), otherwise))
                .orElse(otherwise));
    }

    private static Instant instant(String time, Instant otherwise) {
        return time.isEmpty() ? otherwise : Instant.parse(time);
    }
}
