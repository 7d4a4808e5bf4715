package io.gabion.node;

import io.gabion.wire.WireLoop;

/** An event loop of the wire as the shards see it. */
record WireShardLoop(WireLoop loop) implements Loop {
    @Override
    public boolean inLoop() {
        return loop.inLoop();
    }

    @Override
    public void execute(Runnable task) {
        loop.execute(task);
    }

    @Override
    public Cancellation schedule(Runnable task, long delayNanos) {
        var scheduled = loop.schedule(task, delayNanos);
        return () -> scheduled.cancel(false);
    }
}
