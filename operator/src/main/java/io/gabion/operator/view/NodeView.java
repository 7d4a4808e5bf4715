package io.gabion.operator.view;

import io.fabric8.kubernetes.api.model.Node;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.v1alpha1.DiskReport;
import io.gabion.api.v1alpha1.DiskState;
import io.gabion.api.v1alpha1.MediaClass;
import io.gabion.api.v1alpha1.ReplicaOnNode;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StorageNodeStatus;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.StoragePoolSpec;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.model.NodeName;
import io.gabion.operator.placement.DiskOffer;
import io.gabion.operator.placement.NodeFacts;
import io.gabion.operator.placement.NodeLoad;
import io.gabion.operator.placement.NodeOffer;
import io.gabion.operator.placement.PoolFacts;
import io.gabion.operator.placement.PoolRules;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a volume of one pool needs to know of the cluster, gathered from the objects. */
public final class NodeView {
    /** Annotation of a StorageNode whose copies are to leave it; the value is {@code true}. */
    public static final String DRAIN_ANNOTATION = "gabion.io/drain";

    private static final String HOSTNAME_KEY = "kubernetes.io/hostname";

    private NodeView() {}

    public static PoolFacts pool(StoragePool pool) {
        StoragePoolSpec spec = pool.getSpec();
        return new PoolFacts(
                new PoolRules(
                        pool.getMetadata().getName(),
                        word(spec.getMediaClass()),
                        spec.getOvercommitPercent(),
                        spec.getRebuildReservePercent(),
                        false),
                Durations.parse("spec.replicaReplacementDelay", spec.getReplicaReplacementDelay()));
    }

    /** Every storage node as a volume of {@code pool} sees it; with an unknown pool no domains are known. */
    public static Map<NodeName, NodeFacts> nodes(ClusterView view, Optional<StoragePool> pool) {
        Map<String, Node> machines = new HashMap<>();
        view.machines().forEach(m -> machines.put(m.getMetadata().getName(), m));
        Map<String, NodeLoad> loads = loads(view.volumes(), pool);
        Map<NodeName, NodeFacts> nodes = new HashMap<>();
        for (StorageNode node : view.storageNodes()) {
            String name = node.getMetadata().getName();
            nodes.put(
                    new NodeName(name), facts(node, machines.get(name), pool, loads.getOrDefault(name, NodeLoad.NONE)));
        }
        return nodes;
    }

    private static NodeFacts facts(
            StorageNode node, @Nullable Node machine, Optional<StoragePool> pool, NodeLoad load) {
        StorageNodeStatus status = node.getStatus();
        String poolName = pool.map(p -> p.getMetadata().getName()).orElse("");
        boolean ready = Finding.isTrue(status.getConditions(), ConditionType.READY);
        boolean cordoned = machine != null
                && machine.getSpec() != null
                && Boolean.TRUE.equals(machine.getSpec().getUnschedulable());
        List<DiskOffer> disks = status.getDisks().stream().map(NodeView::disk).toList();
        NodeOffer offer = new NodeOffer(
                new NodeName(node.getMetadata().getName()),
                pool.map(p -> domain(node, machine, p.getSpec().getFailureDomainKey()))
                        .orElse(""),
                ready,
                !cordoned && !node.getSpec().isUnschedulable(),
                isDraining(node),
                disks,
                load);
        return new NodeFacts(offer, lostSince(node, poolName));
    }

    /** Whether somebody wants the node's copies elsewhere. */
    public static boolean isDraining(StorageNode node) {
        Map<String, String> annotations = node.getMetadata().getAnnotations();
        return annotations != null && "true".equals(annotations.get(DRAIN_ANNOTATION));
    }

    /** The failure domain of a node; empty when it lacks the label. */
    public static String domain(StorageNode node, @Nullable Node machine, String key) {
        String label = machine == null || machine.getMetadata().getLabels() == null
                ? null
                : machine.getMetadata().getLabels().get(key);
        if (label != null) {
            return label;
        }
        return key.equals(HOSTNAME_KEY) ? node.getMetadata().getName() : "";
    }

    private static Optional<Instant> lostSince(StorageNode node, String pool) {
        StorageNodeStatus status = node.getStatus();
        String created = node.getMetadata().getCreationTimestamp();
        Instant born = created == null ? Instant.EPOCH : Instant.parse(created);
        Optional<Instant> notReady = Finding.notTrueSince(status.getConditions(), ConditionType.READY, born);
        boolean diskFailed =
                status.getDisks().stream().anyMatch(d -> d.getPool().equals(pool) && d.getState() == DiskState.FAILED);
        return notReady.isPresent() || !diskFailed
                ? notReady
                : Finding.notTrueSince(status.getConditions(), ConditionType.DISKS_HEALTHY, born);
    }

    private static DiskOffer disk(DiskReport disk) {
        long size = orZero(disk.getSizeBytes());
        String reason = disk.getReason() == null ? "" : disk.getReason();
        String fault =
                switch (disk.getState()) {
                    case ONLINE, FULL -> "";
                    case OFFLINE -> reason.isEmpty() ? "offline" : "offline: " + reason;
                    case FAILED -> reason.isEmpty() ? "failed" : "failed: " + reason;
                };
        return new DiskOffer(
                disk.getPool(),
                size,
                disk.getState() == DiskState.FULL ? 0 : orZero(disk.getFreeBytes()),
                word(disk.getMediaClass()),
                fault);
    }

    private static long orZero(@Nullable Long bytes) {
        return bytes == null ? 0 : bytes;
    }

    private static String word(@Nullable MediaClass media) {
        return media == null
                ? ""
                : switch (media) {
                    case SSD -> "ssd";
                    case HDD -> "hdd";
                };
    }

    private static Map<String, NodeLoad> loads(List<Volume> volumes, Optional<StoragePool> pool) {
        String poolName = pool.map(p -> p.getMetadata().getName()).orElse("");
        Map<String, NodeLoad> loads = new HashMap<>();
        for (Volume volume : volumes) {
            VolumeStatus status = volume.getStatus();
            if (status.getConfig() == null) {
                continue;
            }
            String primary = status.getConfig().getPrimary();
            boolean counts = volume.getSpec().getPool().equals(poolName);
            long bytes =
                    counts ? volume.getSpec().getSize().getNumericalAmount().longValue() : 0;
            for (ReplicaOnNode copy : status.getPlacement()) {
                NodeLoad more = new NodeLoad(1, copy.getReplica().equals(primary) ? 1 : 0, bytes);
                loads.merge(copy.getNode(), more, NodeView::sum);
            }
        }
        return loads;
    }

    private static NodeLoad sum(NodeLoad a, NodeLoad b) {
        return new NodeLoad(
                a.replicas() + b.replicas(),
                a.primaries() + b.primaries(),
                a.provisionedBytes() + b.provisionedBytes());
    }
}
