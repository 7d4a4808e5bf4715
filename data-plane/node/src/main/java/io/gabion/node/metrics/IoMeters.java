package io.gabion.node.metrics;

import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/** Latency histograms of the data path. Thread-safe. */
public final class IoMeters {
    /** From a cached read to a volume that waits for a failover, in seconds. */
    private static final double[] BOUNDS = {
        0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10
    };

    public enum IoKind {
        READ,
        WRITE,
        TRIM,
        FLUSH,
        BLOCK_STATUS
    }

    /** Where the time went. */
    public enum Phase {
        /** From arrival to submission. */
        QUEUE,
        /** From submission until the own store was done. */
        LOCAL,
        /** From submission until the slowest other in-sync replica was done. */
        REPLICA,
        /** From arrival to the answer. */
        TOTAL
    }

    private final Map<IoKind, Map<Phase, DistributionDataPoint>> points = new EnumMap<>(IoKind.class);
    private final Histogram acknowledgements;
    private final Histogram diskBatches;
    private final Histogram snapshotPauses;

    public IoMeters(PrometheusRegistry registry) {
        Histogram io = histogram(Meter.VOLUME_IO).register(registry);
        for (IoKind kind : IoKind.values()) {
            Map<Phase, DistributionDataPoint> phases = new EnumMap<>(Phase.class);
            for (Phase phase : Phase.values()) {
                phases.put(phase, io.labelValues(lower(kind), lower(phase)));
            }
            points.put(kind, phases);
        }
        acknowledgements = histogram(Meter.REPLICATION_ACK).register(registry);
        diskBatches = histogram(Meter.DISK_BATCH).register(registry);
        snapshotPauses = histogram(Meter.SNAPSHOT_PAUSE).register(registry);
    }

    private static Histogram.Builder histogram(Meter meter) {
        return Histogram.builder()
                .name(meter.metric())
                .help(meter.help())
                .labelNames(meter.labels())
                .classicOnly()
                .classicUpperBounds(BOUNDS);
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    public void io(IoKind kind, Phase phase, double seconds) {
        Map<Phase, DistributionDataPoint> phases = points.get(kind);
        DistributionDataPoint point = phases == null ? null : phases.get(phase);
        if (point != null) {
            point.observe(seconds);
        }
    }

    public void batchDurable(double seconds) {
        diskBatches.observe(seconds);
    }

    void snapshotPaused(double seconds) {
        snapshotPauses.observe(seconds);
    }

    public void acknowledged(String peer, double seconds) {
        acknowledgements.labelValues(peer).observe(seconds);
    }
}
