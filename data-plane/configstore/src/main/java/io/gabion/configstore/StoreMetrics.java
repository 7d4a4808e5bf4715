package io.gabion.configstore;

import io.gabion.process.ProcessMetrics;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.List;

/** Meters of the configuration store. */
final class StoreMetrics {
    private static final double NANOS_PER_SECOND = 1e9;
    /** From a fast NVMe's sync to the seconds of a disk in trouble. */
    private static final double[] SYNC_SECONDS = {
        0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5
    };

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Counter swaps = Counter.builder()
            .name("gabion_configuration_store_swaps_total")
            .help("Requests to change a record, by what became of them.")
            .labelNames("result")
            .register(registry);
    private final Histogram syncs = Histogram.builder()
            .name("gabion_configuration_store_sync_seconds")
            .help("Time to write and sync one batch of accepted changes.")
            .classicOnly()
            .classicUpperBounds(SYNC_SECONDS)
            .register(registry);
    private final Gauge records = Gauge.builder()
            .name("gabion_configuration_store_records")
            .help("Records that stand, by kind.")
            .labelNames("kind")
            .register(registry);
    private final Gauge logBytes = Gauge.builder()
            .name("gabion_configuration_store_log_bytes")
            .help("Size of the log file.")
            .register(registry);
    private final Gauge watchers = Gauge.builder()
            .name("gabion_configuration_store_watchers")
            .help("Open watches.")
            .register(registry);

    StoreMetrics() {
        ProcessMetrics.register(registry, "configuration-store", "");
        for (String result : List.of("won", "lost", "refused", "denied")) {
            swaps.initLabelValues(result);
        }
        watchers.set(0);
    }

    PrometheusRegistry registry() {
        return registry;
    }

    void answered(Decision decision) {
        String result =
                switch (decision) {
                    case Decision.Won _, Decision.AlreadyDone _ -> "won";
                    case Decision.Lost _ -> "lost";
                    case Decision.Refused _ -> "refused";
                    case Decision.Denied _ -> "denied";
                };
        swaps.labelValues(result).inc();
    }

    void synced(long nanos) {
        syncs.observe(nanos / NANOS_PER_SECOND);
    }

    void published(Records now, long fileBytes) {
        records.labelValues("volume").set(now.volumes().size());
        records.labelValues("disk").set(now.disks().size());
        records.labelValues("node").set(now.nodes().size());
        records.labelValues("pool").set(now.pools().size());
        records.labelValues("snapshot").set(now.snapshots().size());
        logBytes.set((double) fileBytes);
    }

    void watchers(int open) {
        watchers.set(open);
    }
}
