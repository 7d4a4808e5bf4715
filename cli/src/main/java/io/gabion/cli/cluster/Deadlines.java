package io.gabion.cli.cluster;

import io.gabion.cli.text.CommandFailure;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** How long the command waits for others. */
public final class Deadlines {
    /** One call that decides something. */
    public static final Duration CALL = Duration.ofSeconds(10);
    /** One call that only asks how a node is; a stopped node must not hold the answer up. */
    public static final Duration STATUS = Duration.ofSeconds(3);
    /** Opening a session: waits for a failover or the start of nodes under way. */
    public static final Duration ATTACH = Duration.ofSeconds(30);
    /** Until a change asked for has happened: creation, growth, handover, deletion. */
    public static final Duration CHANGE = Duration.ofSeconds(60);

    private static final long POLL_MILLIS = 100;

    private Deadlines() {}

    /** Asks again and again; false when the time is over. */
    public static boolean await(Duration timeout, BooleanSupplier done) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (!done.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CommandFailure("interrupted", e);
            }
        }
        return true;
    }
}
