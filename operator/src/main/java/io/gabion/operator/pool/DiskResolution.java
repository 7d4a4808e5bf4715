package io.gabion.operator.pool;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import io.fabric8.kubernetes.api.model.Node;
import io.gabion.api.v1alpha1.NodeDisk;
import io.gabion.api.v1alpha1.StoragePool;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which pool takes which directory of which machine. Pure. */
public final class DiskResolution {
    private DiskResolution() {}

    /** Whether the pool wants the machine's disks. */
    public static boolean selects(StoragePool pool, Node machine) {
        return matches(pool.getSpec().getNodeSelector(), labels(machine));
    }

    private static Map<String, String> labels(Node machine) {
        Map<String, String> labels = machine.getMetadata().getLabels();
        return labels == null ? Map.of() : labels;
    }

    static boolean matches(@Nullable LabelSelector selector, Map<String, String> labels) {
        if (selector == null) {
            return true;
        }
        Map<String, String> wanted = selector.getMatchLabels() == null ? Map.of() : selector.getMatchLabels();
        List<LabelSelectorRequirement> expressions =
                selector.getMatchExpressions() == null ? List.of() : selector.getMatchExpressions();
        return wanted.entrySet().stream().allMatch(e -> e.getValue().equals(labels.get(e.getKey())))
                && expressions.stream().allMatch(e -> matches(e, labels.get(e.getKey())));
    }

    private static boolean matches(LabelSelectorRequirement requirement, @Nullable String value) {
        List<String> values = requirement.getValues() == null ? List.of() : requirement.getValues();
        return switch (requirement.getOperator()) {
            case "In" -> value != null && values.contains(value);
            case "NotIn" -> value == null || !values.contains(value);
            case "Exists" -> value != null;
            case "DoesNotExist" -> value == null;
            // The API server lets no other through.
            default -> false;
        };
    }

    /**
     * The disks that a node should open: those of every pool that selects the machine, and those it has for pools whose data it
     * still holds, whatever the pool says now.
     *
     * @param machine absent while Kubernetes does not know the node
     * @param standing what the node was told before
     * @param inUse pools with copies or disk records on the node
     */
    public static List<NodeDisk> disks(
            Collection<StoragePool> pools, @Nullable Node machine, List<NodeDisk> standing, Set<String> inUse) {
        List<NodeDisk> disks = new ArrayList<>();
        pools.stream()
                .sorted(Comparator.comparing(p -> p.getMetadata().getName()))
                .filter(p -> machine != null
                        && selects(p, machine)
                        && p.getMetadata().getDeletionTimestamp() == null)
                .filter(p -> !p.getSpec().getDirectories().isEmpty())
                .forEach(p -> disks.add(disk(p)));
        for (NodeDisk old : standing) {
            boolean there = disks.stream().anyMatch(d -> d.getPool().equals(old.getPool()));
            if (!there && (inUse.contains(old.getPool()) || machine == null)) {
                disks.add(old);
            }
        }
        return disks;
    }

    /** The first directory: more than one per node is refused in the pool's conditions. */
    private static NodeDisk disk(StoragePool pool) {
        NodeDisk disk = new NodeDisk();
        disk.setPool(pool.getMetadata().getName());
        disk.setDirectory(pool.getSpec().getDirectories().getFirst());
        disk.setCapacity(pool.getSpec().getCapacity());
        return disk;
    }
}
