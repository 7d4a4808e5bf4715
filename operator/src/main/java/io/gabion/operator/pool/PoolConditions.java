package io.gabion.operator.pool;

import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.record.ByteText;
import io.gabion.api.v1alpha1.PoolDefaults;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.operator.view.Finding;
import java.util.List;
import java.util.Optional;

/** What is said of a pool. Pure. */
final class PoolConditions {
    private static final int PERCENT = 100;
    private static final int NEAR_FULL_PERCENT = 80;
    private static final int FULL_PERCENT = 95;
    private static final int DEFAULT_REPLICAS = 3;

    private PoolConditions() {}

    static List<Finding> of(StoragePool pool, PoolSum sum, Optional<String> inUse) {
        return List.of(ready(pool, sum, inUse), capacity(pool, sum), domains(pool, sum));
    }

    private static Finding ready(StoragePool pool, PoolSum sum, Optional<String> inUse) {
        if (inUse.isPresent()) {
            return not(HealthCode.PoolInUse, inUse.get());
        }
        if (!pool.getSpec().getDevices().isEmpty()) {
            return not(HealthCode.DevicesNotSupported, "spec.devices is not supported yet; use spec.directories");
        }
        if (pool.getSpec().getDirectories().size() > 1) {
            return not(
                    HealthCode.TooManyDirectories,
                    "spec.directories: only the first of " + pool.getSpec().getDirectories()
                            + " is used; make one pool for each");
        }
        if (sum.nodes() == 0) {
            return not(HealthCode.NoMatchingNodes, "no node carries the labels of spec.nodeSelector");
        }
        if (sum.disksOnline() == 0) {
            return not(HealthCode.NodeStarting, "none of " + sum.nodes() + " nodes has opened its disk yet");
        }
        return Finding.of(
                ConditionType.READY,
                true,
                HealthCode.Ready,
                sum.disksOnline() + " of " + sum.disks() + " disks online");
    }

    private static Finding not(HealthCode code, String message) {
        return Finding.of(ConditionType.READY, false, code, message);
    }

    private static Finding capacity(StoragePool pool, PoolSum sum) {
        String text = ByteText.of(sum.freeBytes()) + " of " + ByteText.of(sum.capacityBytes()) + " free";
        if (sum.capacityBytes() == 0) {
            return Finding.of(ConditionType.CAPACITY_AVAILABLE, false, HealthCode.NodeStarting, "no disk is online");
        }
        long usedPercent = (long) ((double) sum.usedBytes() * PERCENT / sum.capacityBytes());
        if (usedPercent >= FULL_PERCENT || sum.freeBytes() <= 0) {
            return Finding.of(ConditionType.CAPACITY_AVAILABLE, false, HealthCode.PoolFull, text);
        }
        double allowed = (double) sum.capacityBytes() * pool.getSpec().getOvercommitPercent() / PERCENT;
        if (sum.provisionedBytes() > allowed) {
            return Finding.of(
                    ConditionType.CAPACITY_AVAILABLE,
                    false,
                    HealthCode.Overcommitted,
                    ByteText.of(sum.provisionedBytes()) + " promised, "
                            + pool.getSpec().getOvercommitPercent() + " % of " + ByteText.of(sum.capacityBytes())
                            + " allowed");
        }
        if (usedPercent >= NEAR_FULL_PERCENT) {
            return Finding.of(ConditionType.CAPACITY_AVAILABLE, false, HealthCode.PoolNearFull, text);
        }
        return Finding.of(ConditionType.CAPACITY_AVAILABLE, true, HealthCode.CapacityAvailable, text);
    }

    private static Finding domains(StoragePool pool, PoolSum sum) {
        PoolDefaults defaults = pool.getSpec().getDefaults();
        Integer given = defaults == null ? null : defaults.getReplicas();
        int wanted = given == null ? DEFAULT_REPLICAS : given;
        String text = sum.domains() + " failure domains (" + pool.getSpec().getFailureDomainKey() + "), " + wanted
                + " copies by default";
        return sum.domains() >= wanted
                ? Finding.of(ConditionType.DOMAINS_SATISFIED, true, HealthCode.DomainsSatisfied, text)
                : Finding.of(ConditionType.DOMAINS_SATISFIED, false, HealthCode.TooFewDomains, text);
    }
}
