package io.gabion.operator.pool;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.record.ByteText;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StorageNodeSpec;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.operator.event.EventSink;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.failpoint.Step;
import io.gabion.operator.record.StatusPatch;
import io.gabion.operator.view.ClusterView;
import io.gabion.operator.view.Finding;
import java.net.HttpURLConnection;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/** Makes StorageNodes of the machines that a pool selects, and says how the pool is. Safe for any thread. */
public final class StoragePoolControl {
    /** Conditions and Events stay readable. */
    private static final int MAX_VOLUMES_SHOWN = 20;

    private final KubernetesClient client;
    private final ClusterView view;
    private final EventSink events;
    private final FailPoint failPoint;
    private final InstantSource clock;

    public StoragePoolControl(
            KubernetesClient client, ClusterView view, EventSink events, FailPoint failPoint, InstantSource clock) {
        this.client = client;
        this.view = view;
        this.events = events;
        this.failPoint = failPoint;
        this.clock = clock;
    }

    public void reconcile(StoragePool pool) {
        for (Node machine : view.machines()) {
            String name = machine.getMetadata().getName();
            if (DiskResolution.selects(pool, machine) && view.storageNode(name).isEmpty()) {
                create(name);
            }
        }
        report(pool, Optional.empty());
    }

    private void create(String name) {
        StorageNode node = new StorageNode();
        node.setMetadata(new ObjectMetaBuilder()
                .withName(name)
                .addToLabels("app.kubernetes.io/name", "gabion")
                .build());
        node.setSpec(new StorageNodeSpec());
        try {
            failPoint.around(
                    Step.CREATE_STORAGE_NODE, () -> client.resource(node).create());
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw e;
            }
        }
    }

    /** Whether the pool may go. While volumes use it, it says so in its condition and as an Event. */
    public boolean mayGo(StoragePool pool) {
        String name = pool.getMetadata().getName();
        List<String> volumes = view.volumes().stream()
                .filter(v -> v.getSpec().getPool().equals(name))
                .map(v -> v.getMetadata().getName())
                .sorted()
                .toList();
        if (volumes.isEmpty()) {
            return true;
        }
        int more = volumes.size() - MAX_VOLUMES_SHOWN;
        String message = "the pool is not deleted while volumes use it: "
                + String.join(", ", volumes.subList(0, Math.min(volumes.size(), MAX_VOLUMES_SHOWN)))
                + (more > 0 ? " and " + more + " more" : "") + "; delete them first";
        if (report(pool, Optional.of(message))) {
            ObjectReference reference = new ObjectReferenceBuilder()
                    .withApiVersion(pool.getApiVersion())
                    .withKind(pool.getKind())
                    .withName(name)
                    .withUid(pool.getMetadata().getUid())
                    .build();
            events.tell(reference, EventSink.Kind.WARNING, HealthCode.PoolInUse.name(), message);
        }
        return false;
    }

    /** Returns whether anything was new. */
    private boolean report(StoragePool pool, Optional<String> inUse) {
        PoolSum sum = PoolSum.of(pool, view);
        List<Finding> findings = PoolConditions.of(pool, sum, inUse);
        StatusPatch patch = new StatusPatch()
                .set("observedGeneration", pool.getMetadata().getGeneration())
                .set("nodes", sum.nodesReady() + "/" + sum.nodes())
                .set("disks", sum.disksOnline() + "/" + sum.disks())
                .set("capacityBytes", sum.capacityBytes())
                .set("usedBytes", sum.usedBytes())
                .set("freeBytes", sum.freeBytes())
                .set("provisionedBytes", sum.provisionedBytes())
                .set("capacity", ByteText.of(sum.capacityBytes()))
                .set("free", ByteText.of(sum.freeBytes()))
                .set("provisioned", ByteText.of(sum.provisionedBytes()))
                .set(
                        "conditions",
                        Finding.apply(
                                ConditionType.POOL,
                                pool.getStatus().getConditions(),
                                findings,
                                pool.getMetadata().getGeneration(),
                                clock.instant()));
        if (patch.isMetBy(pool.getStatus())) {
            return false;
        }
        failPoint.around(Step.REPORT_POOL, () -> patch.send(client, pool));
        return true;
    }
}
