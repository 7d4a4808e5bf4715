package io.gabion.simulator;

import java.util.PriorityQueue;

/** Virtual time and everything that is to happen in it: one priority queue, first by time, then by the order of scheduling. Not thread-safe. */
public final class Scheduler {
    private final PriorityQueue<Task> queue = new PriorityQueue<>();
    private long nowNanos;
    private long scheduled;
    private long executed;

    private record Task(long atNanos, long order, Runnable action) implements Comparable<Task> {
        @Override
        public int compareTo(Task other) {
            int byTime = Long.compare(atNanos, other.atNanos);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    /** Virtual nanoseconds since the start of the run. */
    public long nowNanos() {
        return nowNanos;
    }

    /** Tasks carried out so far. */
    public long executed() {
        return executed;
    }

    public void after(long delayNanos, Runnable action) {
        at(nowNanos + Math.max(0, delayNanos), action);
    }

    /** Times in the past count as now. */
    public void at(long atNanos, Runnable action) {
        queue.add(new Task(Math.max(nowNanos, atNanos), scheduled++, action));
    }

    /** Carries out everything due until {@code untilNanos}, then stands at that time. */
    public void runUntil(long untilNanos) {
        while (true) {
            Task next = queue.peek();
            if (next == null || next.atNanos > untilNanos) {
                break;
            }
            queue.poll();
            nowNanos = next.atNanos;
            executed++;
            next.action.run();
        }
        nowNanos = Math.max(nowNanos, untilNanos);
    }
}
