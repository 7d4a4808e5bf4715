package io.gabion.store;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * Judges the disk by what happens on it: damage found, operations that hang, and writes that are slow for long. Belongs to the
 * owner loop.
 */
final class HealthWatch {
    /** Damage in this time counts ... */
    static final Duration DAMAGE_WINDOW = Duration.ofHours(24);
    /** ... and so much of it makes the disk suspect. */
    static final int SUSPECT_DAMAGES = 3;
    /** An operation that takes longer is given up, and the disk with it. */
    static final Duration HUNG = Duration.ofSeconds(10);
    /** Writes are looked at in windows of this length ... */
    static final Duration WINDOW = Duration.ofSeconds(10);
    /** ... so many of which in a row must be slow ... */
    static final int SLOW_WINDOWS = 3;
    /** ... which means that 1 % of at least so many writes ... */
    static final int LEAST_WRITES = 100;
    /** ... took longer than this. */
    static final Duration SLOW = Duration.ofMillis(500);

    private static final int PER_CENT = 100;

    private final DiskIndex index;
    private final StoreMetrics metrics;
    private final Fault fault;
    private final InstantSource clock;
    private final LongSupplier nanoTime;
    private final TreeMap<Long, Long> startedNanos = new TreeMap<>();
    private long lastOperation;
    private long windowStartNanos;
    private long writes;
    private long slowWrites;
    private int slowWindows;

    HealthWatch(DiskIndex index, StoreMetrics metrics, Fault fault, InstantSource clock, LongSupplier nanoTime) {
        this.index = index;
        this.metrics = metrics;
        this.fault = fault;
        this.clock = clock;
        this.nanoTime = nanoTime;
        this.windowStartNanos = nanoTime.getAsLong();
    }

    // ---- what happens
    /** An operation of the device begins; returns its number. */
    long begin() {
        long number = ++lastOperation;
        startedNanos.put(number, nanoTime.getAsLong());
        return number;
    }

    /** It ended; returns how long it took. */
    long end(long number) {
        Long started = startedNanos.remove(number);
        return started == null ? 0 : nanoTime.getAsLong() - started;
    }

    /** As {@link #end}, of a write. */
    long endOfWrite(long number) {
        long nanos = end(number);
        rollWindow();
        writes++;
        slowWrites += nanos > SLOW.toNanos() ? 1 : 0;
        return nanos;
    }

    private void rollWindow() {
        long now = nanoTime.getAsLong();
        if (now - windowStartNanos < WINDOW.toNanos()) {
            return;
        }
        boolean slow = writes >= LEAST_WRITES && slowWrites * PER_CENT > writes;
        // Windows in which nothing happened prove nothing.
        slowWindows = slow ? slowWindows + 1 : 0;
        windowStartNanos = now;
        writes = 0;
        slowWrites = 0;
    }

    // ---- what that means
    /** Looks at everything anew; gives the disk up when an operation hangs. */
    DiskHealth judge() {
        rollWindow();
        OptionalLong oldest =
                startedNanos.values().stream().mapToLong(Long::longValue).min();
        long age = oldest.isPresent() ? nanoTime.getAsLong() - oldest.getAsLong() : 0;
        if (age > HUNG.toNanos()) {
            fault.set("an operation of the disk has been hanging for " + age / 1_000_000 + " ms");
        }
        List<String> reasons = new ArrayList<>();
        if (fault.isSet()) {
            reasons.add(fault.reason());
        }
        long damages = index.badPlaces().countSince(clock.millis() - DAMAGE_WINDOW.toMillis());
        if (damages >= SUSPECT_DAMAGES) {
            reasons.add(damages + " blocks went bad in the last " + DAMAGE_WINDOW.toHours() + " h");
        }
        if (slowWindows >= SLOW_WINDOWS) {
            reasons.add("1 % of the writes took longer than " + SLOW.toMillis() + " ms for the last "
                    + slowWindows * WINDOW.toSeconds() + " s");
        }
        DiskHealth.State state = fault.isSet()
                ? DiskHealth.State.FAULTED
                : reasons.isEmpty() ? DiskHealth.State.ONLINE : DiskHealth.State.SUSPECT;
        return new DiskHealth(
                state,
                reasons,
                index.badPlaces().count(),
                metrics.checksumFailures(),
                metrics.readErrors(),
                index.repairedBlocks(),
                age);
    }
}
