package io.gabion.api.time;

import java.time.Duration;

/**
 * The pause between two looks at something that tells nobody when it changes, as an API server that cannot be reached. For
 * threads of their own, never for the data path. Tests give one that returns at once.
 */
@FunctionalInterface
public interface Pause {
    /** Of this machine's clock. */
    Pause REAL = Thread::sleep;

    /** Returns after {@code duration}, or throws when the thread is to end. */
    void last(Duration duration) throws InterruptedException;
}
