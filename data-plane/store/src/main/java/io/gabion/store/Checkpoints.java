package io.gabion.store;

import io.gabion.store.extent.BlockAllocator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Makes the index durable from time to time, so that the log before it is not needed any more and freed blocks can be used
 * again. Belongs to the owner loop; the waiting is done elsewhere.
 */
final class Checkpoints {
    private static final long POLL_NANOS = 2_000_000;
    /** Changes that memory holds between two checkpoints at most, below the index's own limit of one memory table. */
    private static final long MAX_INDEX_BYTES = 32L << 20;
    /** With less than this part of the disk free, pending blocks are worth an early checkpoint ... */
    private static final int SCARCE_DIVISOR = 4;
    /** ... when they are at least this part of it. */
    private static final int WORTHWHILE_DIVISOR = 32;

    private final Executor loop;
    private final Executor waiter;
    private final DiskIndex index;
    private final BlockAllocator allocator;
    private final Readers readers;
    private final StoreMetrics metrics;
    private final Fault fault;
    private final CurrentSuperblock superblock;
    private final Runnable done;
    private final long checkpointBytes;

    private long logBytes;
    private boolean running;
    private boolean again;
    private final List<Runnable> after = new ArrayList<>();

    Checkpoints(Engine engine, CurrentSuperblock superblock, long checkpointBytes, Runnable done) {
        this.loop = engine.loop();
        this.waiter = engine.helpers();
        this.index = engine.index();
        this.allocator = engine.allocator();
        this.readers = engine.readers();
        this.metrics = engine.notifier().metrics();
        this.fault = engine.notifier().fault();
        this.superblock = superblock;
        this.done = done;
        this.checkpointBytes = checkpointBytes;
    }

    /** The log grew; begins a checkpoint when it is time. */
    void logged(long bytes) {
        logBytes += bytes;
        boolean scarce = allocator.freeBlocks() < allocator.totalBlocks() / SCARCE_DIVISOR
                && allocator.pendingBlocks() > allocator.totalBlocks() / WORTHWHILE_DIVISOR;
        if (logBytes >= checkpointBytes || index.bytesSinceCheckpoint() >= MAX_INDEX_BYTES || scarce) {
            begin();
        }
    }

    boolean isRunning() {
        return running;
    }

    /** Returns what was freed up to now, also on a disk where nothing else happens. */
    void returnFreed() {
        if (running) {
            // The one under way does not cover it.
            again = true;
        } else {
            begin();
        }
    }

    /** A checkpoint of everything up to now. */
    CompletionStage<Void> next() {
        CompletableFuture<Void> finished = new CompletableFuture<>();
        if (running) {
            // The one under way does not cover it.
            after.add(() -> covering(finished));
        } else {
            covering(finished);
        }
        return finished;
    }

    private void covering(CompletableFuture<Void> finished) {
        after.add(() -> finished.complete(null));
        begin();
    }

    void begin() {
        if (running || fault.isSet()) {
            return;
        }
        running = true;
        logBytes = 0;
        long started = System.nanoTime();
        try {
            allocator.beginCheckpoint();
            index.writePages();
            index.metadata().startFlush();
        } catch (RuntimeException e) {
            fault.set("a checkpoint could not begin", e);
            return;
        }
        long batch = index.log().batch();
        waiter.execute(() -> {
            String failure = awaitFlush(batch);
            loop.execute(() -> finished(started, failure));
        });
    }

    private @Nullable String awaitFlush(long batch) {
        try {
            while (index.metadata().flushPending()) {
                LockSupport.parkNanos(POLL_NANOS);
            }
            // Before anything freed is used again: an index that knows less must not be taken for right.
            superblock.checkpointed(batch);
            return null;
        } catch (IOException | RuntimeException e) {
            return e.getMessage();
        }
    }

    private void finished(long started, @Nullable String failure) {
        running = false;
        if (failure != null) {
            fault.set("a checkpoint failed: " + failure);
            return;
        }
        allocator.checkpointDone(readers.next());
        allocator.reclaim(readers.oldest());
        metrics.checkpoint(System.nanoTime() - started);
        done.run();
        List<Runnable> waiting = List.copyOf(after);
        after.clear();
        waiting.forEach(Runnable::run);
        if (again) {
            again = false;
            begin();
        }
    }
}
