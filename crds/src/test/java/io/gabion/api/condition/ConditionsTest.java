package io.gabion.api.condition;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Condition;
import io.gabion.api.health.HealthCode;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConditionsTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00.5Z");
    private static final Instant LATER = Instant.parse("2026-11-21T12:05:00Z");

    @Test
    void everyTypeOfTheKindIsPresentFromTheStart() {
        List<Condition> conditions =
                Conditions.of(ConditionType.VOLUME, List.of(), 3, NOON).toList();

        assertThat(conditions)
                .extracting(Condition::getType)
                .containsExactly("Ready", "Redundant", "Placed", "Attached", "Reconciling", "Stalled");
        assertThat(conditions).allSatisfy(c -> {
            assertThat(c.getStatus()).isEqualTo("Unknown");
            assertThat(c.getReason()).isNotBlank();
            assertThat(c.getLastTransitionTime()).isEqualTo("2026-11-21T12:00:00Z");
        });
    }

    @Test
    void theTransitionTimeMovesOnlyWithTheStatus() {
        Conditions first = Conditions.of(ConditionType.POOL, List.of(), 1, NOON)
                .with(ConditionType.READY, ConditionStatus.FALSE, HealthCode.NoMatchingNodes, "no node");

        Conditions reworded = Conditions.of(ConditionType.POOL, first.toList(), 2, LATER)
                .with(ConditionType.READY, ConditionStatus.FALSE, HealthCode.TooFewDomains, "one node");
        Conditions turned = Conditions.of(ConditionType.POOL, first.toList(), 2, LATER)
                .with(ConditionType.READY, ConditionStatus.TRUE, HealthCode.Ready, "");

        assertThat(reworded.get(ConditionType.READY)).hasValueSatisfying(c -> {
            assertThat(c.getLastTransitionTime()).isEqualTo("2026-11-21T12:00:00Z");
            assertThat(c.getMessage()).isEqualTo("one node");
            assertThat(c.getObservedGeneration()).isEqualTo(2);
        });
        assertThat(turned.get(ConditionType.READY))
                .hasValueSatisfying(c -> assertThat(c.getLastTransitionTime()).isEqualTo("2026-11-21T12:05:00Z"));
    }

    @Test
    void settingWhatIsAlreadyThereChangesNothing() {
        Conditions before = Conditions.of(ConditionType.NODE, List.of(), 1, NOON)
                .with(ConditionType.READY, ConditionStatus.TRUE, HealthCode.Ready, "serving");

        Conditions after = Conditions.of(ConditionType.NODE, before.toList(), 1, LATER)
                .with(ConditionType.READY, ConditionStatus.TRUE, HealthCode.Ready, "serving");

        assertThat(after.toList()).isEqualTo(before.toList());
    }

    @Test
    void longMessagesAreCut() {
        Conditions conditions = Conditions.of(ConditionType.NODE, List.of(), 1, NOON)
                .with(ConditionType.READY, ConditionStatus.FALSE, HealthCode.NodeLost, "x".repeat(5000));

        assertThat(conditions.get(ConditionType.READY))
                .hasValueSatisfying(c -> assertThat(c.getMessage()).hasSize(Conditions.MAX_MESSAGE_CHARACTERS));
    }
}
