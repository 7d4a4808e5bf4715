package io.gabion.node.configstore;

import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlCodec;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.v1.VolumeChange;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one watch on the records of this node's volumes open, for ever. What it tells was true at some time. A record that
 * vanished is not passed on: it never deletes anything.
 */
final class RecordWatch {
    private static final Logger LOG = LoggerFactory.getLogger(RecordWatch.class);
    static final long FIRST_PAUSE_MILLIS = 100;
    /** A store that is back is noticed within this time. */
    static final long LONGEST_PAUSE_MILLIS = 2_000;

    private final ConfigurationStoreClient client;
    private final NodeName self;
    private final ScheduledExecutorService timer;
    private final Consumer<VolumeRecord> listener;
    private volatile long pauseMillis = FIRST_PAUSE_MILLIS;
    private volatile boolean outageLogged;

    /** {@code listener} is called on threads of the channel, one record at a time per watch. */
    RecordWatch(
            ConfigurationStoreClient client,
            NodeName self,
            ScheduledExecutorService timer,
            Consumer<VolumeRecord> listener) {
        this.client = client;
        this.self = self;
        this.timer = timer;
        this.listener = listener;
    }

    /** Opens the first watch; every later one follows by itself until the timer is shut down. */
    void start() {
        client.watch(self, new Changes());
    }

    private void again() {
        long pause = pauseMillis;
        pauseMillis = Math.min(LONGEST_PAUSE_MILLIS, pause * 2);
        long jitter = ThreadLocalRandom.current().nextLong(pause / 2 + 1);
        client.reconnect();
        try {
            var unused = timer.schedule(this::start, pause / 2 + jitter, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the watch ends with the process");
        }
    }

    private final class Changes implements StreamObserver<VolumeChange> {
        @Override
        public void onNext(VolumeChange change) {
            pauseMillis = FIRST_PAUSE_MILLIS;
            if (outageLogged) {
                outageLogged = false;
                LOG.info("watch of the configuration store is open again");
            }
            if (change.getRemoved() || !change.hasRecord()) {
                return;
            }
            VolumeRecord record;
            try {
                record = ControlCodec.fromProto(change.getRecord());
            } catch (IllegalArgumentException e) {
                LOG.error(
                        "record of volume {} is malformed: {}",
                        change.getRecord().getId(),
                        e.getMessage());
                return;
            }
            listener.accept(record);
        }

        @Override
        public void onError(Throwable failure) {
            if (!outageLogged && !timer.isShutdown()) {
                outageLogged = true;
                LOG.warn("watch lost: {}", ControlErrors.describe("configuration store", failure));
            }
            again();
        }

        @Override
        public void onCompleted() {
            again();
        }
    }
}
