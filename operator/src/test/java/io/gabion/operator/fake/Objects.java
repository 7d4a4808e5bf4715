package io.gabion.operator.fake;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.v1alpha1.DiskReport;
import io.gabion.api.v1alpha1.DiskState;
import io.gabion.api.v1alpha1.NodeAddress;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageClusterSpec;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StorageNodeSpec;
import io.gabion.api.v1alpha1.StorageNodeStatus;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.StoragePoolSpec;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeSpec;
import io.gabion.operator.view.Finding;
import java.time.Instant;
import java.util.List;

/** Objects as tests need them. */
public final class Objects {
    public static final String POOL = "fast";
    public static final long GIB = 1L << 30;

    private static final KubernetesSerialization SERIALIZATION = new KubernetesSerialization();

    private Objects() {}

    /** As another process would see it. */
    public static <T> T copy(T object) {
        @SuppressWarnings("unchecked")
        Class<T> type = (Class<T>) object.getClass();
        return SERIALIZATION.unmarshal(SERIALIZATION.asJson(object), type);
    }

    public static StoragePool pool() {
        StoragePool pool = new StoragePool();
        pool.setMetadata(
                new ObjectMetaBuilder().withName(POOL).withGeneration(1L).build());
        StoragePoolSpec spec = new StoragePoolSpec();
        spec.setDirectories(List.of("/var/lib/gabion/fast"));
        spec.setCapacity(new Quantity("100Gi"));
        pool.setSpec(spec);
        return pool;
    }

    public static StorageCluster pausedCluster() {
        StorageCluster cluster = new StorageCluster();
        cluster.setMetadata(
                new ObjectMetaBuilder().withName(StorageCluster.NAME).build());
        StorageClusterSpec spec = new StorageClusterSpec();
        spec.setPaused(true);
        cluster.setSpec(spec);
        return cluster;
    }

    public static Volume volume(String name, int replicas) {
        Volume volume = new Volume();
        volume.setMetadata(new ObjectMetaBuilder().withName(name).build());
        VolumeSpec spec = new VolumeSpec();
        spec.setSize(new Quantity("1Gi"));
        spec.setPool(POOL);
        spec.setReplicas(replicas);
        volume.setSpec(spec);
        return volume;
    }

    public static Node machine(String name) {
        return new NodeBuilder()
                .withNewMetadata()
                .withName(name)
                .addToLabels("kubernetes.io/hostname", name)
                .endMetadata()
                .withNewSpec()
                .endSpec()
                .withNewStatus()
                .addNewCondition()
                .withType("Ready")
                .withStatus("True")
                .endCondition()
                .endStatus()
                .build();
    }

    public static StorageNode storageNode(String name, Instant now) {
        StorageNode node = new StorageNode();
        node.setMetadata(new ObjectMetaBuilder()
                .withName(name)
                .withGeneration(1L)
                .withCreationTimestamp(now.toString())
                .build());
        node.setSpec(new StorageNodeSpec());
        node.setStatus(status(now));
        return node;
    }

    /** What a serving node says of itself, and what the operator says of it. */
    public static StorageNodeStatus status(Instant now) {
        StorageNodeStatus status = new StorageNodeStatus();
        NodeAddress address = new NodeAddress();
        address.setHost("127.0.0.1");
        address.setDataPort(7400);
        address.setControlPort(7401);
        address.setMetricsPort(7402);
        status.setAddress(address);
        DiskReport disk = new DiskReport();
        disk.setPool(POOL);
        disk.setDirectory("/var/lib/gabion/fast");
        disk.setSizeBytes(100 * GIB);
        disk.setUsedBytes(0L);
        disk.setFreeBytes(100 * GIB);
        disk.setState(DiskState.ONLINE);
        status.setDisks(List.of(disk));
        setReady(status, true, now);
        return status;
    }

    public static void setReady(StorageNodeStatus status, boolean ready, Instant now) {
        status.setConditions(Finding.apply(
                ConditionType.NODE,
                status.getConditions(),
                List.of(Finding.of(ConditionType.READY, ready, ready ? HealthCode.Ready : HealthCode.NodeLost, "")),
                1,
                now));
    }
}
