package io.gabion.node.metrics;

import io.gabion.process.ProcessMetrics;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** The meters of one storage process in a registry of its own. Thread-safe. */
public final class NodeMetrics {
    /** All gauges of one scrape come from one sample; a scrape takes far less than this. */
    private static final long SAMPLE_MAX_AGE_NANOS = 250_000_000;

    private static final double MICROS_PER_SECOND = 1e6;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final IoMeters io = new IoMeters(registry);
    private final Counter failovers = counter(Meter.FAILOVERS);
    private final Counter dropped = counter(Meter.DROPPED);
    private final Counter staleRefusals = counter(Meter.STALE_REFUSALS);
    private final Counter sessionsRefused = counter(Meter.SESSIONS_REFUSED);
    private final Counter unauthorised = counter(Meter.UNAUTHORISED);
    private final Counter invariantViolations = counter(Meter.INVARIANT_VIOLATIONS);
    private final Counter rebuilds = counter(Meter.REBUILDS);
    private final Counter diskErrors = counter(Meter.DISK_ERRORS);
    private final Counter readFailures = counter(Meter.READ_FAILURES);
    private final Counter snapshotsTaken = counter(Meter.SNAPSHOTS_TAKEN);
    private final Counter snapshotsDeleted = counter(Meter.SNAPSHOTS_DELETED);
    private final Counter notices = counter(Meter.NOTICES);

    /** Gives one value with the values of its labels. */
    @FunctionalInterface
    private interface Sink {
        void value(double value, String... labels);
    }

    public PrometheusRegistry registry() {
        return registry;
    }

    public IoMeters io() {
        return io;
    }

    /** Registers what never changes. */
    public void describe(String node, String diskBackend, String networkBackend) {
        ProcessMetrics.register(registry, "data-plane", node);
        gauge(Meter.IO_BACKEND, sink -> sink.value(1, diskBackend));
        gauge(Meter.NETWORK_BACKEND, sink -> sink.value(1, networkBackend));
    }

    /** Registers everything that is looked up at a scrape. {@code source} may block for a moment. */
    public void sample(Supplier<NodeSample> source) {
        Supplier<NodeSample> once = new Remembered(source);
        volumes(Meter.VOLUME_INFO, once, (v, sink) -> sink.value(1, v.volume(), v.name(), v.replica()));
        volumes(Meter.VOLUME_STATE, once, (v, sink) -> sink.value(1, v.volume(), v.role()));
        volume(Meter.VOLUME_STALLED, once, v -> v.isStalled() ? 1 : 0);
        volume(Meter.VOLUME_EPOCH, once, VolumeSample::epoch);
        volume(Meter.VOLUME_IN_SYNC, once, VolumeSample::inSync);
        volume(Meter.VOLUME_DESIRED, once, VolumeSample::desired);
        volume(Meter.VOLUME_CAPACITY, once, VolumeSample::capacityBytes);
        volume(Meter.VOLUME_ALLOCATED, once, VolumeSample::allocatedBytes);
        volume(Meter.VOLUME_SNAPSHOTS, once, VolumeSample::snapshots);
        volume(Meter.VOLUME_SNAPSHOT_BYTES, once, VolumeSample::snapshotBytes);
        volume(Meter.VOLUME_WRITES_IN_FLIGHT, once, VolumeSample::writesInFlight);
        counted(
                Meter.VOLUME_DEGRADED,
                sink -> once.get().volumes().forEach(v -> sink.value(v.degradedSeconds(), v.volume())));
        rebuild(Meter.REBUILD_COMPARED, once, VolumeSample::rebuildComparedBytes);
        rebuild(Meter.REBUILD_COPIED, once, VolumeSample::rebuildCopiedBytes);
        rebuild(Meter.REBUILD_TOTAL, once, VolumeSample::rebuildTotalBytes);
        gauge(
                Meter.REPLICATION_LINK_UP,
                sink -> once.get().peers().forEach((peer, up) -> sink.value(up ? 1 : 0, peer)));
        disk(Meter.DISK_CAPACITY, once, NodeSample.DiskSample::capacityBytes);
        disk(Meter.DISK_USED, once, NodeSample.DiskSample::usedBytes);
        disk(Meter.DISK_RESERVED, once, NodeSample.DiskSample::reservedBytes);
        disk(Meter.DISK_FREE, once, NodeSample.DiskSample::freeBytes);
        gauge(Meter.DISK_PROBE_AGE, sink -> sink.value(once.get().disk().oldestAppendSeconds()));
        counted(
                Meter.CHECKSUM_ERRORS,
                sink -> sink.value((double) once.get().disk().checksumFailures()));
        counted(
                Meter.DISK_BATCHES,
                sink -> sink.value((double) once.get().disk().batches()));
        counted(
                Meter.DISK_RECORDS,
                sink -> sink.value((double) once.get().disk().records()));
        counted(Meter.DISK_DATA, sink -> sink.value((double) once.get().disk().dataBytes()));
        counted(
                Meter.DISK_WRITTEN,
                sink -> sink.value((double) once.get().disk().writtenBytes()));
        health(once);
        scrub(once);
        gauge(Meter.CONFIGURATION_STORE_UP, sink -> sink.value(once.get().configurationStoreUp() ? 1 : 0));
        gauge(Meter.CONFIGURATION_SWAPS_WAITING, sink -> sink.value(once.get().configurationSwapsWaiting()));
        gauge(Meter.CLIENT_CONNECTIONS, sink -> sink.value(once.get().clientConnections()));
        counted(
                Meter.WIRE_BYTES_SENT,
                sink -> sink.value((double) once.get().wire().bytesSent()));
        counted(
                Meter.WIRE_BYTES_RECEIVED,
                sink -> sink.value((double) once.get().wire().bytesReceived()));
        counted(
                Meter.WIRE_FLUSHES,
                sink -> sink.value((double) once.get().wire().flushes()));
        counted(
                Meter.PROTOCOL_ERRORS,
                sink -> once.get().wire().endings().forEach((reason, count) -> sink.value(count, reason)));
    }

    private void health(Supplier<NodeSample> source) {
        gauge(Meter.DISK_STATE, sink -> {
            NodeSample.DiskSample disk = source.get().disk();
            sink.value(1, disk.disk(), disk.state());
        });
        gauge(
                Meter.DISK_BAD_BLOCKS,
                sink -> sink.value((double) source.get().disk().badPlaces()));
        counted(
                Meter.DISK_READ_ERRORS,
                sink -> sink.value((double) source.get().disk().readErrors()));
        counted(
                Meter.DISK_REPAIRED,
                sink -> sink.value((double) source.get().disk().repairedBlocks()));
    }

    private void scrub(Supplier<NodeSample> source) {
        gauge(Meter.SCRUB_RATE, sink -> sink.value((double) source.get().scrub().bytesPerSecond()));
        counted(
                Meter.SCRUB_PASSES,
                sink -> sink.value((double) source.get().scrub().passes()));
        counted(
                Meter.SCRUB_BYTES,
                sink -> sink.value((double) source.get().scrub().checkedBytes()));
        counted(
                Meter.SCRUB_DAMAGED,
                sink -> sink.value((double) source.get().scrub().damagedBlocks()));
    }

    // ---- counters
    public void failover() {
        failovers.inc();
    }

    public void memberDropped() {
        dropped.inc();
    }

    public void staleRefused() {
        staleRefusals.inc();
    }

    public void sessionRefused() {
        sessionsRefused.inc();
    }

    public void unauthorised() {
        unauthorised.inc();
    }

    public void invariantViolated() {
        invariantViolations.inc();
    }

    public void rebuildEnded(String outcome) {
        rebuilds.labelValues(outcome).inc();
    }

    public void snapshotTaken(long pauseMicros) {
        snapshotsTaken.inc();
        io.snapshotPaused(pauseMicros / MICROS_PER_SECOND);
    }

    public void snapshotDeleted() {
        snapshotsDeleted.inc();
    }

    public void diskError() {
        diskErrors.inc();
    }

    public void readFailed() {
        readFailures.inc();
    }

    public void noticed(String kind) {
        notices.labelValues(kind).inc();
    }

    // ---- registration
    private Counter counter(Meter meter) {
        Counter registered = Counter.builder()
                .name(meter.metric())
                .help(meter.help())
                .labelNames(meter.labels())
                .register(registry);
        if (meter.labels().length == 0) {
            registered.inc(0);
        }
        return registered;
    }

    private void gauge(Meter meter, Consumer<Sink> values) {
        GaugeWithCallback.builder()
                .name(meter.metric())
                .help(meter.help())
                .labelNames(meter.labels())
                .callback(callback -> values.accept(callback::call))
                .register(registry);
    }

    private void counted(Meter meter, Consumer<Sink> values) {
        CounterWithCallback.builder()
                .name(meter.metric())
                .help(meter.help())
                .labelNames(meter.labels())
                .callback(callback -> values.accept(callback::call))
                .register(registry);
    }

    private void volumes(Meter meter, Supplier<NodeSample> source, BiConsumer<VolumeSample, Sink> each) {
        gauge(meter, sink -> source.get().volumes().forEach(v -> each.accept(v, sink)));
    }

    private void volume(Meter meter, Supplier<NodeSample> source, ToDoubleFunction<VolumeSample> value) {
        volumes(meter, source, (v, sink) -> sink.value(value.applyAsDouble(v), v.volume()));
    }

    private void rebuild(Meter meter, Supplier<NodeSample> source, ToDoubleFunction<VolumeSample> value) {
        volumes(meter, source, (v, sink) -> {
            if (v.isRebuilding()) {
                sink.value(value.applyAsDouble(v), v.volume());
            }
        });
    }

    private void disk(Meter meter, Supplier<NodeSample> source, ToDoubleFunction<NodeSample.DiskSample> value) {
        gauge(
                meter,
                sink -> sink.value(
                        value.applyAsDouble(source.get().disk()),
                        source.get().disk().disk()));
    }

    /** One sample for the many callbacks of one scrape. */
    private static final class Remembered implements Supplier<NodeSample> {
        private final Supplier<NodeSample> source;
        private @Nullable NodeSample last;
        private long takenNanos;

        Remembered(Supplier<NodeSample> source) {
            this.source = source;
        }

        @Override
        public synchronized NodeSample get() {
            NodeSample sample = last;
            if (sample == null || System.nanoTime() - takenNanos > SAMPLE_MAX_AGE_NANOS) {
                sample = source.get();
                last = sample;
                takenNanos = System.nanoTime();
            }
            return sample;
        }
    }
}
