package io.gabion.process.testing;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Waits in tests for what other processes and threads do, which nobody announces. Rests between two looks. */
public final class Waiting {
    private static final Duration STEP = Duration.ofMillis(20);

    private Waiting() {}

    /** What is waited for. */
    @FunctionalInterface
    public interface Condition<X extends Exception> {
        boolean holds() throws X;
    }

    /** Returns when the condition holds; fails when it does not within the limit. */
    public static <X extends Exception> void until(String what, Duration limit, Condition<X> condition) throws X {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(what + ": not within " + limit.toSeconds() + " s");
            }
            LockSupport.parkNanos(STEP.toNanos());
        }
    }

    /** Lets a load run for a while: time is then the point, not a guess at how long something takes. */
    public static void pass(Duration time) {
        long deadline = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = deadline - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }
}
