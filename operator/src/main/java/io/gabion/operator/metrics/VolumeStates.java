package io.gabion.operator.metrics;

import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.operator.view.Finding;
import java.util.List;

/** The states of {@code gabion_volume_state}; a volume is in exactly one. */
final class VolumeStates {
    private static final String HEALTHY = "healthy";
    private static final String DEGRADED = "degraded";
    private static final String REBUILDING = "rebuilding";
    private static final String UNAVAILABLE = "unavailable";

    static final List<String> ALL = List.of(HEALTHY, DEGRADED, REBUILDING, UNAVAILABLE);

    private VolumeStates() {}

    static String of(Volume volume) {
        if (!Finding.isTrue(volume.getStatus().getConditions(), ConditionType.READY)) {
            return UNAVAILABLE;
        }
        if (Finding.isTrue(volume.getStatus().getConditions(), ConditionType.REDUNDANT)) {
            return HEALTHY;
        }
        return Finding.find(volume.getStatus().getConditions(), ConditionType.REDUNDANT)
                        .filter(c -> HealthCode.ReplicaRebuilding.name().equals(c.getReason()))
                        .isPresent()
                ? REBUILDING
                : DEGRADED;
    }
}
