package io.gabion.node;

import io.gabion.model.VolumeId;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Waits, when the process ends, until every replica is ready for it. Safe for any thread. */
final class StopCount {
    // Guarded by this.
    private final Set<VolumeId> awaited = new HashSet<>();

    synchronized void await(Collection<VolumeId> volumes) {
        awaited.addAll(volumes);
    }

    synchronized void ready(VolumeId volume) {
        awaited.remove(volume);
        if (awaited.isEmpty()) {
            notifyAll();
        }
    }

    /** Returns how many were not ready in time. */
    synchronized int waitAtMost(long nanos) throws InterruptedException {
        long deadline = System.nanoTime() + nanos;
        while (!awaited.isEmpty()) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                break;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return awaited.size();
    }
}
