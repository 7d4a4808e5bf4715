package io.gabion.node;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A loop that runs when the test says so, on the test's thread, with a clock of its own. */
final class ManualLoop implements Loop {
    private final Deque<Runnable> queue = new ArrayDeque<>();
    private final List<Timed> timers = new ArrayList<>();
    private long nowNanos = 1;

    private record Timed(long atNanos, Runnable task) {}

    long nowNanos() {
        return nowNanos;
    }

    @Override
    public boolean inLoop() {
        return true;
    }

    @Override
    public void execute(Runnable task) {
        queue.addLast(task);
    }

    @Override
    public Cancellation schedule(Runnable task, long delayNanos) {
        Timed timed = new Timed(nowNanos + delayNanos, task);
        timers.add(timed);
        return () -> timers.remove(timed);
    }

    void runQueued() {
        for (Runnable task = queue.pollFirst(); task != null; task = queue.pollFirst()) {
            task.run();
        }
    }

    void advance(long nanos) {
        nowNanos += nanos;
        for (Timed timed : List.copyOf(timers)) {
            if (timed.atNanos() <= nowNanos && timers.remove(timed)) {
                timed.task().run();
            }
        }
        runQueued();
    }

    int timers() {
        return timers.size();
    }
}
