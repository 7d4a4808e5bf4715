package io.gabion.node;

import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.DiskId;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.node.control.VerifyOutcome;
import io.gabion.store.Damage;
import io.gabion.store.DiskHealth;
import io.gabion.store.DiskSpace;
import io.gabion.store.DiskStore;
import io.gabion.store.DiskStoreOptions;
import io.gabion.store.ScrubStatus;
import io.gabion.store.StoreEvents;
import io.gabion.store.StoreMetrics;
import io.gabion.store.VerifyResult;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The node's disk over the local store, in the folder {@code disk} of the data directory. */
final class StoreDisk implements ReplicaDisk {
    private static final Logger LOG = LoggerFactory.getLogger(StoreDisk.class);
    /** What is left to others when no capacity was given. */
    private static final int FREE_PARTS = 5;

    private static final int USED_PARTS = 4;
    /** A killed predecessor's last writes end within this time; another living process does not go away by waiting. */
    private static final Duration LOCK_WAIT = Duration.ofSeconds(10);

    private static final long ANSWER_SECONDS = 2;

    private final DiskStore store;
    private final Loop loop;
    /** Belongs to the owner loop. */
    private long scrubBytesPerSecond;

    private StoreDisk(DiskStore store, Loop loop) {
        this.store = store;
        this.loop = loop;
    }

    static ReplicaDisk open(NodeOptions options, Loop loop, DiskOpening.Listener listener) throws StartException {
        try {
            long capacity = options.capacityBytes().isPresent()
                    ? options.capacityBytes().getAsLong()
                    : Files.getFileStore(options.disk()).getUsableSpace() / FREE_PARTS * USED_PARTS;
            DiskStoreOptions storeOptions = DiskStoreOptions.of(
                            options.disk().resolve("disk"),
                            capacity,
                            options.cluster(),
                            options.name(),
                            options.bootId())
                    .withPool(options.pool())
                    .withBackend(backend(options.diskBackend()))
                    .withLockWait(LOCK_WAIT);
            DiskStore store = DiskStore.open(storeOptions, loop, new Events(listener));
            store.metrics().observe(new StoreMetrics.Observer() {
                @Override
                public void batchDurable(int recordCount, long nanos) {
                    listener.batchDurable(nanos);
                }
            });
            return new StoreDisk(store, loop);
        } catch (IOException | IllegalArgumentException e) {
            throw new StartException("disk in " + options.disk() + ": " + e.getMessage(), e);
        }
    }

    private static DiskStoreOptions.Backend backend(String text) {
        return switch (text) {
            case "ring" -> DiskStoreOptions.Backend.RING;
            case "threads" -> DiskStoreOptions.Backend.THREADS;
            default -> DiskStoreOptions.Backend.AUTO;
        };
    }

    private record Events(DiskOpening.Listener listener) implements StoreEvents {
        @Override
        public void accept(VolumeId volume, Event event) {
            listener.accept(volume, event);
        }

        @Override
        public void verified(VolumeId volume, VerifyResult result) {
            listener.verified(volume, result.id(), outcome(result));
        }

        @Override
        public void damaged(VolumeId volume, Damage damage) {
            listener.damaged(volume, damage.reason());
            listener.accept(volume, damage.toEvent());
        }

        @Override
        public void faulted(String reason) {
            listener.faulted(reason);
        }
    }

    private static VerifyOutcome outcome(VerifyResult result) {
        if (result.failure().isPresent()) {
            return new VerifyOutcome.Failed(result.lsn(), result.failure().get());
        }
        ByteArrayOutputStream regions = new ByteArrayOutputStream();
        for (String region : result.regions()) {
            regions.writeBytes(HexFormat.of().parseHex(region));
        }
        return new VerifyOutcome.Done(
                result.lsn(), result.sizeBytes(), result.sizeBytes(), result.sha256(), regions.toByteArray());
    }

    @Override
    public DiskId id() {
        return store.identity().disk();
    }

    @Override
    public long openCount() {
        return store.identity().openCount();
    }

    @Override
    public String backend() {
        return store.backend();
    }

    @Override
    public List<RecoveredReplica> replicas() {
        return store.replicas();
    }

    @Override
    public void execute(VolumeId volume, Effect.StoreEffect effect) {
        loop.run(() -> store.execute(volume, effect));
    }

    @Override
    public Space space() {
        DiskSpace space = onLoop(store::space, new DiskSpace(0, 0, 0, 0, 0));
        return new Space(space.size(), space.used(), space.reserved(), space.free());
    }

    @Override
    public Map<VolumeId, Use> use(Collection<VolumeId> volumes) {
        return onLoop(
                () -> {
                    Map<VolumeId, Use> used = new HashMap<>();
                    for (VolumeId volume : volumes) {
                        used.put(
                                volume,
                                new Use(
                                        store.usedBytes(volume),
                                        store.snapshotBytes(volume),
                                        store.snapshots(volume).size()));
                    }
                    return used;
                },
                Map.of());
    }

    @Override
    public SortedMap<Long, Lsn> snapshots(VolumeId volume) {
        return onLoop(() -> store.snapshots(volume), new TreeMap<>());
    }

    @Override
    public CompletableFuture<SortedMap<Long, SnapshotSpace>> snapshotSpace(VolumeId volume) {
        CompletableFuture<SortedMap<Long, SnapshotSpace>> answer = new CompletableFuture<>();
        loop.run(() -> store.snapshotUsage(volume).whenComplete((usage, failure) -> {
            if (failure != null) {
                answer.completeExceptionally(failure);
                return;
            }
            SortedMap<Long, SnapshotSpace> space = new TreeMap<>();
            usage.forEach((number, one) -> space.put(number, new SnapshotSpace(one.ownBytes(), one.uniqueBytes())));
            answer.complete(space);
        }));
        return answer;
    }

    @Override
    public void digestSnapshot(VolumeId volume, long snapshot, long id) {
        loop.run(() -> {
            Lsn at = store.snapshots(volume).getOrDefault(snapshot, Lsn.ZERO);
            store.executeAt(volume, snapshot, new Effect.Verify(id, at));
        });
    }

    @Override
    public void scrub(ScrubPolicy policy) {
        loop.run(() -> {
            scrubBytesPerSecond = policy.bytesPerSecond(store.space().used());
            store.startScrub(scrubBytesPerSecond);
        });
    }

    @Override
    public ScrubCounts scrubCounts() {
        return onLoop(
                () -> {
                    ScrubStatus status = store.scrubStatus();
                    return new ScrubCounts(
                            scrubBytesPerSecond, status.passes(), status.checkedBytes(), status.damagedBlocks());
                },
                ScrubCounts.NONE);
    }

    @Override
    public Counts counts() {
        StoreMetrics m = store.metrics();
        return new Counts(m.batches(), m.records(), m.dataBytes(), m.writtenBytes(), m.checksumFailures());
    }

    @Override
    public Health health() {
        return onLoop(
                () -> {
                    DiskHealth health = store.health();
                    return new Health(
                            health.reasons(), health.badPlaces(), health.readErrors(), health.repairedBlocks());
                },
                Health.UNKNOWN);
    }

    @Override
    public void look() {
        loop.run(() -> {
            var unused = store.health();
        });
    }

    private <T> T onLoop(Supplier<T> question, T otherwise) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.run(() -> answer.complete(question.get()));
        try {
            return answer.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return otherwise;
        } catch (ExecutionException | TimeoutException e) {
            return otherwise;
        }
    }

    @Override
    public void close() {
        try {
            store.close();
        } catch (IOException e) {
            LOG.error("the disk was not closed in good order; the next start recovers it: {}", e.getMessage());
        }
    }
}
