package io.gabion.operator.view;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Conditions as Kubernetes defines them. */
public final class Conditions {
    public static final String TRUE = "True";
    public static final String FALSE = "False";
    public static final String UNKNOWN = "Unknown";
    /** The API refuses longer ones. */
    private static final int MAX_MESSAGE_CHARACTERS = 4096;

    private Conditions() {}

    /** What is to be said now, without times. */
    public record Finding(String type, String status, String reason, String message) {
        public static Finding of(String type, boolean holds, String reason, String message) {
            return new Finding(type, holds ? TRUE : FALSE, reason, message);
        }
    }

    /**
     * The next conditions: the time moves only where the status changes, and types that are not among the findings stay.
     */
    public static List<Condition> next(
            @Nullable Collection<Condition> standing, List<Finding> findings, long generation, Instant now) {
        List<Condition> next = new ArrayList<>();
        Collection<Condition> old = standing == null ? List.of() : standing;
        for (Condition condition : old) {
            if (findings.stream().noneMatch(f -> f.type().equals(condition.getType()))) {
                next.add(condition);
            }
        }
        for (Finding finding : findings) {
            Optional<Condition> before = find(old, finding.type());
            String since = before.filter(c -> finding.status().equals(c.getStatus()))
                    .map(Condition::getLastTransitionTime)
                    .orElse(now.truncatedTo(ChronoUnit.SECONDS).toString());
            String message = finding.message().length() <= MAX_MESSAGE_CHARACTERS
                    ? finding.message()
                    : finding.message().substring(0, MAX_MESSAGE_CHARACTERS);
            next.add(new ConditionBuilder()
                    .withType(finding.type())
                    .withStatus(finding.status())
                    .withReason(finding.reason())
                    .withMessage(message)
                    .withObservedGeneration(generation)
                    .withLastTransitionTime(since)
                    .build());
        }
        return next;
    }

    public static Optional<Condition> find(@Nullable Collection<Condition> conditions, String type) {
        return conditions == null
                ? Optional.empty()
                : conditions.stream().filter(c -> type.equals(c.getType())).findFirst();
    }

    public static boolean isTrue(@Nullable Collection<Condition> conditions, String type) {
        return find(conditions, type).filter(c -> TRUE.equals(c.getStatus())).isPresent();
    }

    /** Since when the condition is not true; empty while it is. A missing condition was never true. */
    public static Optional<Instant> notTrueSince(
            @Nullable Collection<Condition> conditions, String type, Instant otherwise) {
        if (isTrue(conditions, type)) {
            return Optional.empty();
        }
        return Optional.of(find(conditions, type)
                .map(c -> instant(c.getLastTransitionTime(), otherwise))
                .orElse(otherwise));
    }

    /** A time of the API; {@code otherwise} when there is none. */
    public static Instant instant(@Nullable String time, Instant otherwise) {
        return time == null || time.isEmpty() ? otherwise : Instant.parse(time);
    }
}
