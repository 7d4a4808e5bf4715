package io.gabion.store;

import io.gabion.model.BlockGeometry;
import io.gabion.store.device.BufferPool;
import io.gabion.store.device.DeviceFile;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.Run;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes zeros to the data file ahead of its use: a write into blocks that the file system has never written costs a commit of
 * its journal. Belongs to the owner loop; the writing is done elsewhere.
 */
final class ZeroFill {
    private static final Logger LOG = LoggerFactory.getLogger(ZeroFill.class);
    private static final int PIECE_BLOCKS = 256;
    /** Bounds what a cache below may have to write at once. */
    private static final int SYNC_BLOCKS = 16 * PIECE_BLOCKS;
    /** Between two pieces, so that the disk stays free for what matters. */
    private static final long PAUSE_NANOS = 500_000;

    private final Executor loop;
    private final Executor helper;
    private final DeviceFile file;
    private final BlockAllocator allocator;
    private final int stepBlocks;
    private volatile boolean stopped;
    private boolean running;

    ZeroFill(Executor loop, Executor helper, DeviceFile file, BlockAllocator allocator, long stepBytes) {
        this.loop = loop;
        this.helper = helper;
        this.file = file;
        this.allocator = allocator;
        this.stepBlocks = (int) Math.min(stepBytes / BlockGeometry.BLOCK_BYTES, 1 << 24);
        this.stopped = stepBytes == 0;
    }

    /** Fills the next step if there is need. */
    void check() {
        if (running || stopped || !allocator.wantsFill(stepBlocks / 2)) {
            return;
        }
        allocator.claimFill(stepBlocks).ifPresent(run -> {
            running = true;
            helper.execute(() -> {
                boolean filled = fill(run);
                loop.execute(() -> {
                    running = false;
                    allocator.fillDone(run);
                    stopped |= !filled;
                    check();
                });
            });
        });
    }

    void stop() {
        stopped = true;
    }

    private boolean fill(Run run) {
        try {
            write(file, run, () -> stopped);
            return true;
        } catch (IOException e) {
            LOG.warn("filling the data file ahead failed, goes on without: {}", e.getMessage());
            return false;
        }
    }

    /** Fills a run with zeros; for the first step of a new disk. */
    static void write(DeviceFile file, Run run) throws IOException {
        write(file, run, () -> false);
    }

    private static void write(DeviceFile file, Run run, java.util.function.BooleanSupplier stop) throws IOException {
        ByteBuffer zeros = BufferPool.aligned(PIECE_BLOCKS * BlockGeometry.BLOCK_BYTES);
        for (long place = run.start(); place < run.end() && !stop.getAsBoolean(); place += PIECE_BLOCKS) {
            int blocks = (int) Math.min(PIECE_BLOCKS, run.end() - place);
            file.write(place * BlockGeometry.BLOCK_BYTES, zeros.clear().limit(blocks * BlockGeometry.BLOCK_BYTES));
            LockSupport.parkNanos(PAUSE_NANOS);
            if ((place - run.start()) % SYNC_BLOCKS == SYNC_BLOCKS - PIECE_BLOCKS) {
                file.sync();
            }
        }
        file.sync();
    }
}
