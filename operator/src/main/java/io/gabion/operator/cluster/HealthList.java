package io.gabion.operator.cluster;

import io.fabric8.kubernetes.api.model.Condition;
import io.gabion.api.condition.ConditionStatus;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.health.Severity;
import io.gabion.api.v1alpha1.HealthEntry;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.operator.pool.RebuildRoom;
import io.gabion.operator.view.ClusterView;
import io.gabion.operator.view.Finding;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Gathers what every object says of itself into one list of health codes, the worst first. */
final class HealthList {
    private static final int MAX_OBJECTS = 20;

    private final Map<HealthCode, List<String>> objects = new EnumMap<>(HealthCode.class);
    private final Map<HealthCode, String> messages = new EnumMap<>(HealthCode.class);

    static HealthList of(ClusterView view) {
        HealthList list = new HealthList();
        for (Volume volume : view.volumes()) {
            String object = "volume/" + volume.getMetadata().getName();
            list.addUnlessTrue(object, volume.getStatus().getConditions(), ConditionType.READY);
            list.addUnlessTrue(object, volume.getStatus().getConditions(), ConditionType.REDUNDANT);
            Finding.find(volume.getStatus().getConditions(), ConditionType.STALLED)
                    .filter(c -> ConditionStatus.TRUE.text().equals(c.getStatus()))
                    .ifPresent(c -> list.add(object, c));
            if (volume.getStatus().getConfig() != null
                    && volume.getSpec().getReplicas() > 1
                    && volume.getStatus().getConfig().getInSync().size() == 1
                    && !volume.getStatus().isDeleting()) {
                list.add(HealthCode.OneCopyLeft, object, HealthCode.OneCopyLeft.meaning());
            }
        }
        for (StorageNode node : view.storageNodes()) {
            String object = "storagenode/" + node.getMetadata().getName();
            list.addUnlessTrue(object, node.getStatus().getConditions(), ConditionType.READY);
            list.addUnlessTrue(object, node.getStatus().getConditions(), ConditionType.DISKS_HEALTHY);
        }
        for (StoragePool pool : view.pools()) {
            String object = "storagepool/" + pool.getMetadata().getName();
            for (ConditionType type : ConditionType.POOL) {
                list.addUnlessTrue(object, pool.getStatus().getConditions(), type);
            }
            RebuildRoom.shortage(pool.getMetadata().getName(), view.storageNodes())
                    .ifPresent(why -> list.add(HealthCode.RebuildCannotFit, object, why));
        }
        return list;
    }

    private void addUnlessTrue(String object, List<Condition> conditions, ConditionType type) {
        Finding.find(conditions, type)
                .filter(c -> ConditionStatus.FALSE.text().equals(c.getStatus()))
                .ifPresent(c -> add(object, c));
    }

    private void add(String object, Condition condition) {
        try {
            add(HealthCode.valueOf(condition.getReason()), object, condition.getMessage());
        } catch (IllegalArgumentException _) {
            // A word of another version; its own condition shows it.
        }
    }

    void add(HealthCode code, String object, String message) {
        if (code.severity() == Severity.INFO) {
            return;
        }
        List<String> of = objects.computeIfAbsent(code, _ -> new ArrayList<>());
        if (!of.contains(object)) {
            of.add(object);
        }
        messages.putIfAbsent(code, message);
    }

    List<HealthEntry> entries() {
        List<HealthEntry> entries = new ArrayList<>();
        objects.entrySet().stream()
                .sorted(Comparator.comparing((Map.Entry<HealthCode, List<String>> e) ->
                                e.getKey().severity() != Severity.CRITICAL)
                        .thenComparing(Map.Entry::getKey))
                .forEach(e -> {
                    List<String> all = e.getValue();
                    HealthEntry entry = new HealthEntry();
                    entry.setCode(e.getKey().name());
                    entry.setSeverity(e.getKey().severity().text());
                    String first = messages.getOrDefault(e.getKey(), "");
                    entry.setMessage(all.size() == 1 ? first : all.size() + " objects; the first: " + first);
                    entry.setObjects(all.subList(0, Math.min(all.size(), MAX_OBJECTS)));
                    entries.add(entry);
                });
        return entries;
    }

    /** How many objects each code concerns. */
    Map<HealthCode, Integer> counts() {
        Map<HealthCode, Integer> counts = new EnumMap<>(HealthCode.class);
        objects.forEach((code, of) -> counts.put(code, of.size()));
        return counts;
    }

    /** The worst entry; empty when all is well. */
    Optional<HealthEntry> worst() {
        return entries().stream().findFirst();
    }

    /** For the column: such as {@code 1 Critical, 2 Warning}. */
    String summary() {
        long critical = objects.keySet().stream()
                .filter(c -> c.severity() == Severity.CRITICAL)
                .count();
        long warnings = objects.size() - critical;
        if (objects.isEmpty()) {
            return "OK";
        }
        String criticalText = critical == 0 ? "" : critical + " Critical";
        return criticalText + (critical > 0 && warnings > 0 ? ", " : "") + (warnings == 0 ? "" : warnings + " Warning");
    }
}
