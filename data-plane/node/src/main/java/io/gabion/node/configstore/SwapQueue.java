package io.gabion.node.configstore;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A token bucket in front of the configuration store: the loss of a node with many volumes asks for as many swaps at once, and
 * those with waiting I/O go first. Safe for any thread; the work runs on the caller's or the timer's thread.
 */
public final class SwapQueue {
    /** Swaps per second that one node may ask for; keeps a large failure from drowning a shared configuration store. */
    public static final int SWAPS_PER_SECOND = 50;
    /** Spreads the nodes that were woken by the same failure. */
    static final long MAX_JITTER_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /** Runs something once later, on any thread. */
    @FunctionalInterface
    public interface Timer {
        void after(long delayNanos, Runnable task);
    }

    /** As many as a second's worth may go at once after a quiet time. */
    private final int burst;

    private final long nanosPerToken;
    private final LongSupplier nanoTime;
    private final Timer timer;
    // Guarded by this.
    private final Deque<Runnable> urgent = new ArrayDeque<>();
    private final Deque<Runnable> ordinary = new ArrayDeque<>();
    private long tokens;
    private long refilledNanos;
    private boolean timerSet;

    public SwapQueue(LongSupplier nanoTime, Timer timer) {
        this(SWAPS_PER_SECOND, nanoTime, timer);
    }

    /** For other requests than swaps. */
    public SwapQueue(int perSecond, LongSupplier nanoTime, Timer timer) {
        this.burst = perSecond;
        this.nanosPerToken = TimeUnit.SECONDS.toNanos(1) / perSecond;
        this.tokens = perSecond;
        this.nanoTime = nanoTime;
        this.timer = timer;
        this.refilledNanos = nanoTime.getAsLong();
    }

    /** Runs {@code swap} as soon as its turn comes. */
    public void submit(boolean isUrgent, Runnable swap) {
        synchronized (this) {
            (isUrgent ? urgent : ordinary).addLast(swap);
        }
        drain();
    }

    /** Swaps that wait for a token. */
    public synchronized int waiting() {
        return urgent.size() + ordinary.size();
    }

    private void drain() {
        while (true) {
            Runnable next = takeIfAllowed();
            if (next == null) {
                return;
            }
            next.run();
        }
    }

    private synchronized @Nullable Runnable takeIfAllowed() {
        refill();
        if (urgent.isEmpty() && ordinary.isEmpty()) {
            return null;
        }
        if (tokens == 0) {
            waitForToken();
            return null;
        }
        tokens--;
        return urgent.isEmpty() ? ordinary.pollFirst() : urgent.pollFirst();
    }

    private void refill() {
        long now = nanoTime.getAsLong();
        long earned = (now - refilledNanos) / nanosPerToken;
        if (earned > 0) {
            tokens = Math.min(burst, tokens + earned);
            refilledNanos += earned * nanosPerToken;
        }
    }

    private void waitForToken() {
        if (timerSet) {
            return;
        }
        timerSet = true;
        long untilToken = refilledNanos + nanosPerToken - nanoTime.getAsLong();
        long jitter = ThreadLocalRandom.current().nextLong(MAX_JITTER_NANOS);
        timer.after(Math.max(0, untilToken) + jitter, () -> {
            synchronized (this) {
                timerSet = false;
            }
            drain();
        });
    }
}
