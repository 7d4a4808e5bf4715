package io.gabion.store;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.Payload;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.device.BufferPool;
import io.gabion.store.device.PooledPayload;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.integrity.BlockChecksum;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Reads of content and versions. Belongs to the owner loop; data is read and checked on the device's threads. */
final class ReadPath {
    /** Blocks of one run of an answer: a payload has a largest size. */
    private static final int MAX_RUN_BLOCKS = BlockGeometry.MAX_IO_BYTES / BlockGeometry.BLOCK_BYTES;

    private static final ThreadLocal<BlockChecksum> CHECKSUM = ThreadLocal.withInitial(BlockChecksum::new);
    private static final byte[] ZEROS = new byte[BlockGeometry.CHUNK_BYTES];

    private final Executor loop;
    private final BlockDevice device;
    private final BufferPool pool;
    private final DiskIndex index;
    private final BlockAllocator allocator;
    private final Readers readers;
    private final StoreEvents events;
    private final StoreMetrics metrics;
    private final Damages damages;
    private final HealthWatch health;
    private final Runnable readerEnded;

    ReadPath(Engine engine, BufferPool pool, Damages damages, HealthWatch health, Runnable readerEnded) {
        this.loop = engine.loop();
        this.device = engine.device();
        this.pool = pool;
        this.index = engine.index();
        this.allocator = engine.allocator();
        this.readers = engine.readers();
        this.events = engine.notifier().events();
        this.metrics = engine.notifier().metrics();
        this.damages = damages;
        this.health = health;
        this.readerEnded = readerEnded;
    }

    // ---- content
    /** Reads as the replica is after {@code at}: {@link ReplicaExtents#HEAD}, or an LSN that is pinned. */
    void read(VolumeId volume, ReplicaState replica, Lsn at, Effect.Read read) {
        int length = Math.toIntExact(read.range().length());
        ByteBuffer buffer = pool.take(length);
        BlockFetch fetch = new BlockFetch(replica.extents().origin());
        int offset = 0;
        Chunk chunk = null;
        long end = read.range().firstBlock() + read.range().blockCount();
        for (long block = read.range().firstBlock(); block < end; block++) {
            int i = (int) (block % Chunk.BLOCKS);
            if (chunk == null || i == 0) {
                chunk = chunk(replica, at, block);
            }
            if (chunk.isData(i)) {
                fetch.add(chunk, i, block, buffer, offset);
            } else {
                buffer.put(offset, ZEROS, 0, BlockGeometry.BLOCK_BYTES);
            }
            offset += BlockGeometry.BLOCK_BYTES;
        }
        run(
                new Question(volume, replica, read.ticket()),
                fetch,
                () -> new Event.ReadCompleted(
                        read.ticket(),
                        new PooledPayload(pool, buffer, length, CHECKSUM.get().plain(buffer, 0, length))),
                () -> pool.giveBack(buffer));
    }

    void readBlocks(VolumeId volume, ReplicaState replica, Lsn at, Effect.ReadBlocks read) {
        Map<Long, BlockVersion> known = new HashMap<>();
        for (BlockVersion version : read.known()) {
            known.put(version.block(), version);
        }
        List<Draft> drafts = new ArrayList<>();
        BlockFetch fetch = new BlockFetch(replica.extents().origin());
        Draft last = null;
        long end = read.range().firstBlock() + read.range().blockCount();
        Chunk chunk = null;
        for (long block = read.range().firstBlock(); block < end; block++) {
            int i = (int) (block % Chunk.BLOCKS);
            if (chunk == null || i == 0) {
                chunk = chunk(replica, at, block);
            }
            if (!read.all() && isKnown(replica, chunk, i, known.get(block))) {
                continue;
            }
            if (last == null || !last.continuesWith(chunk, i, block)) {
                last = new Draft(block, chunk.isData(i), chunk.epoch(i), chunk.seq(i));
                drafts.add(last);
            }
            last.blocks++;
        }
        for (Draft draft : drafts) {
            prepare(replica, at, draft, fetch);
        }
        run(
                new Question(volume, replica, read.ticket()),
                fetch,
                () -> new Event.BlocksRead(
                        read.ticket(), drafts.stream().map(this::finish).toList()),
                () -> drafts.forEach(draft -> draft.giveBack(pool)));
    }

    /** Under the name of the replica's own volume, as on members that have a copy of what is inherited here. */
    private static int crc(ReplicaState replica, Chunk chunk, int i) {
        VolumeId inherited = chunk.inheritedFrom(i);
        return inherited == null
                ? chunk.crc(i)
                : CHECKSUM.get()
                        .renamed(chunk.crc(i), inherited, replica.extents().origin());
    }

    private static boolean isKnown(ReplicaState replica, Chunk chunk, int i, @Nullable BlockVersion known) {
        if (known == null) {
            return !chunk.isData(i);
        }
        return chunk.isData(i)
                && crc(replica, chunk, i) == known.crc32c()
                && chunk.epoch(i) == known.lsn().epoch()
                && chunk.seq(i) == known.lsn().seq();
    }

    /** A run of the answer before its data is there. */
    private static final class Draft {
        private final long firstBlock;
        private final boolean data;
        private final long epoch;
        private final long seq;
        private int blocks;
        private @Nullable ByteBuffer buffer;

        Draft(long firstBlock, boolean data, long epoch, long seq) {
            this.firstBlock = firstBlock;
            this.data = data;
            this.epoch = epoch;
            this.seq = seq;
        }

        boolean continuesWith(Chunk chunk, int i, long block) {
            return block == firstBlock + blocks
                    && chunk.isData(i) == data
                    && chunk.epoch(i) == epoch
                    && chunk.seq(i) == seq
                    && (!data || blocks < MAX_RUN_BLOCKS);
        }

        void giveBack(BufferPool pool) {
            ByteBuffer taken = buffer;
            if (taken != null) {
                pool.giveBack(taken);
            }
        }
    }

    private void prepare(ReplicaState replica, Lsn at, Draft draft, BlockFetch fetch) {
        if (!draft.data) {
            return;
        }
        ByteBuffer buffer = pool.take(draft.blocks * BlockGeometry.BLOCK_BYTES);
        draft.buffer = buffer;
        Chunk chunk = null;
        for (int n = 0; n < draft.blocks; n++) {
            long block = draft.firstBlock + n;
            if (chunk == null || block % Chunk.BLOCKS == 0) {
                chunk = chunk(replica, at, block);
            }
            fetch.add(chunk, (int) (block % Chunk.BLOCKS), block, buffer, n * BlockGeometry.BLOCK_BYTES);
        }
    }

    private BlockRun finish(Draft draft) {
        Optional<Payload> payload = Optional.empty();
        ByteBuffer buffer = draft.buffer;
        if (buffer != null) {
            int length = draft.blocks * BlockGeometry.BLOCK_BYTES;
            payload = Optional.of(
                    new PooledPayload(pool, buffer, length, CHECKSUM.get().plain(buffer, 0, length)));
        }
        return new BlockRun(draft.firstBlock, draft.blocks, new Lsn(draft.epoch, draft.seq), payload);
    }

    /** A read on its way. */
    private record Question(VolumeId volume, ReplicaState replica, long ticket) {}

    private void run(Question question, BlockFetch fetch, Supplier<Event> success, Runnable cleanUp) {
        long started = System.nanoTime();
        if (fetch.isEmpty()) {
            Event event = success.get();
            loop.execute(() -> {
                metrics.read(0, System.nanoTime() - started);
                events.accept(question.volume(), event);
            });
            return;
        }
        long reader = readers.begin();
        long operation = health.begin();
        fetch.read(device, bad -> {
            Event event = bad.isEmpty()
                    ? success.get()
                    : new Event.ReadFailed(question.ticket(), bad.getFirst().reason());
            if (!bad.isEmpty()) {
                cleanUp.run();
            }
            loop.execute(() -> {
                health.end(operation);
                damages.found(question.replica(), bad);
                readers.end(reader);
                allocator.reclaim(readers.oldest());
                metrics.read(fetch.bytes(), System.nanoTime() - started);
                events.accept(question.volume(), event);
                readerEnded.run();
            });
        });
    }

    // ---- what the index knows without reading data
    void readVersions(VolumeId volume, ReplicaState replica, Lsn at, Effect.ReadVersions read) {
        List<BlockVersion> versions = new ArrayList<>();
        Chunk chunk = null;
        long end = read.range().firstBlock() + read.range().blockCount();
        for (long block = read.range().firstBlock(); block < end; block++) {
            int i = (int) (block % Chunk.BLOCKS);
            if (chunk == null || i == 0) {
                chunk = chunk(replica, at, block);
            }
            if (chunk.isData(i)) {
                versions.add(new BlockVersion(block, new Lsn(chunk.epoch(i), chunk.seq(i)), crc(replica, chunk, i)));
            }
        }
        answer(volume, new Event.VersionsRead(read.ticket(), List.copyOf(versions)));
    }

    void readExtents(VolumeId volume, ReplicaState replica, Lsn at, Effect.ReadExtents read) {
        List<ClientMessage.Extent> extents = new ArrayList<>();
        ByteRange range = read.range();
        boolean hole = false;
        long length = 0;
        Chunk chunk = null;
        long end = range.firstBlock() + range.length() / BlockGeometry.BLOCK_BYTES;
        for (long block = range.firstBlock(); block < end; block++) {
            int i = (int) (block % Chunk.BLOCKS);
            if (chunk == null || i == 0) {
                chunk = chunk(replica, at, block);
            }
            boolean isHole = !chunk.isData(i);
            if (length > 0 && isHole != hole) {
                extents.add(new ClientMessage.Extent(length, hole));
                length = 0;
            }
            hole = isHole;
            length += BlockGeometry.BLOCK_BYTES;
        }
        if (length > 0) {
            extents.add(new ClientMessage.Extent(length, hole));
        }
        answer(volume, new Event.ExtentsRead(read.ticket(), List.copyOf(extents)));
    }

    private Chunk chunk(ReplicaState replica, Lsn at, long block) {
        long number = block / Chunk.BLOCKS;
        return at.equals(ReplicaExtents.HEAD)
                ? index.chunk(replica.extents(), number)
                : index.chunk(replica.extents(), number, at);
    }

    void answer(VolumeId volume, Event event) {
        loop.execute(() -> events.accept(volume, event));
    }
}
