package io.gabion.store;

import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.BlockGeometry;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.device.BufferPool;
import io.gabion.store.device.ThreadedBlockDevice;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.FreeRuns;
import io.gabion.store.log.BatchBuilder;
import io.gabion.store.log.StoredRecord;
import io.gabion.store.metadata.MetadataStore;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One disk and the replicas on it.
 *
 * <p>Threading: everything runs on the owner loop that was given at opening, a single-threaded executor. {@link #execute},
 * {@link #space}, {@link #announceSpace} and {@link #probe} are called there; {@link #open} and {@link #close} block and are called
 * elsewhere. Answers come through {@link StoreEvents} on the loop, never from within a call.
 *
 * <p>Appends of one volume become durable and visible in their order; see {@link Effect.StoreEffect} for what each effect
 * promises. When the disk fails, every replica is told {@link Event.StoreFaulted}; nothing is retried and no append is answered
 * any more until the disk is opened anew.
 */
public final class DiskStore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DiskStore.class);
    /** Checkpoint waiting, zero-filling, one verification, one scan of changes and the scrub. */
    private static final int HELPERS = 5;

    private static final long CLOSE_WAIT_SECONDS = 60;

    private final Executor loop;
    private final StoreEvents events;
    private final StoreMetrics metrics = new StoreMetrics();
    private final Fault fault;
    private final ExecutorService helpers;
    private final BlockDevice device;
    private final DiskIdentity identity;
    private final CurrentSuperblock superblock;
    private final MetadataStore metadata;
    private final BlockAllocator allocator;
    private final DiskIndex index;
    private final AppendPath appends;
    private final EffectDesk desk;
    private final HealthWatch health;
    private final CollectionTurns collection;
    private final Checkpoints checkpoints;
    private final VersionScans scans;
    private final LightScrub scrub;
    private final ZeroFill zeroFill;
    private final Verification verification;
    private final SpaceCredit credit;
    private final List<RecoveredReplica> recovered;
    private final Set<VolumeId> introduced = new HashSet<>();

    private DiskStore(DiskStoreOptions options, DiskOpening.Opened opened, Executor loop, StoreEvents events) {
        this.loop = loop;
        this.events = events;
        this.fault = new Fault(this::failed);
        this.identity = opened.identity();
        this.superblock = opened.superblock();
        this.metadata = opened.metadata();
        this.allocator = opened.recovered().allocator();
        this.index = opened.recovered().index();
        this.helpers = helpers("disk-" + identity.disk().value().toString().substring(0, 8));
        this.device = new ThreadedBlockDevice(
                opened.file(), "disk-" + identity.disk().value().toString().substring(0, 8));
        Notifier notifier = new Notifier(events, metrics, fault);
        Engine engine = new Engine(loop, helpers, device, index, allocator, new Readers(), notifier);
        BufferPool pool = new BufferPool(options.bufferPoolBytes());
        InstantSource clock = InstantSource.system();
        BatchBuilder builder =
                new BatchBuilder(identity.disk(), superblock.salt(), identity.openCount(), allocator, index::origin);
        this.health = new HealthWatch(index, metrics, fault, clock, System::nanoTime);
        this.appends = new AppendPath(engine, builder, health, new AfterBatch());
        Damages damages = new Damages(
                engine,
                clock,
                bad -> appends.append(bad.volume(), AppendPath.NO_TICKET, new BatchBuilder.Item.Ready(bad)));
        this.checkpoints = new Checkpoints(engine, superblock, options.checkpointBytes(), this::checkpointDone);
        this.collection = new CollectionTurns(engine, checkpoints);
        ReadPath reads = new ReadPath(engine, pool, damages, health, appends::spaceMayHaveCome);
        this.verification = new Verification(engine, damages);
        this.scans = new VersionScans(engine);
        this.desk = new EffectDesk(engine, appends, reads, scans, verification);
        this.scrub = new LightScrub(engine, damages);
        this.zeroFill = new ZeroFill(loop, helpers, opened.file(), allocator, options.zeroFillBytes());
        this.credit = new SpaceCredit(allocator, index, appends, events);
        List<RecoveredReplica> found = new ArrayList<>();
        for (ReplicaState replica : index.replicas()) {
            found.add(index.recovered(replica, identity.unclean(), !identity.rolledBack()));
        }
        this.recovered = List.copyOf(found);
    }

    private static ExecutorService helpers(String name) {
        AtomicInteger number = new AtomicInteger();
        return Executors.newFixedThreadPool(HELPERS, task -> {
            Thread thread = new Thread(task, name + "-helper-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    // ---- opening and closing
    /**
     * Opens the disk in {@code options.directory()}, formatting an empty directory if that is allowed. Blocks until recovery is
     * done. Throws {@link IOException} with the reason when the disk is foreign, damaged, or locked for longer than allowed.
     */
    public static DiskStore open(DiskStoreOptions options, Executor ownerLoop, StoreEvents events) throws IOException {
        DiskFiles files = new DirectoryFiles(options.directory(), options.lockWait(), options.indexCacheBytes());
        return open(options, files, ownerLoop, events);
    }

    /** As above, over other files: for simulators and crash tests. */
    public static DiskStore open(DiskStoreOptions options, DiskFiles files, Executor ownerLoop, StoreEvents events)
            throws IOException {
        DiskOpening.Opened opened;
        try {
            opened = DiskOpening.open(options, files);
        } catch (java.io.UncheckedIOException e) {
            throw e.getCause();
        }
        DiskStore store = new DiskStore(options, opened, ownerLoop, events);
        LOG.info("disk {}: I/O back end {}", store.identity.disk(), store.device.backend());
        ownerLoop.execute(() -> {
            store.zeroFill.check();
            store.collection.check();
        });
        return store;
    }

    /**
     * Shuts down in good order: waits for what is queued, writes a checkpoint, marks the disk clean. Must not be called on the
     * owner loop, which must still run. After a fault it only lets go.
     */
    @Override
    public void close() throws IOException {
        CompletableFuture<Boolean> idle = new CompletableFuture<>();
        verification.stop();
        scrub.stop();
        zeroFill.stop();
        loop.execute(() -> {
            desk.closing();
            collection.stop();
            appends.afterQueued(() -> {});
            awaitIdle(idle);
        });
        boolean good = await(idle);
        if (good) {
            metadata.flush();
        }
        release();
        if (good) {
            superblock.closed(index.log().batch());
        }
    }

    private void awaitIdle(CompletableFuture<Boolean> idle) {
        if (fault.isSet()) {
            desk.closed();
            idle.complete(false);
        } else if (appends.isIdle()
                && !checkpoints.isRunning()
                && !verification.isRunning()
                && !scrub.isRunning()
                && !collection.isRunning()) {
            index.writePages();
            desk.closed();
            idle.complete(true);
        } else {
            helpers.execute(() -> {
                LockSupport.parkNanos(1_000_000);
                loop.execute(() -> awaitIdle(idle));
            });
        }
    }

    private static boolean await(CompletableFuture<Boolean> idle) throws IOException {
        try {
            return idle.get(CLOSE_WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while closing the disk", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("the disk did not come to rest within " + CLOSE_WAIT_SECONDS + " s", e);
        }
    }

    /** Lets go of everything without a checkpoint and without marking the disk clean, as the death of the process would. */
    public void abandon() throws IOException {
        CompletableFuture<Boolean> stopped = new CompletableFuture<>();
        verification.stop();
        scrub.stop();
        zeroFill.stop();
        loop.execute(() -> {
            desk.closed();
            fault.set("abandoned");
            stopped.complete(true);
        });
        await(stopped);
        release();
    }

    private void release() throws IOException {
        helpers.shutdown();
        try {
            if (!helpers.awaitTermination(CLOSE_WAIT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("disk {}: helpers still run after {} s", identity.disk(), CLOSE_WAIT_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        CompletableFuture<Boolean> drained = new CompletableFuture<>();
        loop.execute(() -> {
            appends.dropQueue();
            drained.complete(true);
        });
        await(drained);
        try {
            index.close();
            metadata.close();
        } finally {
            device.close();
        }
    }

    // ---- what it is
    public DiskIdentity identity() {
        return identity;
    }

    /** The replicas that were found when the disk was opened. */
    public List<RecoveredReplica> replicas() {
        return recovered;
    }

    public StoreMetrics metrics() {
        return metrics;
    }

    /** Name of the I/O back end in use. */
    public String backend() {
        return device.backend();
    }

    /** On the owner loop. */
    public DiskSpace space() {
        return new DiskSpace(
                allocator.totalBlocks() * BlockGeometry.BLOCK_BYTES,
                allocator.usedBlocks() * BlockGeometry.BLOCK_BYTES,
                allocator.reservedBlocks() * BlockGeometry.BLOCK_BYTES,
                allocator.freeBlocks() * BlockGeometry.BLOCK_BYTES,
                allocator.liveBlocks() * BlockGeometry.BLOCK_BYTES);
    }

    /** Bytes that volumes and their snapshots can hold together before writes have to wait. On the owner loop. */
    public long spaceLimitBytes() {
        return credit.limitBytes();
    }

    /** How scattered the free space is. On the owner loop; takes a pass over the bitmap. */
    public FreeRuns freeRuns() {
        return allocator.freeRuns();
    }

    /** Bytes of data that a replica keeps here; 0 when it is not here. On the owner loop. */
    public long usedBytes(VolumeId volume) {
        return index.find(volume).map(index::mappedBytes).orElse(0L);
    }

    /** Part of {@link #usedBytes} that only snapshots and clones of the volume still need. On the owner loop. */
    public long snapshotBytes(VolumeId volume) {
        return index.find(volume)
                .map(replica -> replica.extents().pinnedBlocks() * BlockGeometry.BLOCK_BYTES)
                .orElse(0L);
    }

    /** True while something that nobody sees any more has not been collected. On the owner loop. */
    public boolean isCollecting() {
        return index.hasCollectable();
    }

    /** True when the volume has a replica here. On the owner loop. */
    public boolean isPresent(VolumeId volume) {
        return index.find(volume).isPresent();
    }

    /** Counts all space anew; throws {@link IllegalStateException} when the sums are wrong. On the owner loop. */
    public void verifyAccounting() {
        allocator.verifyAccounting();
    }

    /** Makes the index durable now, as happens by itself from time to time; completes on the owner loop, where it is called. */
    public CompletionStage<Void> checkpoint() {
        return checkpoints.next();
    }

    /**
     * Reads everything on the disk again and again and compares it with its checksums, at most so many bytes in a second; called
     * again it changes the limit. Damage is told to {@link StoreEvents#damaged}. On the owner loop.
     */
    public void startScrub(long bytesPerSecond) {
        scrub.start(bytesPerSecond);
    }

    /** On the owner loop. */
    public ScrubStatus scrubStatus() {
        return scrub.status();
    }

    /** Sends {@link Event.SpaceAvailable} to the volume soon. Also done by itself with the first effect of a volume. */
    public void announceSpace(VolumeId volume) {
        loop.execute(() -> credit.announce(volume));
    }

    /** Looks at the disk anew; an operation that hangs for too long makes it fail. On the owner loop. */
    public DiskHealth health() {
        return health.judge();
    }

    /** Writes and syncs one block that means nothing; completes on the owner loop. */
    public CompletionStage<ProbeResult> probe() {
        CompletableFuture<ProbeResult> result = new CompletableFuture<>();
        if (fault.isSet()) {
            result.complete(new ProbeResult(0, Optional.of(fault.reason())));
            return result;
        }
        long operation = health.begin();
        BlockDevice.Piece piece = new BlockDevice.Piece(0, DiskOpening.dataHeader(identity.disk()));
        device.writeDurably(
                List.of(piece),
                failure -> loop.execute(() -> {
                    long nanos = health.end(operation);
                    if (failure != null) {
                        fault.set("a probe of the disk failed: " + failure.getMessage());
                    }
                    result.complete(
                            new ProbeResult(nanos, Optional.ofNullable(failure).map(Throwable::getMessage)));
                }));
        return result;
    }

    // ---- effects
    /** Carries out an effect of the volume's replica; on the owner loop. Takes over the payloads in it. */
    public void execute(VolumeId volume, Effect.StoreEffect effect) {
        if (!desk.isClosed() && introduced.add(volume)) {
            announceSpace(volume);
        }
        desk.execute(volume, effect);
    }

    /**
     * Carries out a read of content, blocks, versions, extents or the region table, or a verification, of the volume as it was
     * when the snapshot was taken. Answers with a failure when there is no such snapshot.
     */
    public void executeAt(VolumeId volume, long snapshot, Effect.StoreEffect effect) {
        desk.executeAt(volume, snapshot, effect);
    }

    /**
     * Makes a change of snapshots or clones durable, in the order of the volume's other appends; answered like {@link
     * Effect.Append} with this ticket. Look at {@link #snapshots} and {@link #isPresent} then: a change that does not fit leaves
     * everything as it is. On the owner loop.
     */
    public void append(long ticket, StoredRecord.DataFree record) {
        introduced.add(record.volume());
        desk.append(ticket, record.volume(), new BatchBuilder.Item.Ready(record));
    }

    /** Snapshots of the volume's replica, by number; empty when there is no replica. On the owner loop. */
    public SortedMap<Long, Lsn> snapshots(VolumeId volume) {
        return index.find(volume)
                .map(replica ->
                        (SortedMap<Long, Lsn>) new TreeMap<>(replica.ancestry().snapshots()))
                .orElseGet(TreeMap::new);
    }

    /**
     * A page of the blocks whose newest version at {@code upTo} (pinned, or the last LSN) is after {@code after}; what a clone
     * inherits is no change. Completes on the owner loop, where it is called; fails when there is no replica.
     */
    public CompletionStage<ChangedBlocks> changedBlocks(VolumeId volume, Lsn after, Lsn upTo, long fromBlock) {
        return openReplica(volume)
                .map(replica -> scans.changed(replica, after, upTo, fromBlock))
                .orElseGet(() -> noReplica(volume));
    }

    /** Space of each snapshot, by number; takes a pass over the volume's part of the index. As {@link #changedBlocks}. */
    public CompletionStage<SortedMap<Long, SnapshotUsage>> snapshotUsage(VolumeId volume) {
        return openReplica(volume).map(scans::usage).orElseGet(() -> noReplica(volume));
    }

    private Optional<ReplicaState> openReplica(VolumeId volume) {
        return desk.isClosed() ? Optional.empty() : index.find(volume);
    }

    private static <T> CompletionStage<T> noReplica(VolumeId volume) {
        return CompletableFuture.failedFuture(
                new IOException("volume " + volume + " has no replica on this open disk"));
    }

    // ---- what happens along the way
    private final class AfterBatch implements AppendPath.Listener {
        @Override
        public void applied(Iterable<VolumeId> volumes, long writtenBytes) {
            checkpoints.logged(writtenBytes);
            zeroFill.check();
            credit.update(volumes);
            if (credit.isExhausted() && allocator.pendingBlocks() > 0) {
                // Nobody writes any more, so nothing else would bring it back.
                checkpoints.begin();
            }
            collection.check();
        }

        @Override
        public boolean spaceNeeded() {
            boolean hope = checkpoints.isRunning() || allocator.pendingBlocks() > 0 || index.hasCollectable();
            checkpoints.begin();
            return hope;
        }
    }

    private void checkpointDone() {
        appends.spaceMayHaveCome();
        credit.updateAll();
        zeroFill.check();
    }

    private void failed(String reason, boolean beyondRepair) {
        if (!desk.isClosing()) {
            LOG.error("disk {} failed and stops: {}", identity.disk(), reason);
        }
        if (beyondRepair) {
            helpers.execute(this::refuseFromNowOn);
        }
        appends.dropQueue();
        List<VolumeId> volumes = index.replicas().stream()
                .map(replica -> replica.record().volume())
                .toList();
        Set<VolumeId> all = new HashSet<>(introduced);
        all.addAll(volumes);
        loop.execute(() -> {
            all.forEach(volume -> events.accept(volume, new Event.StoreFaulted(reason)));
            events.faulted(reason);
        });
    }

    private void refuseFromNowOn() {
        try {
            superblock.beyondRepair();
        } catch (IOException e) {
            LOG.error("disk {}: that its index is damaged could not be noted: {}", identity.disk(), e.getMessage());
        }
    }
}
