package io.gabion.faults.check;

/**
 * How long a client had to wait: the longest request and the longest time without any answer, since the last
 * {@link #mark}. Requests that are still waiting count too.
 */
public final class Pauses {
    /**
     * @param longestRequestMillis of all requests that waited in this window, counted from the window's start
     * @param longestGapMillis between two answers while requests were outstanding
     * @param answers in this window
     */
    public record Window(double longestRequestMillis, double longestGapMillis, long answers) {}

    private static final double NANOS_PER_MILLI = 1e6;

    private long windowStart = System.nanoTime();
    private long lastAnswer = windowStart;
    private long longestRequest;
    private long longestGap;
    private long answers;

    /** A request was answered. Times are of {@link System#nanoTime}. */
    synchronized void answered(long invokedNanos, long nowNanos) {
        longestRequest = Math.max(longestRequest, nowNanos - Math.max(invokedNanos, windowStart));
        longestGap = Math.max(longestGap, nowNanos - lastAnswer);
        lastAnswer = nowNanos;
        answers++;
    }

    /** Ends the window and begins the next; the load must be running, or the silence counts as a gap. */
    public synchronized Window mark() {
        long now = System.nanoTime();
        Window window = new Window(
                longestRequest / NANOS_PER_MILLI, Math.max(longestGap, now - lastAnswer) / NANOS_PER_MILLI, answers);
        windowStart = now;
        lastAnswer = now;
        longestRequest = 0;
        longestGap = 0;
        answers = 0;
        return window;
    }
}
