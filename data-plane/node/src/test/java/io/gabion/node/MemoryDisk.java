package io.gabion.node;

import static io.gabion.model.BlockGeometry.BLOCKS_PER_REGION;
import static io.gabion.model.BlockGeometry.BLOCK_BYTES;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Payload;
import io.gabion.core.message.RegionState;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.message.TailEntry;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.model.ByteRange;
import io.gabion.model.DiskId;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.node.control.VerifyOutcome;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A disk in memory that is durable as soon as it is told: outlives a node of the test's process, not the process. */
final class MemoryDisk implements ReplicaDisk {
    private static final long SIZE = 1L << 30;

    private final DiskId id = new DiskId(UUID.randomUUID());
    private final Map<VolumeId, Content> volumes = new HashMap<>();
    private long openCount;
    private @Nullable Loop loop;
    private DiskOpening.@Nullable Listener listener;

    /** {@code bytes} is null for a hole. */
    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Block(Lsn lsn, int crc32c, byte @Nullable [] bytes) {}

    private static final class Content {
        private final TreeMap<Long, Block> blocks = new TreeMap<>();
        private final List<TailEntry> log = new ArrayList<>();
        private @Nullable ReplicaRecord record;
        private Lsn last = Lsn.ZERO;
        private Lsn committed = Lsn.ZERO;
    }

    /** As if an old image of the disk had been put back. */
    void rollBack() {
        openCount--;
    }

    DiskOpening opening() {
        return (options, newLoop, newListener) -> {
            loop = newLoop;
            listener = newListener;
            openCount++;
            return this;
        };
    }

    @Override
    public DiskId id() {
        return id;
    }

    @Override
    public long openCount() {
        return openCount;
    }

    @Override
    public String backend() {
        return "memory";
    }

    @Override
    public synchronized List<RecoveredReplica> replicas() {
        List<RecoveredReplica> found = new ArrayList<>();
        for (Content c : volumes.values()) {
            ReplicaRecord record = c.record;
            if (record != null) {
                List<TailEntry> tail =
                        c.log.stream().filter(e -> e.lsn().isAfter(c.committed)).toList();
                List<RequestId> requests = c.log.stream()
                        .map(TailEntry::request)
                        .filter(r -> !r.equals(RequestId.NONE))
                        .toList();
                found.add(new RecoveredReplica(
                        record, false, true, c.last, c.committed, tail, requests, SnapshotSet.NONE));
            }
        }
        return found;
    }

    @Override
    public synchronized void execute(VolumeId volume, Effect.StoreEffect effect) {
        Content c = volumes.computeIfAbsent(volume, _ -> new Content());
        switch (effect) {
            case Effect.Append(long ticket, LogRecord record) -> {
                boolean created = c.record == null;
                append(volume, c, record);
                if (created) {
                    answer(volume, new Event.SpaceAvailable(SIZE));
                }
                answer(volume, new Event.Appended(ticket));
            }
            case Effect.Read(long ticket, ByteRange range) ->
                answer(volume, new Event.ReadCompleted(ticket, payload(c, range.firstBlock(), range.blockCount())));
            case Effect.ReadExtents(long ticket, ByteRange range) ->
                answer(volume, new Event.ExtentsRead(ticket, List.of(new ClientMessage.Extent(range.length(), false))));
            case Effect.ReadBlocks(long ticket, ByteRange range, boolean all, List<BlockVersion> known) ->
                answer(volume, new Event.BlocksRead(ticket, runs(c, range, all, known)));
            case Effect.ReadVersions(long ticket, ByteRange range) ->
                answer(volume, new Event.VersionsRead(ticket, versions(c, range)));
            case Effect.ReadRegionTable(long ticket) -> answer(volume, new Event.RegionTableRead(ticket, regions(c)));
            case Effect.ReadChanges(long ticket, Lsn after) ->
                answer(volume, new Event.ChangesRead(ticket, Optional.empty()));
            case Effect.Clone clone -> answer(volume, new Event.Cloned(clone.ticket(), false));
            case Effect.AtSnapshot _ -> throw new IllegalArgumentException("no snapshots here");
            case Effect.Verify(long verify, Lsn lsn) ->
                Objects.requireNonNull(listener).verified(volume, verify, new VerifyOutcome.Failed(lsn, "in memory"));
        }
    }

    private void answer(VolumeId volume, Event event) {
        DiskOpening.Listener to = Objects.requireNonNull(listener);
        Objects.requireNonNull(loop).execute(() -> to.accept(volume, event));
    }

    private void append(VolumeId volume, Content c, LogRecord record) {
        switch (record) {
            case LogRecord.Written(Lsn lsn, Lsn committed, ByteRange range, RequestId request, Payload payload) -> {
                put(c, range.firstBlock(), range.blockCount(), lsn, payload);
                payload.release();
                logged(c, lsn, committed, range, request);
            }
            case LogRecord.Trimmed(Lsn lsn, Lsn committed, ByteRange range, RequestId request) -> {
                put(c, range.firstBlock(), range.blockCount(), lsn, null);
                logged(c, lsn, committed, range, request);
            }
            case LogRecord.SessionOpened(Lsn lsn, var session) ->
                logged(c, lsn, c.committed, new ByteRange(0, 0), RequestId.NONE);
            case LogRecord.Grown(Lsn lsn, long size) ->
                logged(c, lsn, c.committed, new ByteRange(0, 0), RequestId.NONE);
            case LogRecord.Marked(Lsn lsn) -> logged(c, lsn, c.committed, new ByteRange(0, 0), RequestId.NONE);
            case LogRecord.Copied(long liveEpoch, List<BlockRun> runs) -> {
                for (BlockRun run : runs) {
                    copy(c, liveEpoch, run);
                    run.payload().ifPresent(Payload::release);
                }
            }
            case LogRecord.ReplicaChanged(ReplicaRecord changed) -> {
                c.record = changed;
                c.last = Lsn.max(c.last, changed.position());
            }
            case LogRecord.SnapshotTaken _,
                    LogRecord.SnapshotDeleted _,
                    LogRecord.CopiedUnder _,
                    LogRecord.Repaired _ -> throw new IllegalArgumentException("no snapshots here");
            case LogRecord.ReplicaDeleted() -> volumes.remove(volume);
        }
    }

    private static void logged(Content c, Lsn lsn, Lsn committed, ByteRange range, RequestId request) {
        c.log.add(new TailEntry(lsn, range, request));
        c.last = Lsn.max(c.last, lsn);
        c.committed = Lsn.max(c.committed, committed);
    }

    private static void put(Content c, long first, int count, Lsn lsn, @Nullable Payload payload) {
        ByteBuffer bytes = payload == null ? null : payload.bytes();
        for (int i = 0; i < count; i++) {
            byte[] block = null;
            if (bytes != null) {
                block = new byte[BLOCK_BYTES];
                bytes.get(block);
            }
            c.blocks.put(first + i, block(lsn, block));
        }
    }

    private static Block block(Lsn lsn, byte @Nullable [] bytes) {
        return new Block(lsn, bytes == null ? 0 : HeapPayload.of(bytes).crc32c(), bytes);
    }

    private static void copy(Content c, long liveEpoch, BlockRun run) {
        ByteBuffer bytes = run.payload().map(Payload::bytes).orElse(null);
        for (int i = 0; i < run.blocks(); i++) {
            byte[] block = null;
            if (bytes != null) {
                block = new byte[BLOCK_BYTES];
                bytes.get(block);
            }
            Block present = c.blocks.get(run.firstBlock() + i);
            boolean live = present != null
                    && present.lsn().epoch() == liveEpoch
                    && present.lsn().isAfter(run.lsn());
            if (!live) {
                c.blocks.put(run.firstBlock() + i, block(run.lsn(), block));
            }
        }
    }

    private static Payload payload(Content c, long first, int count) {
        ByteBuffer all = ByteBuffer.allocate(count * BLOCK_BYTES);
        for (int i = 0; i < count; i++) {
            Block block = c.blocks.get(first + i);
            byte[] bytes = block == null ? null : block.bytes();
            all.put(bytes == null ? new byte[BLOCK_BYTES] : bytes);
        }
        return HeapPayload.of(all.array());
    }

    private static List<BlockRun> runs(Content c, ByteRange range, boolean all, List<BlockVersion> known) {
        Map<Long, BlockVersion> theirs = new HashMap<>();
        known.forEach(version -> theirs.put(version.block(), version));
        List<BlockRun> runs = new ArrayList<>();
        for (long n = range.firstBlock(); n < range.firstBlock() + range.blockCount(); n++) {
            Block own = c.blocks.getOrDefault(n, new Block(Lsn.ZERO, 0, null));
            BlockVersion their = theirs.get(n);
            boolean hole = own.bytes() == null;
            boolean equal = hole
                    ? their == null
                    : their != null && their.lsn().equals(own.lsn()) && their.crc32c() == own.crc32c();
            if (all || !equal) {
                runs.add(new BlockRun(n, 1, own.lsn(), hole ? Optional.empty() : Optional.of(payload(c, n, 1))));
            }
        }
        return runs;
    }

    private static List<BlockVersion> versions(Content c, ByteRange range) {
        List<BlockVersion> versions = new ArrayList<>();
        c.blocks
                .subMap(range.firstBlock(), range.firstBlock() + range.blockCount())
                .forEach((n, block) -> {
                    if (block.bytes() != null) {
                        versions.add(new BlockVersion(n, block.lsn(), block.crc32c()));
                    }
                });
        return versions;
    }

    private static List<RegionState> regions(Content c) {
        Map<Integer, RegionState> regions = new TreeMap<>();
        c.blocks.forEach((n, block) -> {
            int region = (int) (n / BLOCKS_PER_REGION);
            long hash = block.bytes() == null ? 0 : Objects.hash(n, block.lsn(), block.crc32c());
            RegionState before = regions.getOrDefault(region, new RegionState(region, Lsn.ZERO, 0));
            regions.put(region, new RegionState(region, Lsn.max(before.highest(), block.lsn()), before.hash() + hash));
        });
        return List.copyOf(regions.values());
    }

    @Override
    public Space space() {
        return new Space(SIZE, 0, 0, SIZE);
    }

    @Override
    public Map<VolumeId, Use> use(Collection<VolumeId> asked) {
        return Map.of();
    }

    @Override
    public SortedMap<Long, Lsn> snapshots(VolumeId volume) {
        return new TreeMap<>();
    }

    @Override
    public CompletableFuture<SortedMap<Long, SnapshotSpace>> snapshotSpace(VolumeId volume) {
        return CompletableFuture.completedFuture(new TreeMap<>());
    }

    @Override
    public void digestSnapshot(VolumeId volume, long snapshot, long digest) {
        Objects.requireNonNull(listener).verified(volume, digest, new VerifyOutcome.Failed(Lsn.ZERO, "in memory"));
    }

    @Override
    public void scrub(ScrubPolicy policy) {}

    @Override
    public ScrubCounts scrubCounts() {
        return ScrubCounts.NONE;
    }

    @Override
    public Health health() {
        return Health.UNKNOWN;
    }

    @Override
    public void look() {}

    @Override
    public Counts counts() {
        return new Counts(0, 0, 0, 0, 0);
    }

    @Override
    public void close() {}
}
