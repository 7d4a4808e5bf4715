package io.gabion.operator;

import io.gabion.operator.cluster.ClusterStarter;
import io.gabion.operator.node.NodeControlPlane;
import io.gabion.operator.view.ClusterView;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks the storage nodes again and again while this process leads, and sees to it that there is a StorageCluster. */
final class Survey implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Survey.class);
    private static final Duration PERIOD = Duration.ofSeconds(3);

    private final NodeControlPlane plane;
    private final ClusterStarter starter;
    private final ClusterView view;
    private final Wakening wakening;
    private final BooleanSupplier leading;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("survey").daemon().factory());

    Survey(
            NodeControlPlane plane,
            ClusterStarter starter,
            ClusterView view,
            Wakening wakening,
            BooleanSupplier leading) {
        this.plane = plane;
        this.starter = starter;
        this.view = view;
        this.wakening = wakening;
        this.leading = leading;
        var unused =
                timer.scheduleWithFixedDelay(this::look, PERIOD.toMillis(), PERIOD.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void look() {
        if (!leading.getAsBoolean()) {
            return;
        }
        try {
            starter.look();
            plane.ask(view.storageNodes(), wakening::copiesChanged, node -> wakening.nodeAnswers(node.value()));
        } catch (RuntimeException e) {
            LOG.error("looking after the storage nodes failed", e);
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
