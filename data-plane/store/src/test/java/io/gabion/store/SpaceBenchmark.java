package io.gabion.store;

import io.gabion.store.extent.FreeRuns;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/**
 * Overwrites a full volume again and again on a disk half as large again, then with three snapshots until the disk is full:
 * {@code SpaceBenchmark DIRECTORY [VOLUME_GIB] [ROUNDS]}. The directory must be empty. Ends with exit code 1 when writes pause
 * although there is space, do not go on when a snapshot is deleted, or space is not accounted for exactly.
 */
public final class SpaceBenchmark {
    private static final int BLOCK = 4096;
    private static final long POLL_NANOS = 200_000_000;
    /** What was promised but not written when the disk ran full: less than one step of promises. */
    private static final long SLACK_BYTES = 8L << 20;

    private SpaceBenchmark() {}

    /** Runs it. */
    public static void main(String[] arguments) throws IOException {
        long volume = (arguments.length > 1 ? Long.parseLong(arguments[1]) : 4) << 30;
        int rounds = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 10;
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        DiskStoreOptions options = DiskStoreOptions.of(
                Path.of(arguments[0]), volume + volume / 2, StoreRig.CLUSTER, StoreRig.NODE, StoreRig.BOOT);
        boolean good;
        try (OverwriteLoad load = new OverwriteLoad(options, Optional.empty(), volume, seed)) {
            load.fill();
            report(load, "filled");
            for (int round = 1; round <= rounds; round++) {
                OverwriteLoad.await(load.overwrite(volume / BLOCK));
                report(load, "overwritten " + round + " times");
            }
            long pauses = load.pauses();
            load.settle();
            good = is(pauses == 0, pauses + " pauses without snapshots");
            good &= is(load.space().live() == volume, "exact");
            good &= withSnapshots(load, volume);
        }
        System.out.println(good ? "space: good" : "space: BAD");
        System.exit(good ? 0 : 1);
    }

    private static boolean withSnapshots(OverwriteLoad load, long volume) {
        for (int snapshot = 1; snapshot <= 2; snapshot++) {
            load.snapshot(snapshot);
            OverwriteLoad.await(load.overwrite(volume / BLOCK / 20));
        }
        load.snapshot(3);
        CompletableFuture<Boolean> done = load.overwrite(2 * volume / BLOCK);
        awaitPause(load, done);
        report(load, "full with three snapshots");
        long limit = load.onLoop(load.store()::spaceLimitBytes);
        long live = load.space().live();
        boolean good = is(Math.abs(live - limit) < SLACK_BYTES, "paused at " + live + " of " + limit + " bytes");
        load.deleteSnapshot(1);
        load.deleteSnapshot(2);
        load.deleteSnapshot(3);
        long started = System.nanoTime();
        OverwriteLoad.await(done);
        System.out.println("went on and ended " + (System.nanoTime() - started) / 1_000_000 + " ms after the deletion");
        load.settle();
        report(load, "snapshots deleted");
        good &= is(load.space().live() == volume, "exact");
        return good;
    }

    private static void awaitPause(OverwriteLoad load, CompletableFuture<Boolean> done) {
        long live = -1;
        while (!done.isDone()) {
            LockSupport.parkNanos(POLL_NANOS);
            long now = load.space().live();
            if (load.isPaused() && now == live) {
                return;
            }
            live = now;
        }
    }

    private static boolean is(boolean condition, String what) {
        System.out.println((condition ? "ok: " : "BAD: ") + what);
        return condition;
    }

    private static void report(OverwriteLoad load, String when) {
        FreeRuns free = load.onLoop(load.store()::freeRuns);
        DiskSpace space = load.onLoop(() -> {
            load.store().verifyAccounting();
            return load.store().space();
        });
        StoreMetrics metrics = load.store().metrics();
        System.out.printf(
                "%-26s %6d MiB live, %5d MiB free in %7d runs (mean %6.1f blocks, longest %6d), %5.1f %% of the batches"
                        + " scattered, %4.2f bytes written per byte, %d pauses%n",
                when,
                space.live() >> 20,
                space.free() >> 20,
                free.runs(),
                free.mean(),
                free.longest(),
                100.0 * metrics.scatteredBatches() / Math.max(1, metrics.batches()),
                (double) metrics.writtenBytes() / Math.max(1, metrics.dataBytes()),
                load.pauses());
    }
}
