package io.gabion.node;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The one timer behind many deadlines: fires at the earliest asked for. Whoever has deadlines asks again after each firing.
 * Used on one loop only.
 */
final class DeadlineTimer {
    /** A deadline that is never moved forward must not turn the loop into a busy one. */
    private static final long SHORTEST_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Loop loop;
    private final LongSupplier nanoTime;
    private final Runnable action;
    private long armedNanos = Long.MAX_VALUE;
    private Loop.@Nullable Cancellation armed;

    DeadlineTimer(Loop loop, LongSupplier nanoTime, Runnable action) {
        this.loop = loop;
        this.nanoTime = nanoTime;
        this.action = action;
    }

    /** Fires at {@code deadlineNanos} or earlier; {@link Long#MAX_VALUE} asks for nothing. */
    void atLatest(long deadlineNanos) {
        if (deadlineNanos == Long.MAX_VALUE || (armed != null && armedNanos - deadlineNanos <= 0)) {
            return;
        }
        if (armed != null) {
            armed.cancel();
        }
        armedNanos = deadlineNanos;
        armed = loop.schedule(this::fire, Math.max(SHORTEST_NANOS, deadlineNanos - nanoTime.getAsLong()));
    }

    private void fire() {
        armed = null;
        armedNanos = Long.MAX_VALUE;
        action.run();
    }
}
