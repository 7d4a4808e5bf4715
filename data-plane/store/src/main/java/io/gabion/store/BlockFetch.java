package io.gabion.store;

import io.gabion.model.BlockGeometry;
import io.gabion.model.VolumeId;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.Version;
import io.gabion.store.integrity.BlockChecksum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A set of blocks to read into buffers, with what is needed to check each. Built on the owner loop, checked on any one thread
 * after the device has filled the buffers.
 */
final class BlockFetch {
    private final VolumeId origin;
    private final List<Target> targets = new ArrayList<>();

    BlockFetch(VolumeId origin) {
        this.origin = origin;
    }

    private record Target(
            VolumeId origin, long block, long place, long epoch, long seq, int crc, ByteBuffer buffer, int offset) {}

    /** Block {@code i} of the chunk, which is block {@code block} of the volume, goes to {@code offset} of the buffer. */
    void add(Chunk chunk, int i, long block, ByteBuffer buffer, int offset) {
        VolumeId inherited = chunk.inheritedFrom(i);
        targets.add(new Target(
                inherited == null ? origin : inherited,
                block,
                chunk.place(i),
                chunk.epoch(i),
                chunk.seq(i),
                chunk.crc(i),
                buffer,
                offset));
    }

    /** A version of the fetch's own volume. */
    void add(Version version, long block, ByteBuffer buffer, int offset) {
        targets.add(new Target(
                origin, block, version.place(), version.epoch(), version.seq(), version.crc(), buffer, offset));
    }

    boolean isEmpty() {
        return targets.isEmpty();
    }

    long bytes() {
        return (long) targets.size() * BlockGeometry.BLOCK_BYTES;
    }

    /** What to read: neighbours in place and buffer together. */
    List<BlockDevice.Piece> pieces() {
        List<BlockDevice.Piece> pieces = new ArrayList<>();
        int start = 0;
        while (start < targets.size()) {
            int end = start + 1;
            while (end < targets.size() && follows(targets.get(end - 1), targets.get(end))) {
                end++;
            }
            Target first = targets.get(start);
            pieces.add(new BlockDevice.Piece(
                    first.place(), first.buffer().slice(first.offset(), (end - start) * BlockGeometry.BLOCK_BYTES)));
            start = end;
        }
        return pieces;
    }

    @SuppressWarnings("ReferenceEquality") // the same buffer, not one with equal content
    private static boolean follows(Target a, Target b) {
        return b.buffer() == a.buffer()
                && b.place() == a.place() + 1
                && b.offset() == a.offset() + BlockGeometry.BLOCK_BYTES;
    }

    /** Reads everything and waits for it. */
    void fill(BlockDevice device) throws IOException {
        List<BlockDevice.Piece> pieces = pieces();
        CountDownLatch open = new CountDownLatch(pieces.size());
        AtomicReference<@Nullable IOException> failure = new AtomicReference<>();
        for (BlockDevice.Piece piece : pieces) {
            device.read(List.of(piece), problem -> {
                if (problem != null) {
                    failure.set(problem);
                }
                open.countDown();
            });
        }
        try {
            open.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while reading", e);
        }
        IOException first = failure.get();
        if (first != null) {
            throw first;
        }
    }

    /** Names the first block whose content is not what was written; empty when all are right. */
    Optional<String> firstDamaged(BlockChecksum checksum) {
        for (Target target : targets) {
            int found = checksum.of(
                    target.origin(), target.block(), target.epoch(), target.seq(), target.buffer(), target.offset());
            if (found != target.crc()) {
                return Optional.of("block " + target.block() + " of volume " + target.origin() + " (place "
                        + target.place() + ", version " + target.epoch() + "." + target.seq() + ") fails its checksum");
            }
        }
        return Optional.empty();
    }
}
