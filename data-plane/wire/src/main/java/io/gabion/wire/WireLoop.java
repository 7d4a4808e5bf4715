package io.gabion.wire;

import static java.util.Objects.requireNonNull;

import io.netty.channel.IoEventLoop;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * One event loop: a thread that serves its connections, its timers and whatever is executed on it, one after the other. The
 * shards of a process are its loops. Nothing on it may block.
 */
public final class WireLoop implements Executor {
    private final int index;
    private final IoEventLoop loop;

    WireLoop(int index, IoEventLoop loop) {
        this.index = index;
        this.loop = requireNonNull(loop);
    }

    /** 0 to {@link EventLoops#size} - 1. */
    public int index() {
        return index;
    }

    /** Is the calling thread this loop's? */
    public boolean inLoop() {
        return loop.inEventLoop();
    }

    /** Runs {@code task} on the loop, after what is queued there; also when called on the loop itself. */
    @Override
    public void execute(Runnable task) {
        loop.execute(task);
    }

    public ScheduledFuture<?> schedule(Runnable task, long delayNanos) {
        return loop.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
    }

    public ScheduledFuture<?> scheduleEvery(Runnable task, long periodNanos) {
        return loop.scheduleAtFixedRate(task, periodNanos, periodNanos, TimeUnit.NANOSECONDS);
    }

    /** The loop as an executor; its {@code shutdown} must not be called, {@link EventLoops#close} does that. */
    public ScheduledExecutorService executor() {
        return loop;
    }

    /** Netty's view, for channels and files of one's own on the same thread. */
    public IoEventLoop netty() {
        return loop;
    }

    @Override
    public String toString() {
        return "loop " + index;
    }
}
