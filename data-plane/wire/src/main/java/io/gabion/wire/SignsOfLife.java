package io.gabion.wire;

import java.util.concurrent.TimeUnit;

/** When an open connection must say something, and when its peer was silent for too long. On the loop only. */
final class SignsOfLife {
    /** What a look found. */
    enum Finding {
        FINE,
        /** Nothing was sent for {@link WireLimits#keepAliveMillis()}. */
        SAY_SOMETHING,
        /** Nothing was received for {@link WireLimits#silenceMillis()}. */
        PEER_SILENT
    }

    /** Looks per interval: what is due is found at most half an interval late. */
    private static final int TICKS_PER_INTERVAL = 2;
    /** Time between two looks when no interval is set: nothing hangs on them. */
    private static final int IDLE_TICK_MILLIS = 1000;

    private final long keepAliveNanos;
    private final long silenceNanos;
    private final long tickNanos;
    private boolean paused;
    private long lastSentNanos;
    private long lastReceivedNanos;
    private long lastLookNanos;

    SignsOfLife(WireLimits limits) {
        this.keepAliveNanos = TimeUnit.MILLISECONDS.toNanos(limits.keepAliveMillis());
        this.silenceNanos = TimeUnit.MILLISECONDS.toNanos(limits.silenceMillis());
        int shortest = IDLE_TICK_MILLIS * TICKS_PER_INTERVAL;
        if (limits.keepAliveMillis() > 0) {
            shortest = Math.min(shortest, limits.keepAliveMillis());
        }
        if (limits.silenceMillis() > 0) {
            shortest = Math.min(shortest, limits.silenceMillis());
        }
        this.tickNanos = TimeUnit.MILLISECONDS.toNanos(Math.max(1, shortest / TICKS_PER_INTERVAL));
        start();
    }

    /** Time between two calls of {@link #look}. */
    long tickNanos() {
        return tickNanos;
    }

    void start() {
        long now = System.nanoTime();
        lastSentNanos = now;
        lastReceivedNanos = now;
        lastLookNanos = now;
    }

    void sent() {
        lastSentNanos = System.nanoTime();
    }

    void received() {
        lastReceivedNanos = System.nanoTime();
    }

    /** While this side does not read, it hears nothing. */
    void paused(boolean nowPaused) {
        paused = nowPaused;
        received();
    }

    Finding look(boolean writable) {
        long now = System.nanoTime();
        // After a pause of this process (SIGSTOP, a long collection) what the peer sent may still wait to be read.
        boolean late = now - lastLookNanos > 2 * tickNanos;
        lastLookNanos = now;
        if (silenceNanos > 0 && !late && !paused && now - lastReceivedNanos > silenceNanos) {
            return Finding.PEER_SILENT;
        }
        boolean due = keepAliveNanos > 0 && now - lastSentNanos >= keepAliveNanos - tickNanos;
        return due && writable ? Finding.SAY_SOMETHING : Finding.FINE;
    }
}
