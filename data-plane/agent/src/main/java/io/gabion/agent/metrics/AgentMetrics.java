package io.gabion.agent.metrics;

import io.gabion.agent.fuse.VolumeDevices;
import io.gabion.agent.session.Attachments;
import io.gabion.agent.session.SessionObserver;
import io.gabion.core.message.ClientMessage.PhaseTimes;
import io.gabion.core.session.BlockRequest;
import io.gabion.core.session.SessionView;
import io.gabion.process.ProcessMetrics;
import io.gabion.wire.WireCounters;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * The meters of one agent, in a registry of its own. Volumes are told apart by their export name. Thread-safe.
 *
 * <p>Phases of a request: {@code queue} waiting at the primary, {@code local} the primary's own store, {@code replica} the
 * slowest other replica, {@code network} all the rest: the way there and back, and the waits of failovers.
 */
public final class AgentMetrics {
    /** 25 microseconds (memory over a local socket) to 10 seconds (a failover gone wrong), three steps a decade. */
    private static final double[] IO_SECONDS = {
        0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
        10
    };

    private static final double[] PAUSE_SECONDS = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 6, 10, 30, 60, 300};
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double MICROS_PER_SECOND = 1e6;
    private static final int NANOS_PER_MICRO = 1000;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Histogram io;
    private final Histogram phases;
    private final Counter ios;
    private final Counter bytes;
    private final Counter errors;
    private final Counter failovers;
    private final Counter fences;
    private final Histogram pauses;

    public AgentMetrics(String name) {
        io = histogram("gabion_volume_io_seconds", "Time from request to reply.", IO_SECONDS, "volume", "op");
        phases = histogram(
                "gabion_volume_io_phase_seconds", "Where requests spent their time.", IO_SECONDS, "volume", "phase");
        ios = counter("gabion_volume_ios", "Requests that ended.", "volume", "op");
        bytes = counter("gabion_volume_io_bytes", "Length of the requests that ended.", "volume", "op");
        errors = counter("gabion_volume_io_errors", "Requests that failed.", "volume", "op", "reason");
        failovers = counter("gabion_volume_failovers", "Sessions that found a new primary.", "volume");
        fences = counter("gabion_volume_fences", "Sessions that another agent took over.", "volume");
        pauses = histogram(
                "gabion_volume_failover_pause_seconds",
                "How long a failover made requests wait.",
                PAUSE_SECONDS,
                "volume");
        ProcessMetrics.register(registry, "agent", name);
    }

    private Histogram histogram(String name, String help, double[] bounds, String... labels) {
        return Histogram.builder()
                .name(name)
                .help(help)
                .classicOnly()
                .classicUpperBounds(bounds)
                .labelNames(labels)
                .register(registry);
    }

    private Counter counter(String name, String help, String... labels) {
        return Counter.builder().name(name).help(help).labelNames(labels).register(registry);
    }

    /** Registers what is looked up at a scrape. */
    public void sample(
            Attachments attachments,
            VolumeDevices devices,
            IntSupplier nbdConnections,
            WireCounters wire,
            String networkBackend) {
        GaugeWithCallback.builder()
                .name("gabion_network_backend")
                .help("How sockets are served; always 1.")
                .labelNames("backend")
                .callback(sink -> sink.call(1, networkBackend))
                .register(registry);
        perVolume(
                "gabion_volume_requests_outstanding",
                "Requests under way.",
                attachments,
                view -> (double) view.outstanding() + view.queued());
        perVolume(
                "gabion_volume_session_open",
                "1 while a primary serves the volume.",
                attachments,
                view -> view.state().equals("open") ? 1 : 0);
        perVolume("gabion_volume_epoch", "Epoch of the session.", attachments, SessionView::epoch);
        perVolume(
                "gabion_volume_longest_wait_seconds",
                "Age of the oldest request under way.",
                attachments,
                view -> view.oldestSinceNanos() == Long.MAX_VALUE
                        ? 0
                        : (System.nanoTime() - view.oldestSinceNanos()) / NANOS_PER_SECOND);
        gauge("gabion_agent_devices", "Volumes that are block devices here.", () -> (double) devices.count());
        total(
                "gabion_agent_resent_requests",
                "Requests that the kernel sent again because a process before this one had read them.",
                () -> (double) devices.resentRequests());
        gauge("gabion_nbd_connections", "Open NBD connections.", () -> (double) nbdConnections.getAsInt());
        gauge("gabion_wire_connections", "Connections to storage nodes.", () -> (double) wire.connectionsOpen());
        total("gabion_wire_sent_bytes", "Sent to storage nodes, before encryption.", () -> (double) wire.bytesSent());
        total("gabion_wire_received_bytes", "Received from storage nodes.", () -> (double) wire.bytesReceived());
        total("gabion_wire_flushes", "Write batches handed to the kernel.", () -> (double) wire.flushes());
        CounterWithCallback.builder()
                .name("gabion_wire_connections_ended")
                .help("Connections and attempts that ended.")
                .labelNames("reason")
                .callback(sink -> wire.endedByReason().forEach((reason, count) -> sink.call(count, reason)))
                .register(registry);
    }

    /** One value of a session. */
    @FunctionalInterface
    private interface ViewValue {
        double of(SessionView view);
    }

    private void perVolume(String name, String help, Attachments attachments, ViewValue value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames("volume")
                .callback(sink -> attachments
                        .list()
                        .forEach(each -> sink.call(
                                value.of(each.view()), each.attachment().exportName())))
                .register(registry);
    }

    private void gauge(String name, String help, Supplier<Double> value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(sink -> sink.call(value.get()))
                .register(registry);
    }

    private void total(String name, String help, Supplier<Double> value) {
        CounterWithCallback.builder()
                .name(name)
                .help(help)
                .callback(sink -> sink.call(value.get()))
                .register(registry);
    }

    /** Of all of them. */
    public PrometheusRegistry registry() {
        return registry;
    }

    /** The meters of one volume. */
    public SessionObserver observer(String volume) {
        return new VolumeMeters(volume);
    }

    private record OperationMeters(DistributionDataPoint seconds, CounterDataPoint count, CounterDataPoint bytes) {}

    private final class VolumeMeters implements SessionObserver {
        private final String volume;
        private final Map<BlockRequest.Kind, OperationMeters> byKind = new EnumMap<>(BlockRequest.Kind.class);
        private final DistributionDataPoint queue;
        private final DistributionDataPoint local;
        private final DistributionDataPoint replica;
        private final DistributionDataPoint network;
        private final CounterDataPoint failoverCount;
        private final CounterDataPoint fenceCount;
        private final DistributionDataPoint pause;

        VolumeMeters(String volume) {
            this.volume = volume;
            for (BlockRequest.Kind kind : BlockRequest.Kind.values()) {
                String op = label(kind);
                byKind.put(
                        kind,
                        new OperationMeters(
                                io.labelValues(volume, op),
                                ios.labelValues(volume, op),
                                bytes.labelValues(volume, op)));
            }
            queue = phases.labelValues(volume, "queue");
            local = phases.labelValues(volume, "local");
            replica = phases.labelValues(volume, "replica");
            network = phases.labelValues(volume, "network");
            failoverCount = failovers.labelValues(volume);
            fenceCount = fences.labelValues(volume);
            pause = pauses.labelValues(volume);
        }

        private static String label(BlockRequest.Kind kind) {
            return kind.name().toLowerCase(Locale.ROOT);
        }

        @Override
        public void finished(BlockRequest.Kind kind, long length, long totalNanos, PhaseTimes server) {
            OperationMeters meters = byKind.get(kind);
            if (meters == null) {
                throw new IllegalStateException("no meters of " + kind);
            }
            meters.seconds().observe(totalNanos / NANOS_PER_SECOND);
            meters.count().inc();
            meters.bytes().inc(length);
            queue.observe(server.queueMicros() / MICROS_PER_SECOND);
            local.observe(server.localMicros() / MICROS_PER_SECOND);
            if (server.replicaMicros() > 0) {
                replica.observe(server.replicaMicros() / MICROS_PER_SECOND);
            }
            long atServer = server.queueMicros() + Math.max(server.localMicros(), server.replicaMicros());
            network.observe(Math.max(0, totalNanos - atServer * NANOS_PER_MICRO) / NANOS_PER_SECOND);
        }

        @Override
        public void failed(BlockRequest.Kind kind, String reason) {
            errors.labelValues(volume, label(kind), reason.toLowerCase(Locale.ROOT))
                    .inc();
        }

        @Override
        public void failedOver(long pauseNanos) {
            failoverCount.inc();
            pause.observe(pauseNanos / NANOS_PER_SECOND);
        }

        @Override
        public void fenced() {
            fenceCount.inc();
        }
    }
}
