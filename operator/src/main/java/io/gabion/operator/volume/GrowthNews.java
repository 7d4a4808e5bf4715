package io.gabion.operator.volume;

import io.gabion.api.condition.ConditionType;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.operator.view.Finding;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * When a volume has become larger: once for every size. A volume may have grown before anybody reported that it does, so sizes are
 * compared; only a process that sees a volume for the first time has nothing but the report of the one before it. Safe for any thread.
 */
final class GrowthNews {
    private final Map<String, Long> sizes = new ConcurrentHashMap<>();

    /**
     * Whether this is news of the volume with this UID.
     *
     * @param reported its status as it was reported last
     * @param sizeBytes what every copy in sync has by now
     * @param growing it is still to become larger
     */
    boolean hasGrown(String uid, VolumeStatus reported, long sizeBytes, boolean growing) {
        Long before = sizes.put(uid, sizeBytes);
        return before == null ? saidToGrow(reported) && !growing : before < sizeBytes;
    }

    private static boolean saidToGrow(VolumeStatus reported) {
        return Finding.find(reported.getConditions(), ConditionType.RECONCILING)
                .flatMap(c -> Optional.ofNullable(c.getMessage()))
                .filter(m -> m.startsWith(VolumeReport.GROWING))
                .isPresent();
    }

    void forget(String uid) {
        sizes.remove(uid);
    }
}
