package io.gabion.csi.rpc;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts, times and bounds calls, and logs those that failed: method and reason only, for requests may hold secrets. Retries of
 * sidecars are numerous and cheap to refuse; threads and stuck host commands are not, so that more than
 * {@link #MAX_CALLS_UNDER_WAY} calls at once are turned away.
 */
public final class CallMeters implements ServerInterceptor {
    static final int MAX_CALLS_UNDER_WAY = 256;

    private static final Logger LOG = LoggerFactory.getLogger(CallMeters.class);
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double[] SECONDS = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120};
    /** Answers that belong to normal operation: not worth a warning. */
    private static final Set<Status.Code> ORDINARY = Set.of(Status.Code.OK, Status.Code.ABORTED, Status.Code.CANCELLED);

    private final Counter calls;
    private final Histogram seconds;
    private final Gauge underWay;
    private final AtomicInteger running = new AtomicInteger();

    public CallMeters(PrometheusRegistry registry) {
        calls = Counter.builder()
                .name("gabion_csi_calls")
                .help("CSI calls that ended.")
                .labelNames("method", "code")
                .register(registry);
        seconds = Histogram.builder()
                .name("gabion_csi_call_seconds")
                .help("Time of CSI calls.")
                .classicOnly()
                .classicUpperBounds(SECONDS)
                .labelNames("method")
                .register(registry);
        underWay = Gauge.builder()
                .name("gabion_csi_calls_under_way")
                .help("CSI calls being answered.")
                .register(registry);
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        String method = String.valueOf(call.getMethodDescriptor().getBareMethodName());
        long started = System.nanoTime();
        underWay.set(running.incrementAndGet());
        ServerCall<Q, R> measured = new SimpleForwardingServerCall<>(call) {
            @Override
            public void close(Status status, Metadata trailers) {
                underWay.set(running.decrementAndGet());
                calls.labelValues(method, status.getCode().name()).inc();
                seconds.labelValues(method).observe((System.nanoTime() - started) / NANOS_PER_SECOND);
                if (!ORDINARY.contains(status.getCode())) {
                    LOG.warn("{}: {}: {}", method, status.getCode(), status.getDescription());
                }
                super.close(status, trailers);
            }
        };
        if (running.get() > MAX_CALLS_UNDER_WAY) {
            measured.close(
                    Status.UNAVAILABLE.withDescription(
                            "the driver answers " + MAX_CALLS_UNDER_WAY + " calls already; try again"),
                    new Metadata());
            return new ServerCall.Listener<>() {};
        }
        return next.startCall(measured, headers);
    }
}
