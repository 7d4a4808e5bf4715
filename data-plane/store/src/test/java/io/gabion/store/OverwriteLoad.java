package io.gabion.store;

import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.RequestId;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.log.StoredRecord.SnapshotDeleted;
import io.gabion.store.log.StoredRecord.SnapshotTaken;
import java.io.IOException;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Writes to one volume of a disk as a replica does that heeds how much space it was told there is: it pauses when that is used
 * up, and goes on when there is more.
 */
final class OverwriteLoad implements AutoCloseable {
    private static final int FILL_BLOCKS = 64;
    private static final int DEPTH = 64;
    private static final long WAIT_SECONDS = 3600;

    private final ExecutorService loop = Executors.newSingleThreadExecutor();
    private final VolumeId volume = new VolumeId(new UUID(5, 1));
    private final Random random;
    private final HeapPayload block;
    private final HeapPayload large;
    private final DiskStore store;
    private final long blocks;

    private final CompletableFuture<Boolean> told = new CompletableFuture<>();

    // On the loop:
    private long ticket;
    private long appended;
    private long seq;
    private long spaceBytes;
    private long left;
    private boolean sequential;
    private long nextBlock;
    private boolean paused;
    private long pauses;
    private CompletableFuture<Boolean> finished = new CompletableFuture<>();

    OverwriteLoad(DiskStoreOptions options, Optional<DiskFiles> files, long volumeBytes, long seed) throws IOException {
        this.random = new Random(seed);
        this.blocks = volumeBytes / BlockGeometry.BLOCK_BYTES;
        byte[] content = new byte[FILL_BLOCKS * BlockGeometry.BLOCK_BYTES];
        random.nextBytes(content);
        this.large = HeapPayload.of(content);
        this.block = HeapPayload.of(java.util.Arrays.copyOf(content, BlockGeometry.BLOCK_BYTES));
        StoreEvents events = new StoreEvents() {
            @Override
            public void accept(VolumeId id, Event event) {
                handle(event);
            }

            @Override
            public void verified(VolumeId id, VerifyResult result) {}
        };
        this.store = files.isPresent()
                ? DiskStore.open(options, files.get(), loop, events)
                : DiskStore.open(options, loop, events);
        CompletableFuture<Boolean> created = begin(1);
        loop.execute(() -> append(StoreRig.created(volume, volumeBytes)));
        await(created);
        // Told once it is there.
        await(told);
    }

    DiskStore store() {
        return store;
    }

    /** How often a write had to wait for space. */
    long pauses() {
        return onLoop(() -> pauses);
    }

    DiskSpace space() {
        return onLoop(store::space);
    }

    <T> T onLoop(java.util.concurrent.Callable<T> action) {
        try {
            return loop.submit(action).get(WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Writes every block once, in order. */
    void fill() {
        CompletableFuture<Boolean> done = begin(blocks / FILL_BLOCKS);
        loop.execute(() -> {
            sequential = true;
            nextBlock = 0;
            for (int i = 0; i < DEPTH / 8; i++) {
                next();
            }
        });
        await(done);
    }

    /** Writes so many blocks anywhere; returns false when it paused for longer than the time given and has not gone on. */
    CompletableFuture<Boolean> overwrite(long count) {
        CompletableFuture<Boolean> done = begin(count);
        loop.execute(() -> {
            sequential = false;
            for (int i = 0; i < DEPTH; i++) {
                next();
            }
        });
        return done;
    }

    void snapshot(long number) {
        CompletableFuture<Boolean> done = begin(1);
        loop.execute(() -> store.append(++ticket, new SnapshotTaken(volume, new Lsn(1, ++seq), number)));
        await(done);
    }

    /** May be called while writes wait for space. */
    void deleteSnapshot(long number) {
        loop.execute(() -> {
            left++;
            store.append(++ticket, new SnapshotDeleted(volume, new Lsn(1, ++seq), number));
        });
    }

    boolean isPaused() {
        return onLoop(() -> paused);
    }

    /** Everything freed is there again. */
    void settle() {
        for (int i = 0; i < 10_000 && onLoop(store::isCollecting); i++) {
            java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
        }
        for (int i = 0; i < 2; i++) {
            try {
                onLoop(store::checkpoint).toCompletableFuture().get(WAIT_SECONDS, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
        onLoop(() -> {
            store.verifyAccounting();
            return true;
        });
    }

    static void await(CompletableFuture<Boolean> done) {
        try {
            done.get(WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private CompletableFuture<Boolean> begin(long count) {
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        loop.execute(() -> {
            left = count;
            unsent = count;
            finished = done;
        });
        return done;
    }

    private long unsent;

    private void next() {
        int count = sequential ? FILL_BLOCKS : 1;
        long bytes = (long) count * BlockGeometry.BLOCK_BYTES;
        if (unsent == 0) {
            return;
        }
        if (bytes > spaceBytes) {
            waiting++;
            pauses += paused ? 0 : 1;
            paused = true;
            return;
        }
        unsent--;
        spaceBytes -= bytes;
        long first = sequential ? nextBlock : random.nextLong(blocks);
        nextBlock += count;
        HeapPayload payload = sequential ? large : block;
        payload.retain();
        append(new LogRecord.Written(
                new Lsn(1, ++seq), Lsn.ZERO, ByteRange.ofBlocks(first, count), RequestId.NONE, payload));
    }

    /** Writes that wait for space. */
    private int waiting;

    private void append(LogRecord record) {
        store.execute(volume, new Effect.Append(++ticket, record));
    }

    private void handle(Event event) {
        switch (event) {
            case Event.Appended a -> {
                long count = a.throughTicket() - appended;
                appended = a.throughTicket();
                for (long i = 0; i < count; i++) {
                    left--;
                    if (left == 0) {
                        finished.complete(true);
                    } else {
                        next();
                    }
                }
            }
            case Event.SpaceAvailable space -> {
                spaceBytes = space.freeBytes();
                told.complete(true);
                if (paused && spaceBytes >= BlockGeometry.BLOCK_BYTES) {
                    paused = false;
                    int again = waiting;
                    waiting = 0;
                    for (int i = 0; i < again; i++) {
                        next();
                    }
                }
            }
            case Event.StoreFaulted f -> finished.completeExceptionally(new IOException(f.reason()));
            default -> {}
        }
    }

    @Override
    public void close() throws IOException {
        store.close();
        loop.shutdown();
    }
}
