package io.gabion.faults.powerloss;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** A fault at work. Closing it removes it and releases what it holds. Thread safe. */
public final class InjectedFault implements AutoCloseable {
    private final Fault fault;
    private final FaultSwitches switches;
    private final CompletableFuture<Void> released = new CompletableFuture<>();
    private long matches;
    private long hits;

    InjectedFault(Fault fault, FaultSwitches switches) {
        this.fault = fault;
        this.switches = switches;
    }

    Fault fault() {
        return fault;
    }

    CompletableFuture<Void> released() {
        return released;
    }

    /** True when this operation is one the fault meets; counts it. */
    synchronized boolean meets(FileOperation operation, String path) {
        if (!fault.operations().contains(operation) || !fault.path().test(path)) {
            return false;
        }
        matches++;
        if (matches <= fault.skip() || hits >= fault.times()) {
            return false;
        }
        hits++;
        notifyAll();
        return true;
    }

    /** How many operations it has met. */
    public synchronized long hits() {
        return hits;
    }

    /** Waits until it has met so many operations; false when the time is over before. */
    public synchronized boolean awaitHits(long count, Duration timeout) throws InterruptedException {
        long endNanos = System.nanoTime() + timeout.toNanos();
        while (hits < count) {
            long leftMillis = (endNanos - System.nanoTime()) / 1_000_000;
            if (leftMillis <= 0) {
                return false;
            }
            wait(leftMillis);
        }
        return true;
    }

    @Override
    public void close() {
        switches.remove(this);
        released.complete(null);
    }
}
