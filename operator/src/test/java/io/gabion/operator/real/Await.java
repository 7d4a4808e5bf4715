package io.gabion.operator.real;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for what other processes do. */
public final class Await {
    private static final long LOOK_EVERY_NANOS = 50_000_000L;

    private Await() {}

    /** Fails with {@code what} and what is there instead when {@code holds} does not become true in time. */
    public static void until(String what, Duration limit, BooleanSupplier holds, Supplier<?> instead) {
        Instant end = Instant.now().plus(limit);
        while (!holds.getAsBoolean()) {
            if (Instant.now().isAfter(end)) {
                throw new AssertionError("not within " + limit.toSeconds() + " s: " + what + "\n" + instead.get());
            }
            LockSupport.parkNanos(LOOK_EVERY_NANOS);
        }
    }

    public static <T> T present(String what, Duration limit, Supplier<Optional<T>> look) {
        return present(what, limit, look, () -> "nothing");
    }

    /** As above; says also what is there instead. */
    public static <T> T present(String what, Duration limit, Supplier<Optional<T>> look, Supplier<?> instead) {
        Instant end = Instant.now().plus(limit);
        while (true) {
            Optional<T> found = look.get();
            if (found.isPresent()) {
                return found.get();
            }
            if (Instant.now().isAfter(end)) {
                throw new AssertionError("not within " + limit.toSeconds() + " s: " + what + "\n" + instead.get());
            }
            LockSupport.parkNanos(LOOK_EVERY_NANOS);
        }
    }
}
