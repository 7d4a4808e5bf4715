package io.gabion.store;

import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.BlockGeometry;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.device.BufferPool;
import io.gabion.store.device.Superblock;
import io.gabion.store.device.ThreadedBlockDevice;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.log.BatchBuilder;
import io.gabion.store.log.StoredRecord;
import io.gabion.store.metadata.MetadataStore;
import java.io.IOException;
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
    /** Entries of deleted replicas and snapshots looked at in one turn of the loop. */
    private static final int COLLECT_ENTRIES = 512;

    private static final long CLOSE_WAIT_SECONDS = 60;
    private static final String CLOSED = "the disk is closed";

    private final DiskFiles files;
    private final Executor loop;
    private final StoreEvents events;
    private final StoreMetrics metrics = new StoreMetrics();
    private final Fault fault;
    private final ExecutorService helpers;
    private final BlockDevice device;
    private final DiskIdentity identity;
    private final Superblock superblock;
    private final MetadataStore metadata;
    private final BlockAllocator allocator;
    private final DiskIndex index;
    private final AppendPath appends;
    private final ReadPath reads;
    private final Checkpoints checkpoints;
    private final VersionScans scans;
    private final LightScrub scrub;
    private final ZeroFill zeroFill;
    private final Verification verification;
    private final SpaceCredit credit;
    private final List<RecoveredReplica> recovered;
    private final Set<VolumeId> introduced = new HashSet<>();
    private boolean collecting;
    private boolean closing;
    /** Nothing of the index may be touched any more. */
    private boolean closed;

    private DiskStore(
            DiskStoreOptions options, DiskFiles files, DiskOpening.Opened opened, Executor loop, StoreEvents events) {
        this.files = files;
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
        BatchBuilder builder = new BatchBuilder(identity.disk(), superblock.salt(), identity.openCount(), allocator);
        this.appends = new AppendPath(engine, builder, new AfterBatch());
        this.checkpoints = new Checkpoints(engine, options.checkpointBytes(), this::checkpointDone);
        this.reads = new ReadPath(engine, pool, appends::spaceMayHaveCome);
        this.verification = new Verification(engine);
        this.scans = new VersionScans(engine);
        this.scrub = new LightScrub(engine);
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
        DiskStore store = new DiskStore(options, files, opened, ownerLoop, events);
        LOG.info("disk {}: I/O back end {}", store.identity.disk(), store.device.backend());
        ownerLoop.execute(() -> {
            store.zeroFill.check();
            store.collect();
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
            closing = true;
            appends.afterQueued(() -> {});
            awaitIdle(idle);
        });
        boolean good = await(idle);
        if (good) {
            metadata.flush();
        }
        release();
        if (good) {
            files.writeSuperblock(superblock.closed(index.log().batch()));
        }
    }

    private void awaitIdle(CompletableFuture<Boolean> idle) {
        if (fault.isSet()) {
            closed = true;
            idle.complete(false);
        } else if (appends.isIdle()
                && !checkpoints.isRunning()
                && !verification.isRunning()
                && !scrub.isRunning()
                && !collecting) {
            index.writePages();
            closed = true;
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
            closing = true;
            closed = true;
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

    /** Writes and syncs one block that means nothing; completes on the owner loop. */
    public CompletionStage<ProbeResult> probe() {
        CompletableFuture<ProbeResult> result = new CompletableFuture<>();
        if (fault.isSet()) {
            result.complete(new ProbeResult(0, Optional.of(fault.reason())));
            return result;
        }
        long started = System.nanoTime();
        BlockDevice.Piece piece = new BlockDevice.Piece(0, DiskOpening.dataHeader(identity.disk()));
        device.writeDurably(
                List.of(piece),
                failure -> loop.execute(() -> {
                    if (failure != null) {
                        fault.set("a probe of the disk failed: " + failure.getMessage());
                    }
                    result.complete(new ProbeResult(
                            System.nanoTime() - started,
                            Optional.ofNullable(failure).map(Throwable::getMessage)));
                }));
        return result;
    }

    // ---- effects
    /** Carries out an effect of the volume's replica; on the owner loop. Takes over the payloads in it. */
    public void execute(VolumeId volume, Effect.StoreEffect effect) {
        if (closed) {
            refuse(volume, effect instanceof Effect.AtSnapshot past ? past.read() : effect, CLOSED);
            return;
        }
        if (introduced.add(volume)) {
            announceSpace(volume);
        }
        carryOut(volume, ReplicaExtents.HEAD, effect);
    }

    /**
     * Carries out a read of content, blocks, versions, extents or the region table, or a verification, of the volume as it was when the snapshot
     * was taken. Answers with a failure when there is no such snapshot.
     */
    public void executeAt(VolumeId volume, long snapshot, Effect.StoreEffect effect) {
        if (effect instanceof Effect.Append
                || effect instanceof Effect.Clone
                || effect instanceof Effect.AtSnapshot
                || effect instanceof Effect.ReadChanges) {
            throw new IllegalArgumentException("of a snapshot only content and versions can be read, not " + effect);
        }
        Optional<Lsn> at = index.find(volume).map(r -> r.ancestry().snapshots().get(snapshot));
        String missing = "volume " + volume + " has no snapshot " + snapshot + " here";
        if (closed) {
            refuse(volume, effect, CLOSED);
        } else if (at.isPresent() && effect instanceof Effect.ReadRegionTable read) {
            find(volume, read.ticket()).ifPresent(replica -> scans.regions(replica, at.get(), read.ticket(), events));
        } else if (at.isPresent()) {
            carryOut(volume, at.get(), effect);
        } else if (effect instanceof Effect.Verify verify) {
            VerifyResult result = VerifyResult.failed(verify.id(), verify.lsn(), 0, missing);
            loop.execute(() -> events.verified(volume, result));
        } else {
            refuse(volume, effect, missing);
        }
    }

    /**
     * Makes a change of snapshots or clones durable, in the order of the volume's other appends; answered like {@link
     * Effect.Append} with this ticket. Look at {@link #snapshots} and {@link #isPresent} then: a change that does not fit leaves
     * everything as it is. On the owner loop.
     */
    public void append(long ticket, StoredRecord.SnapshotRecord record) {
        if (closed) {
            reads.answer(record.volume(), new Event.StoreFaulted(CLOSED));
        } else {
            introduced.add(record.volume());
            appends.append(record.volume(), ticket, new BatchBuilder.Item.Ready(record));
        }
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
        return closed ? Optional.empty() : index.find(volume);
    }

    private static <T> CompletionStage<T> noReplica(VolumeId volume) {
        return CompletableFuture.failedFuture(
                new IOException("volume " + volume + " has no replica on this open disk"));
    }

    private void carryOut(VolumeId volume, Lsn at, Effect.StoreEffect effect) {
        switch (effect) {
            case Effect.Append append ->
                appends.append(volume, append.ticket(), new BatchBuilder.Item.Change(volume, append.record()));
            case Effect.Clone clone -> reads.answer(volume, new Event.Cloned(clone.ticket(), false));
            case Effect.Read read ->
                find(volume, read.ticket())
                        .ifPresent(r -> guarded(volume, read.ticket(), () -> reads.read(volume, r, at, read)));
            case Effect.ReadBlocks read ->
                find(volume, read.ticket())
                        .ifPresent(r -> guarded(volume, read.ticket(), () -> reads.readBlocks(volume, r, at, read)));
            case Effect.ReadVersions read ->
                find(volume, read.ticket())
                        .ifPresent(r -> guarded(volume, read.ticket(), () -> reads.readVersions(volume, r, at, read)));
            case Effect.ReadExtents read ->
                find(volume, read.ticket())
                        .ifPresent(r -> guarded(volume, read.ticket(), () -> reads.readExtents(volume, r, at, read)));
            case Effect.AtSnapshot past -> executeAt(volume, past.snapshot(), past.read());
            case Effect.ReadRegionTable read -> appends.afterQueued(() -> regionTable(volume, read));
            case Effect.ReadChanges read -> readChanges(volume, read);
            case Effect.Verify verify -> appends.afterQueued(() -> verify(volume, at, verify));
        }
    }

    private void refuse(VolumeId volume, Effect.StoreEffect effect, String reason) {
        Event answer =
                switch (effect) {
                    case Effect.Append append -> {
                        AppendPath.release(append.record());
                        yield new Event.StoreFaulted(reason);
                    }
                    case Effect.Clone clone -> new Event.Cloned(clone.ticket(), false);
                    case Effect.Read read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.ReadBlocks read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.ReadVersions read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.ReadExtents read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.ReadRegionTable read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.AtSnapshot _ -> throw new IllegalArgumentException("not resolved: " + effect);
                    case Effect.ReadChanges read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.Verify _ -> new Event.StoreFaulted(reason);
                };
        reads.answer(volume, answer);
    }

    private Optional<ReplicaState> find(VolumeId volume, long ticket) {
        Optional<ReplicaState> replica = index.find(volume);
        if (replica.isEmpty()) {
            reads.answer(volume, new Event.ReadFailed(ticket, "volume " + volume + " has no replica on this disk"));
        }
        return replica;
    }

    private void guarded(VolumeId volume, long ticket, Runnable action) {
        try {
            action.run();
        } catch (java.io.UncheckedIOException | IllegalStateException e) {
            reads.answer(volume, new Event.ReadFailed(ticket, String.valueOf(e.getMessage())));
        }
    }

    private void regionTable(VolumeId volume, Effect.ReadRegionTable read) {
        find(volume, read.ticket())
                .ifPresent(replica -> reads.answer(
                        volume,
                        new Event.RegionTableRead(
                                read.ticket(), replica.extents().regions().states())));
    }

    private void verify(VolumeId volume, Lsn at, Effect.Verify verify) {
        Optional<ReplicaState> replica = index.find(volume);
        if (replica.isPresent() && !closing) {
            verification.start(volume, replica.get(), at, verify);
        } else {
            String reason = closing ? "the disk is being closed" : "the volume has no replica on this disk";
            VerifyResult result = VerifyResult.failed(verify.id(), verify.lsn(), 0, reason);
            loop.execute(() -> events.verified(volume, result));
        }
    }

    private void readChanges(VolumeId volume, Effect.ReadChanges read) {
        find(volume, read.ticket()).ifPresent(replica -> {
            if (replica.changeFloor().isAfter(read.after())) {
                reads.answer(volume, new Event.ChangesRead(read.ticket(), Optional.empty()));
                return;
            }
            int number = replica.extents().number();
            MetadataStore.MetadataView view = metadata.view();
            helpers.execute(() -> {
                Event event;
                try (MetadataStore.MetadataCursor cursor = view.cursor()) {
                    event = new Event.ChangesRead(
                            read.ticket(), Optional.of(ChangeLog.rangesAfter(cursor, number, read.after())));
                } catch (RuntimeException e) {
                    event = new Event.ReadFailed(read.ticket(), String.valueOf(e.getMessage()));
                }
                view.close();
                Event answer = event;
                loop.execute(() -> events.accept(volume, answer));
            });
        });
    }

    // ---- what happens along the way
    private final class AfterBatch implements AppendPath.Listener {
        @Override
        public void applied(Iterable<VolumeId> volumes, long writtenBytes) {
            checkpoints.logged(writtenBytes);
            zeroFill.check();
            credit.update(volumes);
            collect();
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

    private void collect() {
        if (collecting || closing || fault.isSet() || !index.hasCollectable()) {
            return;
        }
        collecting = true;
        loop.execute(this::collectSlice);
    }

    private void collectSlice() {
        collecting = false;
        if (fault.isSet() || !index.hasCollectable()) {
            return;
        }
        try {
            index.collect(COLLECT_ENTRIES);
            if (index.hasCollectable()) {
                checkpoints.logged(0);
            } else {
                checkpoints.returnFreed();
            }
        } catch (RuntimeException e) {
            fault.set("collecting what nobody sees failed: " + e.getMessage());
        }
        collect();
    }

    private void failed(String reason) {
        if (!closing) {
            LOG.error("disk {} failed and stops: {}", identity.disk(), reason);
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
}
