package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** A full volume on a disk half as large again, overwritten many times; small, in memory. {@link SpaceBenchmark} is the large one. */
class SpaceTest {
    private static final long DISK = 48L << 20;
    private static final long VOLUME = 32L << 20;
    private static final long SLACK = 1L << 20;
    private static final long BLOCKS = VOLUME / 4096;

    private static OverwriteLoad open() throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        DiskStoreOptions options = DiskStoreOptions.of(
                        Path.of("memory"), DISK, StoreRig.CLUSTER, StoreRig.NODE, StoreRig.BOOT)
                .withSizes(4L << 20, 4L << 20, 1L << 20, 0);
        return new OverwriteLoad(options, Optional.of(new MemoryDiskFiles()), VOLUME, seed);
    }

    @Test
    void overwritingAFullVolumeNeverPauses() throws IOException {
        try (OverwriteLoad load = open()) {
            load.fill();
            OverwriteLoad.await(load.overwrite(3 * BLOCKS));
            assertThat(load.pauses()).isZero();
            load.settle();
            assertThat(load.space().live()).isEqualTo(VOLUME);
            assertThat(load.space().used()).isLessThan(VOLUME + (1 << 20));
        }
    }

    @Test
    void snapshotsLetItPauseOnlyWhenTheDiskIsFullAndTheirDeletionLetsItGoOn() throws IOException {
        try (OverwriteLoad load = open()) {
            load.fill();
            CompletableFuture<Boolean> done = new CompletableFuture<>();
            for (int snapshot = 1; snapshot <= 3; snapshot++) {
                load.snapshot(snapshot);
                done = load.overwrite(snapshot < 3 ? BLOCKS / 10 : 4 * BLOCKS);
                if (snapshot < 3) {
                    OverwriteLoad.await(done);
                }
            }
            awaitPause(load, done);
            long limit = load.onLoop(load.store()::spaceLimitBytes);
            // What was promised and is on its way is all that may differ.
            assertThat(load.space().live()).isBetween(limit - SLACK, limit + SLACK);
            for (int snapshot = 1; snapshot <= 3; snapshot++) {
                load.deleteSnapshot(snapshot);
            }
            OverwriteLoad.await(done);
            load.settle();
            assertThat(load.space().live()).isEqualTo(VOLUME);
        }
    }

    private static void awaitPause(OverwriteLoad load, CompletableFuture<Boolean> done) {
        long live = -1;
        for (int i = 0; i < 600 && !done.isDone(); i++) {
            LockSupport.parkNanos(50_000_000);
            long now = load.space().live();
            if (load.isPaused() && now == live) {
                return;
            }
            live = now;
        }
        throw new AssertionError("it never pauses");
    }
}
