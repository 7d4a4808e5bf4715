package io.gabion.operator.metrics;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.v1alpha1.ClaimReference;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.operator.view.ClusterView;
import io.gabion.operator.view.Finding;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.api.reconciler.RetryInfo;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the operator counts, and the facts of the cluster. Facts come from the leader only, so that each is there once, and never
 * from the node they speak of: a dead node cannot hide its own failure.
 */
public final class OperatorMetrics implements Metrics {
    private static final double NANOS_PER_SECOND = 1e9;

    private final Counter failures;
    private final Counter retries;
    private final Histogram seconds;
    private final Map<HealthCode, Integer> health = new ConcurrentHashMap<>();
    private final BooleanSupplier leading;

    public OperatorMetrics(PrometheusRegistry registry, BooleanSupplier leading) {
        this.leading = leading;
        failures = Counter.builder()
                .name("gabion_reconcile_errors_total")
                .help("Reconciliations that ended with an error.")
                .labelNames("kind")
                .register(registry);
        retries = Counter.builder()
                .name("gabion_reconcile_retries_total")
                .help("Reconciliations tried again after an error.")
                .labelNames("kind")
                .register(registry);
        seconds = Histogram.builder()
                .name("gabion_reconcile_seconds")
                .help("Duration of reconciliations.")
                .labelNames("kind")
                .classicUpperBounds(0.005, 0.02, 0.1, 0.5, 2, 10)
                .register(registry);
        GaugeWithCallback.builder()
                .name("gabion_operator_leading")
                .help("1 while this process is the leader.")
                .callback(c -> c.call(leading.getAsBoolean() ? 1 : 0))
                .register(registry);
        GaugeWithCallback.builder()
                .name("gabion_health_detail")
                .help("Objects that a health code concerns.")
                .labelNames("code", "severity")
                .callback(c -> ifLeading(() -> health.forEach((code, count) ->
                        c.call(count, code.name(), code.severity().text()))))
                .register(registry);
    }

    private void ifLeading(Runnable facts) {
        if (leading.getAsBoolean()) {
            facts.run();
        }
    }

    /** What {@code gabion_health_detail} says from now on. */
    public void health(Map<HealthCode, Integer> counts) {
        health.keySet().retainAll(counts.keySet());
        health.putAll(counts);
    }

    /** Adds the facts of the cluster. */
    public void observe(ClusterView view, PrometheusRegistry registry) {
        volumes(view, registry);
        gauge(registry, "gabion_node_ready", "1 while the storage node serves.", "node", c -> view.storageNodes()
                .forEach(n -> c.call(isReady(n) ? 1 : 0, n.getMetadata().getName())));
        gauge(
                registry,
                "gabion_nodes_desired",
                "Storage nodes that should serve.",
                c -> c.call(view.storageNodes().size()));
        pool(view, registry, "gabion_pool_capacity_bytes", "Bytes of all disks.", p -> p.getStatus()
                .getCapacityBytes());
        pool(view, registry, "gabion_pool_allocated_bytes", "Bytes used.", p -> p.getStatus()
                .getUsedBytes());
        pool(view, registry, "gabion_pool_provisioned_bytes", "Bytes promised, all copies counted.", p -> p.getStatus()
                .getProvisionedBytes());
        pool(view, registry, "gabion_pool_rebuild_reserve_bytes", "Bytes that only rebuilds may use.", p -> {
            Long capacity = p.getStatus().getCapacityBytes();
            return capacity == null ? null : capacity / 100 * p.getSpec().getRebuildReservePercent();
        });
    }

    private void volumes(ClusterView view, PrometheusRegistry registry) {
        GaugeWithCallback.builder()
                .name("gabion_volume_replicas_desired")
                .help("Copies wanted.")
                .labelNames("volume", "pvc_namespace", "pvc", "pool")
                .callback(c -> ifLeading(
                        () -> view.volumes().forEach(v -> c.call(v.getSpec().getReplicas(), labels(v)))))
                .register(registry);
        GaugeWithCallback.builder()
                .name("gabion_volume_replicas_in_sync")
                .help("Copies in sync.")
                .labelNames("volume", "pvc_namespace", "pvc", "pool")
                .callback(c -> ifLeading(
                        () -> view.volumes().forEach(v -> c.call(v.getStatus().getReplicaCount(), labels(v)))))
                .register(registry);
        GaugeWithCallback.builder()
                .name("gabion_volume_capacity_bytes")
                .help("Size of the block device.")
                .labelNames("volume", "pvc_namespace", "pvc", "pool")
                .callback(c -> ifLeading(() -> view.volumes()
                        .forEach(v -> c.call(
                                v.getSpec().getSize().getNumericalAmount().doubleValue(), labels(v)))))
                .register(registry);
        GaugeWithCallback.builder()
                .name("gabion_volume_state")
                .help("1 for the state that the volume is in.")
                .labelNames("volume", "state")
                .callback(c -> ifLeading(() -> view.volumes().forEach(v -> {
                    for (String state : VolumeStates.ALL) {
                        c.call(
                                VolumeStates.of(v).equals(state) ? 1 : 0,
                                v.getMetadata().getName(),
                                state);
                    }
                })))
                .register(registry);
    }

    private static String[] labels(Volume volume) {
        ClaimReference claim = volume.getSpec().getClaimRef();
        return new String[] {
            volume.getMetadata().getName(),
            claim == null ? "" : claim.getNamespace(),
            claim == null ? "" : claim.getName(),
            volume.getSpec().getPool()
        };
    }

    private static boolean isReady(StorageNode node) {
        return Finding.isTrue(node.getStatus().getConditions(), ConditionType.READY);
    }

    private void gauge(
            PrometheusRegistry registry, String name, String help, Consumer<GaugeWithCallback.Callback> facts) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(c -> ifLeading(() -> facts.accept(c)))
                .register(registry);
    }

    private void gauge(
            PrometheusRegistry registry,
            String name,
            String help,
            String label,
            Consumer<GaugeWithCallback.Callback> facts) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames(label)
                .callback(c -> ifLeading(() -> facts.accept(c)))
                .register(registry);
    }

    private interface PoolFact {
        @Nullable
        Long of(StoragePool pool);
    }

    private void pool(ClusterView view, PrometheusRegistry registry, String name, String help, PoolFact fact) {
        gauge(registry, name, help, "pool", c -> view.pools().forEach(p -> {
            Long bytes = fact.of(p);
            if (bytes != null) {
                c.call(bytes, p.getMetadata().getName());
            }
        }));
    }

    // ---- what the framework tells
    @Override
    public void reconcileCustomResource(
            HasMetadata resource, @Nullable RetryInfo retryInfo, Map<String, Object> metadata) {
        if (retryInfo != null && retryInfo.getAttemptCount() > 0) {
            retries.labelValues(resource.getKind()).inc();
        }
    }

    @Override
    public void failedReconciliation(HasMetadata resource, Exception exception, Map<String, Object> metadata) {
        failures.labelValues(resource.getKind()).inc();
    }

    @Override
    public <T> T timeControllerExecution(ControllerExecution<T> execution) throws Exception {
        long start = System.nanoTime();
        try {
            return execution.execute();
        } finally {
            seconds.labelValues(execution.controllerName()).observe((System.nanoTime() - start) / NANOS_PER_SECOND);
        }
    }
}
