package io.gabion.simulator;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What happened, line by line, with virtual seconds and the place where it happened. The hash over all lines tells whether two
 * runs were the same. Also collects the violations. Not thread-safe.
 */
public final class Trace {
    /** After so many the run has said enough. */
    private static final int MAX_VIOLATIONS = 20;

    private static final long FNV_PRIME = 0x100000001b3L;

    private final Scheduler scheduler;
    private final @Nullable PrintStream print;
    private final List<String> violations = new ArrayList<>();
    private long hash = 0xcbf29ce484222325L;
    private long lines;

    /** @param print where the lines go, null for nowhere */
    public Trace(Scheduler scheduler, @Nullable PrintStream print) {
        this.scheduler = scheduler;
        this.print = print;
    }

    public void line(String place, String text) {
        mix(scheduler.nowNanos());
        mix(place);
        mix(text);
        lines++;
        if (print != null) {
            print.printf("%12.6f %-6s %s%n", scheduler.nowNanos() / 1e9, place, text);
        }
    }

    /** Only for people: not part of the hash, not even made where nobody reads it. */
    public void detail(String place, Supplier<String> text) {
        if (print != null) {
            print.printf("%12.6f %-6s %s%n", scheduler.nowNanos() / 1e9, place, text.get());
        }
    }

    /** A broken rule: the run has failed. */
    public void violation(String place, String text) {
        line(place, "VIOLATION " + text);
        if (violations.size() < MAX_VIOLATIONS) {
            violations.add("%.6f %s: %s".formatted(scheduler.nowNanos() / 1e9, place, text));
        }
    }

    public List<String> violations() {
        return List.copyOf(violations);
    }

    public boolean failed() {
        return !violations.isEmpty();
    }

    public long hash() {
        return hash;
    }

    public long lines() {
        return lines;
    }

    private void mix(String text) {
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * FNV_PRIME;
        }
    }

    private void mix(long value) {
        hash = (hash ^ value) * FNV_PRIME;
        hash ^= hash >>> 32;
    }
}
