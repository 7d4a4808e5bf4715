package io.gabion.store;

import io.gabion.core.message.BlockVersion;
import io.gabion.model.BlockGeometry;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.Version;
import io.gabion.store.integrity.BlockChecksum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A set of blocks to read into buffers, with what is needed to check each. Built on one thread, then handed to the device's
 * threads. What cannot be read, or is not what was written, is read once more, alone, before it counts as bad.
 */
final class BlockFetch {
    private static final ThreadLocal<BlockChecksum> CHECKSUM = ThreadLocal.withInitial(BlockChecksum::new);

    private final VolumeId origin;
    private final List<Target> targets = new ArrayList<>();

    BlockFetch(VolumeId origin) {
        this.origin = origin;
    }

    private record Target(
            VolumeId origin, long block, long place, long epoch, long seq, int crc, ByteBuffer buffer, int offset) {
        BlockDevice.Piece piece(int blocks) {
            return new BlockDevice.Piece(place, buffer.slice(offset, blocks * BlockGeometry.BLOCK_BYTES));
        }

        boolean isRight() {
            return CHECKSUM.get().of(origin, block, epoch, seq, buffer, offset) == crc;
        }

        Bad bad(@Nullable IOException problem) {
            String what = problem == null ? "fails its checksum" : "cannot be read: " + problem.getMessage();
            return new Bad(
                    origin,
                    new BlockVersion(block, new Lsn(epoch, seq), crc),
                    place,
                    problem != null,
                    "block " + block + " of volume " + origin + " (place " + place + ", version " + epoch + "." + seq
                            + ") " + what);
        }
    }

    /** A block that is not there as it was written; {@code origin} is the volume under whose name it was. */
    record Bad(VolumeId origin, BlockVersion version, long place, boolean unreadable, String reason) {}

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

    /** Reads all; {@code done} is told of what is bad on a thread of the device, which may be this one. */
    void read(BlockDevice device, Consumer<List<Bad>> done) {
        if (targets.isEmpty()) {
            done.accept(List.of());
            return;
        }
        device.read(pieces(), failure -> {
            List<Target> suspects = failure == null
                    ? targets.stream().filter(target -> !target.isRight()).toList()
                    : targets;
            if (suspects.isEmpty()) {
                done.accept(List.of());
            } else {
                readAgain(device, suspects, done);
            }
        });
    }

    /** As {@link #read}, and waits. */
    List<Bad> readAndWait(BlockDevice device) {
        CompletableFuture<List<Bad>> result = new CompletableFuture<>();
        read(device, result::complete);
        return result.join();
    }

    private static void readAgain(BlockDevice device, List<Target> suspects, Consumer<List<Bad>> done) {
        AtomicInteger open = new AtomicInteger(suspects.size());
        ConcurrentLinkedQueue<Bad> bad = new ConcurrentLinkedQueue<>();
        for (Target target : suspects) {
            device.read(List.of(target.piece(1)), problem -> {
                if (problem != null || !target.isRight()) {
                    bad.add(target.bad(problem));
                }
                if (open.decrementAndGet() == 0) {
                    done.accept(List.copyOf(bad));
                }
            });
        }
    }

    /** What to read: neighbours in place and buffer together. */
    private List<BlockDevice.Piece> pieces() {
        List<BlockDevice.Piece> pieces = new ArrayList<>();
        int start = 0;
        while (start < targets.size()) {
            int end = start + 1;
            while (end < targets.size() && follows(targets.get(end - 1), targets.get(end))) {
                end++;
            }
            pieces.add(targets.get(start).piece(end - start));
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
}
