package io.gabion.node;

import java.util.concurrent.Executor;

/** One thread that runs one thing after the other: the part of an event loop that shards need. Safe for any thread. */
interface Loop extends Executor {
    /** Is the calling thread this loop's? */
    boolean inLoop();

    /** Runs {@code task} once after {@code delayNanos}, unless cancelled before. */
    Cancellation schedule(Runnable task, long delayNanos);

    /** Runs at once when called on the loop, else behind what is queued there. */
    default void run(Runnable task) {
        if (inLoop()) {
            task.run();
        } else {
            execute(task);
        }
    }

    /** Something that was scheduled. */
    @FunctionalInterface
    interface Cancellation {
        void cancel();
    }
}
