package io.gabion.operator;

import io.gabion.operator.node.NodeControlPlane;
import io.gabion.operator.view.ClusterView;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks the storage nodes again and again while this process leads. */
final class Survey implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Survey.class);
    private static final Duration PERIOD = Duration.ofSeconds(3);

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("survey").daemon().factory());

    Survey(NodeControlPlane plane, ClusterView view, Wakening wakening, BooleanSupplier leading) {
        var unused = timer.scheduleWithFixedDelay(
                () -> {
                    if (!leading.getAsBoolean()) {
                        return;
                    }
                    try {
                        plane.ask(
                                view.storageNodes(),
                                wakening::copiesChanged,
                                node -> wakening.nodeAnswers(node.value()));
                    } catch (RuntimeException e) {
                        LOG.error("asking the storage nodes failed", e);
                    }
                },
                PERIOD.toMillis(),
                PERIOD.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
