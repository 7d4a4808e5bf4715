package io.gabion.csi.fake;

import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.NewVolume;
import io.gabion.csi.backend.StoredPool;
import io.gabion.csi.backend.StoredPool.Room;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.StoredVolume.Holds;
import io.gabion.csi.backend.StoredVolume.Marks;
import io.gabion.csi.backend.StoredVolume.Observation;
import io.gabion.csi.backend.VolumeBackend;
import io.gabion.csi.backend.VolumeSettings;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A cluster in memory whose operator works at once, unless a test makes it wait or refuse. */
public final class InMemoryVolumes implements VolumeBackend {
    public static final NodeName STORAGE_NODE = new NodeName("storage-1");

    private final TreeMap<String, StoredVolume> volumes = new TreeMap<>();
    private final Set<String> nodes;
    private final Predicate<VolumeId> everWritten;
    private boolean placing = true;
    private boolean growing = true;
    private boolean erasing = true;
    private boolean reachable = true;
    private @Nullable Observation noPlace;
    private int proposals;
    private @Nullable Runnable beforeSwap;
    private Runnable waiting = () -> {};

    /** @param everWritten of the data that a test's agent keeps */
    public InMemoryVolumes(Set<String> nodes, Predicate<VolumeId> everWritten) {
        this.nodes = nodes;
        this.everWritten = everWritten;
    }

    // ---- what a test does to the cluster
    public synchronized void stopPlacing() {
        placing = false;
    }

    /** The operator finds a place for a volume that had none. */
    public synchronized void place(String name) {
        change(name, InMemoryVolumes::placed);
    }

    /** Runs whenever a call begins to wait. */
    public synchronized void onWait(Runnable listener) {
        waiting = listener;
    }

    public synchronized void refuseToPlace(String reason, String message) {
        placing = false;
        noPlace = new Observation("Placed", Holds.NO, reason, message);
    }

    public synchronized void stopGrowing() {
        growing = false;
    }

    public synchronized void stopErasing() {
        erasing = false;
    }

    public synchronized void setReachable(boolean nowReachable) {
        reachable = nowReachable;
    }

    /** Runs once before the next swap is judged, as somebody who is faster. */
    public synchronized void beforeNextSwap(Runnable intruder) {
        beforeSwap = intruder;
    }

    /** Changes a volume as other parts of the system would. */
    public synchronized void change(String name, UnaryOperator<StoredVolume> change) {
        StoredVolume volume = volumes.get(name);
        if (volume == null) {
            throw new IllegalArgumentException("no volume " + name);
        }
        volumes.put(name, change.apply(volume));
        notifyAll();
    }

    public synchronized void observe(String name, String type, Holds holds, String reason, String message) {
        change(name, v -> {
            List<Observation> observations = new ArrayList<>(v.marks().observations());
            observations.removeIf(o -> o.type().equals(type));
            observations.add(new Observation(type, holds, reason, message));
            return withMarks(
                    v,
                    new Marks(
                            v.marks().deleting(),
                            v.marks().everWritten(),
                            v.marks().deletionProtection(),
                            observations));
        });
    }

    public synchronized void protect(String name) {
        change(name, v -> withMarks(v, new Marks(false, false, true, List.of())));
    }

    /** A primary failed and another one was promoted. */
    public synchronized void raiseEpoch(String name) {
        change(
                name,
                v -> withConfig(
                        v,
                        v.config()
                                .map(c -> c.withMembers(c.primary(), c.inSync(), "test"))
                                .orElseThrow()));
    }

    // ---- the port
    @Override
    public synchronized Optional<StoredVolume> find(String name) {
        requireReachable();
        return Optional.ofNullable(volumes.get(name)).map(this::marked);
    }

    private StoredVolume marked(StoredVolume v) {
        return withMarks(
                v,
                new Marks(
                        v.marks().deleting(),
                        v.marks().everWritten() || everWritten.test(v.id()),
                        v.marks().deletionProtection(),
                        v.marks().observations()));
    }

    @Override
    public synchronized List<StoredVolume> list() {
        requireReachable();
        return List.copyOf(volumes.values());
    }

    @Override
    public synchronized StoredVolume create(NewVolume volume) {
        requireReachable();
        StoredVolume standing = volumes.get(volume.name());
        if (standing != null) {
            return standing;
        }
        Observation refusal = noPlace;
        StoredVolume made = new StoredVolume(
                volume.name(),
                new VolumeId(UUID.randomUUID()),
                Optional.of(volume.origin()),
                volume.settings(),
                List.of(),
                Optional.empty(),
                new Marks(false, false, false, refusal == null ? List.of() : List.of(refusal)));
        volumes.put(volume.name(), placing ? placed(made) : made);
        notifyAll();
        return marked(volumes.getOrDefault(volume.name(), made));
    }

    private static StoredVolume placed(StoredVolume v) {
        ReplicaId replica = new ReplicaId(UUID.randomUUID());
        VolumeConfig first = new VolumeConfig(
                1,
                1,
                replica,
                List.of(new InSyncMember(replica, 1)),
                0,
                v.settings().sizeBytes(),
                0,
                List.of(),
                0,
                "test");
        return new StoredVolume(
                v.name(),
                v.id(),
                v.origin(),
                v.settings(),
                List.of(new ReplicaPlacement(replica, STORAGE_NODE)),
                Optional.of(first),
                v.marks());
    }

    @Override
    public synchronized void delete(StoredVolume volume) {
        requireReachable();
        if (!volumes.containsKey(volume.name())) {
            return;
        }
        if (erasing) {
            volumes.remove(volume.name());
        } else {
            change(
                    volume.name(),
                    v -> withMarks(
                            v,
                            new Marks(
                                    true,
                                    v.marks().everWritten(),
                                    false,
                                    v.marks().observations())));
        }
        notifyAll();
    }

    @Override
    public synchronized StoredVolume changeSettings(StoredVolume volume, VolumeSettings settings) {
        requireReachable();
        change(volume.name(), v -> {
            Optional<VolumeConfig> config =
                    growing ? v.config().map(c -> c.withSizeBytes(settings.sizeBytes(), "test")) : v.config();
            return new StoredVolume(v.name(), v.id(), v.origin(), settings, v.placement(), config, v.marks());
        });
        return find(volume.name()).orElseThrow();
    }

    @Override
    public synchronized Optional<StoredVolume> changeConfig(String name, ConfigChange change) {
        while (true) {
            requireReachable();
            StoredVolume current = find(name).orElse(null);
            if (current == null || current.config().isEmpty()) {
                return Optional.empty();
            }
            VolumeConfig config = current.config().orElseThrow();
            VolumeConfig next = change.next(current, config, "test/" + proposals++);
            Runnable intruder = beforeSwap;
            beforeSwap = null;
            if (intruder != null) {
                intruder.run();
            }
            if (next.equals(config)) {
                return Optional.of(current);
            }
            if (find(name).flatMap(StoredVolume::config).equals(Optional.of(config))) {
                change(name, v -> withConfig(v, next));
                return find(name);
            }
        }
    }

    @Override
    public synchronized Optional<StoredVolume> await(
            String name, Predicate<Optional<StoredVolume>> condition, Duration limit) throws InterruptedException {
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        while (true) {
            Optional<StoredVolume> now = find(name);
            long leftNanos = deadlineNanos - System.nanoTime();
            if (condition.test(now) || leftNanos <= 0) {
                return now;
            }
            waiting.run();
            TimeUnit.NANOSECONDS.timedWait(this, leftNanos);
        }
    }

    @Override
    public synchronized boolean nodeExists(NodeName node) {
        requireReachable();
        return nodes.contains(node.value());
    }

    @Override
    public synchronized Optional<StoredPool> pool(String name) {
        requireReachable();
        return poolNames().contains(name)
                ? Optional.of(new StoredPool(name, OptionalInt.empty(), OptionalInt.empty()))
                : Optional.empty();
    }

    @Override
    public synchronized int attachedTo(NodeName node) {
        return (int) list().stream()
                .filter(v -> v.attachments().stream().anyMatch(a -> a.node().equals(node)))
                .count();
    }

    @Override
    public synchronized List<Room> rooms(String pool) {
        requireReachable();
        return List.of(
                new Room(new NodeName("storage-1"), "a", 4L << 40),
                new Room(new NodeName("storage-2"), "b", 4L << 40),
                new Room(new NodeName("storage-3"), "c", 4L << 40));
    }

    @Override
    public List<String> poolNames() {
        return List.of("default", "fast");
    }

    @Override
    public synchronized void probe() {
        requireReachable();
    }

    private void requireReachable() {
        if (!reachable) {
            throw new BackendUnavailableException("the API server cannot be reached", null);
        }
    }

    private static StoredVolume withMarks(StoredVolume v, Marks marks) {
        return new StoredVolume(v.name(), v.id(), v.origin(), v.settings(), v.placement(), v.config(), marks);
    }

    private static StoredVolume withConfig(StoredVolume v, VolumeConfig config) {
        return new StoredVolume(
                v.name(), v.id(), v.origin(), v.settings(), v.placement(), Optional.of(config), v.marks());
    }
}
