package io.gabion.faults.cluster;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for conditions of other processes, which nobody announces to us. */
public final class Waiting {
    private static final Duration STEP = Duration.ofMillis(50);

    private Waiting() {}

    /** Returns when the condition holds; throws {@link IllegalStateException} when it does not within the time. */
    public static void until(String what, Duration limit, BooleanSupplier condition) {
        until(what, limit, condition, () -> "");
    }

    /** As above, with what is known about the cause when it fails. */
    public static void until(String what, Duration limit, BooleanSupplier condition, Supplier<String> whyNot) {
        if (!happens(limit, condition)) {
            throw new IllegalStateException(what + " did not happen within " + limit + " " + whyNot.get());
        }
    }

    /** True when the condition held at some time within the limit. */
    public static boolean happens(Duration limit, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            LockSupport.parkNanos(STEP.toNanos());
        }
        return true;
    }

    /** Lets the load run for a while: time is then the point, not a guess at how long something takes. */
    public static void pass(Duration time) {
        happens(time, () -> false);
    }
}
