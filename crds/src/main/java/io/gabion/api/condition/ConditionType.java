package io.gabion.api.condition;

import java.util.List;

/** What a condition speaks of. All but {@code Reconciling} and {@code Stalled} are good when True. */
public enum ConditionType {
    READY("Ready"),
    REDUNDANT("Redundant"),
    PLACED("Placed"),
    ATTACHED("Attached"),
    RECONCILING("Reconciling"),
    STALLED("Stalled"),
    CAPACITY_AVAILABLE("CapacityAvailable"),
    DOMAINS_SATISFIED("DomainsSatisfied"),
    DISKS_HEALTHY("DisksHealthy"),
    SCHEDULABLE("Schedulable");

    /** Those of a Volume. */
    public static final List<ConditionType> VOLUME = List.of(READY, REDUNDANT, PLACED, ATTACHED, RECONCILING, STALLED);
    /** Those of a StoragePool. */
    public static final List<ConditionType> POOL = List.of(READY, CAPACITY_AVAILABLE, DOMAINS_SATISFIED);
    /** Those of a StorageNode. */
    public static final List<ConditionType> NODE = List.of(READY, DISKS_HEALTHY, SCHEDULABLE);
    /** Those of the StorageCluster. */
    public static final List<ConditionType> CLUSTER = List.of(READY, RECONCILING, STALLED);
    /** Those of a Snapshot. */
    public static final List<ConditionType> SNAPSHOT = List.of(READY);

    private final String text;

    ConditionType(String text) {
        this.text = text;
    }

    /** As in {@code status.conditions[].type}. */
    public String text() {
        return text;
    }
}
