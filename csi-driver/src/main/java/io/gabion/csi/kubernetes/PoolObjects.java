package io.gabion.csi.kubernetes;

import io.fabric8.kubernetes.api.model.Node;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.DiskReport;
import io.gabion.api.v1alpha1.DiskState;
import io.gabion.api.v1alpha1.PoolDefaults;
import io.gabion.api.v1alpha1.ReplicaOnNode;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.csi.backend.StoredPool;
import io.gabion.csi.backend.StoredPool.Room;
import io.gabion.model.NodeName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** What a pool may still promise: the size of its disks, less the reserve, times the overcommit, less what is promised. */
final class PoolObjects {
    private static final long PERCENT = 100;
    private static final String HOSTNAME_KEY = "kubernetes.io/hostname";

    private PoolObjects() {}

    static StoredPool stored(StoragePool pool) {
        @Nullable PoolDefaults defaults = pool.getSpec().getDefaults();
        return new StoredPool(
                pool.getMetadata().getName(),
                optional(defaults == null ? null : defaults.getReplicas()),
                optional(defaults == null ? null : defaults.getMinInSync()));
    }

    /** Whether the failure domains of a pool are written on the Kubernetes nodes; a machine of its own is known by its name. */
    static boolean needsLabels(StoragePool pool) {
        return !pool.getSpec().getFailureDomainKey().equals(HOSTNAME_KEY);
    }

    /** @param machines the Kubernetes nodes by name, whose labels tell the failure domain */
    static List<Room> rooms(
            StoragePool pool, List<StorageNode> nodes, Map<String, Node> machines, List<Volume> volumes) {
        String name = pool.getMetadata().getName();
        Map<String, Long> promised = promised(name, volumes);
        List<Room> rooms = new ArrayList<>();
        for (StorageNode node : nodes) {
            long sizeBytes = node.getStatus().getDisks().stream()
                    .filter(disk -> disk.getPool().equals(name) && disk.getState() == DiskState.ONLINE)
                    .mapToLong(PoolObjects::sizeBytes)
                    .sum();
            String nodeName = node.getMetadata().getName();
            String domain =
                    domain(nodeName, machines.get(nodeName), pool.getSpec().getFailureDomainKey());
            if (sizeBytes == 0 || node.getSpec().isUnschedulable() || domain.isEmpty()) {
                continue;
            }
            long promisable = sizeBytes
                    / PERCENT
                    * (PERCENT - pool.getSpec().getRebuildReservePercent())
                    / PERCENT
                    * pool.getSpec().getOvercommitPercent();
            rooms.add(new Room(new NodeName(nodeName), domain, promisable - promised.getOrDefault(nodeName, 0L)));
        }
        return List.copyOf(rooms);
    }

    private static Map<String, Long> promised(String pool, List<Volume> volumes) {
        Map<String, Long> promised = new HashMap<>();
        for (Volume volume : volumes) {
            if (!volume.getSpec().getPool().equals(pool)) {
                continue;
            }
            long bytes = VolumeRecords.bytes("spec.size", volume.getSpec().getSize());
            for (ReplicaOnNode replica : volume.getStatus().getPlacement()) {
                promised.merge(replica.getNode(), bytes, Long::sum);
            }
        }
        return promised;
    }

    private static long sizeBytes(DiskReport disk) {
        return Objects.requireNonNullElse(disk.getSizeBytes(), 0L);
    }

    /** Empty for a node without the label: it gets no copies. */
    private static String domain(String node, @Nullable Node machine, String key) {
        Map<String, String> labels = machine == null
                ? Map.of()
                : Objects.requireNonNullElse(machine.getMetadata().getLabels(), Map.of());
        return labels.getOrDefault(key, key.equals(HOSTNAME_KEY) ? node : "");
    }

    private static OptionalInt optional(@Nullable Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }
}
