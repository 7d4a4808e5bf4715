package io.gabion.store;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.RegionState;
import io.gabion.core.message.RequestId;
import io.gabion.core.port.Effect;
import io.gabion.core.port.EpochStart;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.ByteRange;
import io.gabion.model.ClusterId;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.RecoveryPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import io.gabion.store.log.BatchBuilder.Item;
import io.gabion.store.log.StoredRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** An open disk with a loop of its own, driven from a test's thread. */
final class StoreRig implements AutoCloseable {
    static final ClusterId CLUSTER = new ClusterId(new UUID(7, 7));
    static final NodeName NODE = new NodeName("node-1");
    static final UUID BOOT = new UUID(9, 9);
    private static final long WAIT_SECONDS = 30;

    private final ExecutorService loop = Executors.newSingleThreadExecutor();
    private final AtomicLong ticket = new AtomicLong();
    private final Map<Long, CompletableFuture<Event>> waiting = new ConcurrentHashMap<>();
    private final Map<VolumeId, ConcurrentSkipListMap<Long, CompletableFuture<Event>>> appends =
            new ConcurrentHashMap<>();
    private final Map<Long, CompletableFuture<VerifyResult>> verifications = new ConcurrentHashMap<>();
    private final CompletableFuture<String> fault = new CompletableFuture<>();
    private final Map<VolumeId, Long> space = new ConcurrentHashMap<>();
    private final List<Told> damages = new CopyOnWriteArrayList<>();
    final DiskStore store;

    /** Damage that a volume was told of. */
    record Told(VolumeId volume, Damage damage) {}

    private StoreRig(DiskStoreOptions options, Optional<DiskFiles> files) throws IOException {
        StoreEvents events = new StoreEvents() {
            @Override
            public void accept(VolumeId volume, Event event) {
                handle(volume, event);
            }

            @Override
            public void verified(VolumeId volume, VerifyResult result) {
                verifications
                        .computeIfAbsent(result.id(), id -> new CompletableFuture<>())
                        .complete(result);
            }

            @Override
            public void damaged(VolumeId volume, Damage damage) {
                damages.add(new Told(volume, damage));
            }

            @Override
            public void faulted(String reason) {
                fault.complete(reason);
            }
        };
        boolean opened = false;
        try {
            store = files.isPresent()
                    ? DiskStore.open(options, files.get(), loop, events)
                    : DiskStore.open(options, loop, events);
            opened = true;
        } finally {
            if (!opened) {
                loop.shutdown();
            }
        }
    }

    static StoreRig open(DiskFiles files) throws IOException {
        return new StoreRig(options(Path.of("memory")), Optional.of(files));
    }

    static StoreRig open(DiskStoreOptions options, DiskFiles files) throws IOException {
        return new StoreRig(options, Optional.of(files));
    }

    static StoreRig open(DiskStoreOptions options) throws IOException {
        return new StoreRig(options, Optional.empty());
    }

    /** A small disk whose checkpoints are frequent. */
    static DiskStoreOptions options(Path directory) {
        return DiskStoreOptions.of(directory, 16L << 20, CLUSTER, NODE, BOOT)
                .withSizes(1L << 20, 4L << 20, 1L << 20, 0)
                .withLockWait(Duration.ofSeconds(5));
    }

    /** A small disk on which a checkpoint begins only when a test says so. */
    static DiskStoreOptions quietOptions() {
        return quietOptions(BOOT);
    }

    static DiskStoreOptions quietOptions(UUID boot) {
        return DiskStoreOptions.of(Path.of("memory"), 16L << 20, CLUSTER, NODE, boot)
                .withSizes(1L << 30, 4L << 20, 1L << 20, 0);
    }

    private void handle(VolumeId volume, Event event) {
        switch (event) {
            case Event.Appended a ->
                appendsOf(volume).headMap(a.throughTicket(), true).forEach((number, future) -> future.complete(event));
            case Event.StoreFaulted f -> appendsOf(volume).forEach((number, future) -> future.complete(event));
            case Event.ReadCompleted r -> answer(r.ticket(), event);
            case Event.ReadFailed r -> answer(r.ticket(), event);
            case Event.ExtentsRead r -> answer(r.ticket(), event);
            case Event.BlocksRead r -> answer(r.ticket(), event);
            case Event.VersionsRead r -> answer(r.ticket(), event);
            case Event.RegionTableRead r -> answer(r.ticket(), event);
            case Event.ChangesRead r -> answer(r.ticket(), event);
            case Event.Cloned r -> answer(r.ticket(), event);
            case Event.SpaceAvailable s -> space.put(volume, s.freeBytes());
            default -> throw new AssertionError("unexpected " + event);
        }
    }

    private ConcurrentSkipListMap<Long, CompletableFuture<Event>> appendsOf(VolumeId volume) {
        return appends.computeIfAbsent(volume, v -> new ConcurrentSkipListMap<>());
    }

    private void answer(long number, Event event) {
        CompletableFuture<Event> future = waiting.remove(number);
        if (future != null) {
            future.complete(event);
        }
    }

    // ---- driving
    CompletableFuture<Event> append(VolumeId volume, LogRecord record) {
        long number = ticket.incrementAndGet();
        CompletableFuture<Event> future = new CompletableFuture<>();
        appendsOf(volume).put(number, future);
        loop.execute(() -> store.execute(volume, new Effect.Append(number, record)));
        return future;
    }

    CompletableFuture<Event> append(Item item) {
        CompletableFuture<CompletableFuture<Event>> appended = new CompletableFuture<>();
        loop.execute(() -> appended.complete(appendHere(item)));
        return appended.thenCompose(future -> future);
    }

    /** As {@link #append}, for who is on the loop. */
    CompletableFuture<Event> appendHere(Item item) {
        long number = ticket.incrementAndGet();
        CompletableFuture<Event> future = new CompletableFuture<>();
        switch (item) {
            case Item.Change change -> {
                appendsOf(change.volume()).put(number, future);
                store.execute(change.volume(), new Effect.Append(number, change.record()));
            }
            case Item.Ready ready -> {
                appendsOf(ready.record().volume()).put(number, future);
                store.append(number, ready.record());
            }
        }
        return future;
    }

    void appendNow(Item item) {
        Event event = get(append(item));
        if (!(event instanceof Event.Appended)) {
            throw new AssertionError("append was answered by " + event);
        }
    }

    void appendNow(StoredRecord.SnapshotRecord record) {
        appendNow(new Item.Ready(record));
    }

    void checkpoint() {
        get(onLoop(() -> store.checkpoint().toCompletableFuture()));
    }

    /** Waits until nothing is left to collect and everything freed can be used again. */
    void settle() {
        for (int i = 0; i < 1000 && onLoop(store::isCollecting); i++) {
            onLoop(() -> true);
        }
        checkpoint();
        verifyAccounting();
    }

    void verifyAccounting() {
        onLoop(() -> {
            store.verifyAccounting();
            return true;
        });
    }

    /** Appends in one turn of the loop, hence in one batch; waits. */
    void appendTogether(List<VolumeId> volumes, List<? extends LogRecord> records) {
        List<CompletableFuture<Event>> futures = onLoop(() -> {
            List<CompletableFuture<Event>> open = new ArrayList<>();
            for (int i = 0; i < records.size(); i++) {
                long number = ticket.incrementAndGet();
                CompletableFuture<Event> future = new CompletableFuture<>();
                appendsOf(volumes.get(i)).put(number, future);
                store.execute(volumes.get(i), new Effect.Append(number, records.get(i)));
                open.add(future);
            }
            return open;
        });
        futures.forEach(StoreRig::get);
    }

    void appendNow(VolumeId volume, LogRecord record) {
        Event event = get(append(volume, record));
        if (!(event instanceof Event.Appended)) {
            throw new AssertionError("append was answered by " + event);
        }
    }

    interface Ask {
        Effect.StoreEffect with(long ticket);
    }

    Event ask(VolumeId volume, Ask ask) {
        long number = ticket.incrementAndGet();
        CompletableFuture<Event> future = new CompletableFuture<>();
        waiting.put(number, future);
        loop.execute(() -> store.execute(volume, ask.with(number)));
        return get(future);
    }

    Event askAt(VolumeId volume, long snapshot, Ask ask) {
        long number = ticket.incrementAndGet();
        CompletableFuture<Event> future = new CompletableFuture<>();
        waiting.put(number, future);
        loop.execute(() -> store.executeAt(volume, snapshot, ask.with(number)));
        return get(future);
    }

    byte[] read(VolumeId volume, ByteRange range) {
        return content(ask(volume, number -> new Effect.Read(number, range)));
    }

    byte[] readAt(VolumeId volume, long snapshot, ByteRange range) {
        return content(askAt(volume, snapshot, number -> new Effect.Read(number, range)));
    }

    private static byte[] content(Event event) {
        if (!(event instanceof Event.ReadCompleted completed)) {
            throw new AssertionError("read was answered by " + event);
        }
        byte[] bytes = new byte[completed.payload().length()];
        completed.payload().bytes().get(bytes);
        completed.payload().release();
        return bytes;
    }

    List<BlockVersion> versions(VolumeId volume, ByteRange range) {
        return ((Event.VersionsRead) ask(volume, n -> new Effect.ReadVersions(n, range))).versions();
    }

    List<BlockRun> blocks(VolumeId volume, ByteRange range, boolean all, List<BlockVersion> known) {
        return ((Event.BlocksRead) ask(volume, n -> new Effect.ReadBlocks(n, range, all, known))).runs();
    }

    List<RegionState> regions(VolumeId volume) {
        return ((Event.RegionTableRead) ask(volume, Effect.ReadRegionTable::new)).regions();
    }

    Optional<List<ByteRange>> changes(VolumeId volume, Lsn after) {
        return ((Event.ChangesRead) ask(volume, n -> new Effect.ReadChanges(n, after))).ranges();
    }

    CompletableFuture<VerifyResult> verify(VolumeId volume, long id, Lsn lsn) {
        CompletableFuture<VerifyResult> future = new CompletableFuture<>();
        verifications.put(id, future);
        loop.execute(() -> store.execute(volume, new Effect.Verify(id, lsn)));
        return future;
    }

    List<Told> damages() {
        return damages;
    }

    DiskHealth health() {
        return onLoop(store::health);
    }

    DiskSpace space() {
        return onLoop(store::space);
    }

    long spaceTold(VolumeId volume) {
        return space.getOrDefault(volume, -1L);
    }

    String fault() {
        return get(fault);
    }

    boolean hasFault() {
        return fault.isDone();
    }

    <T> T onLoop(Callable<T> action) {
        try {
            return loop.submit(action).get(WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    static <T> T get(CompletableFuture<T> future) {
        try {
            return future.get(WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    void abandon() throws IOException {
        store.abandon();
        loop.shutdown();
    }

    @Override
    public void close() throws IOException {
        if (!loop.isShutdown()) {
            store.close();
            loop.shutdown();
        }
    }

    // ---- records
    static LogRecord created(VolumeId volume, long sizeBytes) {
        return new LogRecord.ReplicaChanged(record(volume, sizeBytes, 1, 0, new Lsn(1, 0)));
    }

    static ReplicaRecord record(VolumeId volume, long sizeBytes, long epoch, long incarnation, Lsn position) {
        ReplicaId replica = new ReplicaId(new UUID(3, volume.value().getLeastSignificantBits()));
        VolumeSpec spec = new VolumeSpec("test", sizeBytes, 1, 1, "default", PoolFullPolicy.STALL, RecoveryPolicy.ANY);
        VolumeConfig config = new VolumeConfig(
                1,
                epoch,
                replica,
                List.of(new InSyncMember(replica, incarnation)),
                0,
                sizeBytes,
                0,
                List.of(),
                0,
                "test");
        VolumeRecord record =
                new VolumeRecord(volume, spec, List.of(new ReplicaPlacement(replica, NODE)), List.of(), false, config);
        return new ReplicaRecord(
                volume,
                replica,
                epoch,
                record,
                incarnation,
                ReplicaStatus.IN_SYNC,
                List.of(new EpochStart(epoch, Lsn.ZERO)),
                position,
                SessionId.NONE,
                List.of());
    }

    static LogRecord.Written written(long epoch, long seq, long block, byte[] content) {
        return new LogRecord.Written(
                new Lsn(epoch, seq),
                new Lsn(epoch, Math.max(0, seq - 1)),
                new ByteRange(block * 4096, content.length),
                new RequestId(1, seq),
                HeapPayload.of(content));
    }

    static LogRecord.Trimmed trimmed(long epoch, long seq, long block, int blocks) {
        return new LogRecord.Trimmed(
                new Lsn(epoch, seq),
                new Lsn(epoch, Math.max(0, seq - 1)),
                ByteRange.ofBlocks(block, blocks),
                new RequestId(1, seq));
    }

    static byte[] filled(int blocks, int value) {
        byte[] bytes = new byte[blocks * 4096];
        java.util.Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
