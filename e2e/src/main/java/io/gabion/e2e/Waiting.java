package io.gabion.e2e;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for what the cluster does in its own time. */
public final class Waiting {
    private static final Duration STEP = Duration.ofMillis(300);

    private Waiting() {}

    /** Returns when the condition holds; fails with what was seen last when it does not within the time. */
    public static void until(String what, Duration limit, BooleanSupplier condition, Supplier<String> seen) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(what + ": not within " + limit.toSeconds() + " s; seen: " + seen.get());
            }
            LockSupport.parkNanos(STEP.toNanos());
        }
    }

    /** Waits until a text that is asked for again and again is the wanted one. */
    public static void untilEqual(String what, Duration limit, String wanted, Supplier<String> ask) {
        String[] last = {""};
        until(
                what + " = " + wanted,
                limit,
                () -> {
                    last[0] = ask.get();
                    return last[0].equals(wanted);
                },
                () -> last[0]);
    }

    /** Whole seconds since a reading of {@link System#nanoTime}. */
    public static long secondsSince(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos).toSeconds();
    }

    /** Lets a load run for a while: time is then the point, not a guess at how long something takes. */
    public static void pass(Duration time) {
        long deadline = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < deadline) {
            LockSupport.parkNanos(STEP.toNanos());
        }
    }
}
