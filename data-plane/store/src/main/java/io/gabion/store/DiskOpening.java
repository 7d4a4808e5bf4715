package io.gabion.store;

import io.gabion.model.BlockGeometry;
import io.gabion.model.DiskId;
import io.gabion.store.device.BufferPool;
import io.gabion.store.device.DeviceFile;
import io.gabion.store.device.Superblock;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.log.BatchBuilder;
import io.gabion.store.metadata.MetadataStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens a disk: lock, identity, open count, recovery, first checkpoint. Formats an empty one if that is allowed. Nothing is
 * changed on a disk that is refused.
 */
final class DiskOpening {
    private static final Logger LOG = LoggerFactory.getLogger(DiskOpening.class);
    private static final long DATA_MAGIC = 0x474142494f4e4454L;
    /** Filled with zeros before the first write, so that a new disk is not slow from the start. */
    private static final long FIRST_FILL_BYTES = 16L << 20;

    private DiskOpening() {}

    /** An open disk. {@code superblock} starts with the one of this opening. */
    record Opened(
            DeviceFile file,
            MetadataStore metadata,
            CurrentSuperblock superblock,
            Recovery.Recovered recovered,
            DiskIdentity identity) {}

    static Opened open(DiskStoreOptions options, DiskFiles files) throws IOException {
        Optional<Superblock> found = files.superblock();
        boolean format = found.isEmpty();
        if (format && !options.mayFormat()) {
            throw new IOException(files.name() + " holds no Gabion disk, and formatting was not allowed");
        }
        boolean empty = files.isEmpty();
        long capacity = options.capacityBytes() / BlockGeometry.BLOCK_BYTES;
        found.ifPresent(superblock -> check(superblock, options, files.name()));
        DeviceFile file = files.openData(empty ? capacity * BlockGeometry.BLOCK_BYTES : 0);
        MetadataStore metadata = null;
        boolean opened = false;
        try {
            if (format && !empty) {
                requireNeverUsed(file, files.name());
            }
            // Another process may have opened the disk between the first look and the lock.
            Superblock before = format
                    ? newSuperblock(options, capacity)
                    : files.superblock().orElseThrow();
            if (!format) {
                checkData(file, before, files.name());
                // Missing when formatting was cut off right before its end.
                writeDataHeader(file, before.disk());
                files.writeSuperblock(raised(before, options));
            }
            metadata = files.openMetadata();
            if (format) {
                format(file, metadata, before, files, options);
            }
            Opened result = recover(file, metadata, before, options, files, format);
            opened = true;
            return result;
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } catch (IllegalStateException e) {
            throw new IOException(files.name() + " cannot be recovered: " + e.getMessage(), e);
        } finally {
            if (!opened) {
                if (metadata != null) {
                    metadata.close();
                }
                file.close();
            }
        }
    }

    private static void check(Superblock superblock, DiskStoreOptions options, String name) {
        String problem = null;
        if (!superblock.cluster().equals(options.cluster())) {
            problem = "belongs to cluster " + superblock.cluster() + ", this node to " + options.cluster()
                    + ": it is left alone";
        } else if (!superblock.node().equals(options.node())) {
            problem = "was last opened by node " + superblock.node() + ", this is node " + options.node()
                    + ": move it back, or format it anew";
        } else if (superblock.damaged()) {
            problem =
                    "was found to have a damaged index: replace it, or empty its directory to have it formatted anew; its"
                            + " replicas are rebuilt from others";
        }
        if (problem != null) {
            throw new UncheckedIOException(
                    new IOException("disk " + superblock.disk() + " in " + name + " " + problem));
        }
    }

    private static Superblock newSuperblock(DiskStoreOptions options, long capacity) {
        return new Superblock(
                options.cluster(),
                new DiskId(UUID.randomUUID()),
                options.node(),
                options.pool(),
                options.bootId(),
                UUID.randomUUID(),
                0,
                0,
                capacity,
                0,
                true,
                false);
    }

    private static Superblock raised(Superblock before, DiskStoreOptions options) {
        long count = Math.max(before.openCount(), options.recordedOpenCount().orElse(0)) + 1;
        return before.opened(count, options.bootId(), options.node(), options.pool());
    }

    private static void format(
            DeviceFile file, MetadataStore metadata, Superblock superblock, DiskFiles files, DiskStoreOptions options)
            throws IOException {
        LOG.info(
                "formatting {} as disk {} with {} blocks",
                files.name(),
                superblock.disk(),
                superblock.capacityBlocks());
        BlockAllocator allocator = new BlockAllocator(superblock.capacityBlocks());
        long firstFill = Math.min(FIRST_FILL_BYTES, options.zeroFillBytes()) / BlockGeometry.BLOCK_BYTES;
        if (firstFill > 0) {
            var run = allocator.claimFill((int) firstFill);
            if (run.isPresent()) {
                ZeroFill.write(file, run.get());
                allocator.fillDone(run.get());
            }
        }
        try (DiskIndex index = new DiskIndex(metadata, allocator, 0, BatchBuilder.fresh(allocator, 0, 0))) {
            index.writePages();
        }
        metadata.flush();
        // From here on the directory holds a disk.
        files.writeSuperblock(raised(superblock, options));
        writeDataHeader(file, superblock.disk());
    }

    private static Opened recover(
            DeviceFile file,
            MetadataStore metadata,
            Superblock before,
            DiskStoreOptions options,
            DiskFiles files,
            boolean formatted)
            throws IOException {
        Superblock now = files.superblock().orElseThrow();
        boolean unclean = !before.clean() && !before.bootId().equals(options.bootId());
        boolean rolledBack = !formatted
                && options.recordedOpenCount().isPresent()
                && before.openCount() < options.recordedOpenCount().getAsLong();
        if (rolledBack) {
            LOG.error(
                    "disk {} was opened {} times but {} are recorded: it was rolled back or copied; nothing on it is a source",
                    before.disk(),
                    before.openCount(),
                    options.recordedOpenCount().getAsLong());
        }
        Recovery.Recovered recovered =
                Recovery.run(file, before, now.openCount(), metadata, options.extentCacheBytes());
        // The cut tail must not come back when a later batch calls this one durable.
        recovered.index().writePages();
        recovered.allocator().beginCheckpoint();
        metadata.flush();
        recovered.allocator().checkpointDone(0);
        recovered.allocator().reclaim(Long.MAX_VALUE);
        LOG.info(
                "disk {} opened for the {}. time: {} replicas, {} batches replayed, unclean {}, damaged {}",
                now.disk(),
                now.openCount(),
                recovered.index().replicas().size(),
                recovered.replayedBatches(),
                unclean,
                recovered.damaged());
        DiskIdentity identity = new DiskIdentity(
                now.disk(),
                now.cluster(),
                now.node(),
                now.pool(),
                now.openCount(),
                Superblock.FORMAT_VERSION,
                rolledBack,
                unclean,
                formatted);
        return new Opened(file, metadata, new CurrentSuperblock(files, now), recovered, identity);
    }

    // ---- block 0 of the data file: magic (8), disk (16)
    static ByteBuffer dataHeader(DiskId disk) {
        ByteBuffer block = BufferPool.aligned(BlockGeometry.BLOCK_BYTES);
        block.putLong(0, DATA_MAGIC);
        block.putLong(8, disk.value().getMostSignificantBits());
        block.putLong(16, disk.value().getLeastSignificantBits());
        return block;
    }

    private static void writeDataHeader(DeviceFile file, DiskId disk) throws IOException {
        file.write(0, dataHeader(disk));
        file.sync();
    }

    private static ByteBuffer readDataHeader(DeviceFile file) throws IOException {
        ByteBuffer block = BufferPool.aligned(BlockGeometry.BLOCK_BYTES);
        file.read(0, block);
        return block;
    }

    private static void requireNeverUsed(DeviceFile file, String name) throws IOException {
        if (readDataHeader(file).getLong(0) != 0) {
            throw new IOException("both superblocks in " + name
                    + " are missing or damaged, but its data file was used: it is left alone");
        }
    }

    /** The data file must be the one that belongs to the superblock. */
    static void checkData(DeviceFile file, Superblock superblock, String name) throws IOException {
        ByteBuffer block = readDataHeader(file);
        UUID found = new UUID(block.getLong(8), block.getLong(16));
        boolean neverWritten = block.getLong(0) == 0 && superblock.openCount() <= 1;
        if (!neverWritten
                && (block.getLong(0) != DATA_MAGIC
                        || !found.equals(superblock.disk().value()))) {
            throw new IOException("the data file in " + name + " does not belong to disk " + superblock.disk()
                    + " (it says " + found + "): it is left alone");
        }
    }
}
