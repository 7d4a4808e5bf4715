package io.gabion.store;

import io.gabion.model.BlockGeometry;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.device.BufferPool;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ChunkHistory;
import io.gabion.store.extent.Version;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;

/**
 * Reads again and again everything that replicas hold, older versions included, and compares it with its checksums; no faster
 * than it is allowed. Each step looks through a view of the index of its own, so nothing is kept from being used again for long.
 * Belongs to the owner loop; the reading is done elsewhere.
 */
final class LightScrub {
    /** Read in one step, about. */
    private static final long STEP_BYTES = 1 << 20;
    /** A step also ends after this many chunks: holes have none to read. */
    private static final int STEP_CHUNKS = 1024;

    private static final long LONGEST_PAUSE_NANOS = 50_000_000;
    /** A pause after a pass, so that an empty disk is not asked all the time. */
    private static final long PASS_PAUSE_NANOS = 60_000_000_000L;
    /** After each step, so that many small replicas do not keep the loop busy. */
    private static final long STEP_PAUSE_NANOS = 5_000_000;

    private static final long SECOND_NANOS = 1_000_000_000;

    private final Executor loop;
    private final Executor helper;
    private final BlockDevice device;
    private final DiskIndex index;
    private final BlockAllocator allocator;
    private final Readers readers;
    private final Damages damages;
    private final Fault fault;

    private volatile boolean stopped;
    private boolean running;
    private long bytesPerSecond;
    private ScrubStatus status = new ScrubStatus(0, 0, 0, Optional.empty());
    /** Local number of the replica that is being read, and its next chunk. */
    private int replica;

    private long chunk;

    LightScrub(Engine engine, Damages damages) {
        this.loop = engine.loop();
        this.helper = engine.helpers();
        this.device = engine.device();
        this.index = engine.index();
        this.allocator = engine.allocator();
        this.readers = engine.readers();
        this.damages = damages;
        this.fault = engine.notifier().fault();
    }

    /** Begins, or goes on with another limit. */
    void start(long newBytesPerSecond) {
        if (newBytesPerSecond <= 0) {
            throw new IllegalArgumentException("bytesPerSecond must be positive, not " + newBytesPerSecond);
        }
        bytesPerSecond = newBytesPerSecond;
        if (!running) {
            step();
        }
    }

    /** Ends soon; for a shutdown. */
    void stop() {
        stopped = true;
    }

    boolean isRunning() {
        return running;
    }

    ScrubStatus status() {
        return status;
    }

    /** What a step found. */
    private record Outcome(
            long nextChunk, long blocks, List<BlockFetch.Bad> bad, Optional<RuntimeException> indexProblem) {}

    private void step() {
        running = !stopped && !fault.isSet();
        if (!running) {
            return;
        }
        Optional<ReplicaState> found = present();
        if (found.isEmpty()) {
            replica = 0;
            chunk = 0;
            status = new ScrubStatus(
                    status.passes() + 1, status.checkedBytes(), status.damagedBlocks(), status.lastDamage());
            pauseAndGoOn(PASS_PAUSE_NANOS);
            return;
        }
        ReplicaState state = found.get();
        MetadataStore.MetadataView view = index.metadata().view();
        long reader = readers.begin();
        long from = chunk;
        helper.execute(() -> {
            Outcome outcome = read(view, state, from);
            loop.execute(() -> {
                view.close();
                damages.found(state, outcome.bad());
                readers.end(reader);
                allocator.reclaim(readers.oldest());
                done(outcome);
            });
        });
    }

    /** The replica that is being read, or the next one when it is read or gone. */
    private Optional<ReplicaState> present() {
        Optional<ReplicaState> next = index.lineage().nextFrom(replica);
        if (next.isPresent() && next.get().extents().number() != replica) {
            replica = next.get().extents().number();
            chunk = 0;
        }
        return next;
    }

    private void done(Outcome outcome) {
        outcome.indexProblem().ifPresent(fault::index);
        Optional<String> last = outcome.bad().isEmpty()
                ? status.lastDamage()
                : Optional.of(outcome.bad().getLast().reason());
        long bytes = outcome.blocks() * BlockGeometry.BLOCK_BYTES;
        status = new ScrubStatus(
                status.passes(),
                status.checkedBytes() + bytes,
                status.damagedBlocks() + outcome.bad().size(),
                last);
        if (outcome.nextChunk() < 0) {
            replica++;
            chunk = 0;
        } else {
            chunk = outcome.nextChunk();
        }
        pauseAndGoOn(Math.max(STEP_PAUSE_NANOS, bytes * SECOND_NANOS / bytesPerSecond));
    }

    private void pauseAndGoOn(long nanos) {
        if (stopped) {
            // The helpers may be gone already.
            running = false;
            return;
        }
        helper.execute(() -> {
            long end = System.nanoTime() + nanos;
            for (long left = nanos; left > 0 && !stopped; left = end - System.nanoTime()) {
                LockSupport.parkNanos(Math.min(left, LONGEST_PAUSE_NANOS));
            }
            loop.execute(this::step);
        });
    }

    private Outcome read(MetadataStore.MetadataView view, ReplicaState state, long from) {
        int number = state.extents().number();
        ByteBuffer buffer = BufferPool.aligned(BlockGeometry.BLOCK_BYTES);
        List<BlockFetch.Bad> bad = new ArrayList<>();
        long blocks = 0;
        int chunks = 0;
        try (MetadataStore.MetadataCursor cursor = view.cursor()) {
            cursor.seek(MetadataKeys.extentsFrom(number, from * Chunk.BLOCKS));
            while (cursor.valid() && MetadataKeys.isExtentOf(cursor.key(), number)) {
                long next = MetadataKeys.extentBlock(cursor.key()) / Chunk.BLOCKS;
                if (stopped || blocks * BlockGeometry.BLOCK_BYTES >= STEP_BYTES || chunks++ >= STEP_CHUNKS) {
                    return new Outcome(next, blocks, bad, Optional.empty());
                }
                ChunkHistory history = ChunkHistory.load(cursor, number, next);
                for (int i = 0; i < Chunk.BLOCKS; i++) {
                    for (Version version : history.versions(i)) {
                        if (version.data()) {
                            blocks++;
                            BlockFetch fetch = new BlockFetch(state.extents().origin());
                            fetch.add(version, next * Chunk.BLOCKS + i, buffer, 0);
                            bad.addAll(fetch.readAndWait(device));
                        }
                    }
                }
            }
            return new Outcome(-1, blocks, bad, Optional.empty());
        } catch (RuntimeException e) {
            return new Outcome(-1, blocks, bad, Optional.of(e));
        }
    }
}
