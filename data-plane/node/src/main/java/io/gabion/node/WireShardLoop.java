package io.gabion.node;

import io.gabion.wire.WireLoop;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An event loop of the wire as the shards see it. */
record WireShardLoop(WireLoop loop) implements Loop {
    private static final Logger LOG = LoggerFactory.getLogger(WireShardLoop.class);

    @Override
    public boolean inLoop() {
        return loop.inLoop();
    }

    /** Answers that come after the loop has ended, when the process stops, have nobody to go to. */
    @Override
    public void execute(Runnable task) {
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("{} has ended", loop);
        }
    }

    @Override
    public Cancellation schedule(Runnable task, long delayNanos) {
        try {
            var scheduled = loop.schedule(task, delayNanos);
            return () -> scheduled.cancel(false);
        } catch (RejectedExecutionException e) {
            LOG.debug("{} has ended", loop);
            return () -> {};
        }
    }
}
