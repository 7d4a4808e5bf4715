package io.gabion.configstore;

import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.PoolRecord;
import io.gabion.protocol.control.SnapshotRecord;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * All records at one moment. Changed only by whoever made it; once published to readers it is never changed again, so a reader
 * sees one moment of everything.
 */
final class Records {
    /** After every name that a snapshot can have. */
    private static final String LAST_NAME = "~";

    private final TreeMap<VolumeId, VolumeRecord> volumes;
    private final TreeMap<DiskId, DiskRecord> disks;
    private final TreeMap<NodeName, NodeRecord> nodes;
    private final TreeMap<String, PoolRecord> pools;
    private final TreeMap<SnapshotKey, SnapshotRecord> snapshots;

    private record SnapshotKey(VolumeId volume, String name) implements Comparable<SnapshotKey> {
        private static final Comparator<SnapshotKey> ORDER =
                Comparator.comparing(SnapshotKey::volume).thenComparing(SnapshotKey::name);

        @Override
        public int compareTo(SnapshotKey other) {
            return ORDER.compare(this, other);
        }
    }

    Records() {
        volumes = new TreeMap<>();
        disks = new TreeMap<>();
        nodes = new TreeMap<>();
        pools = new TreeMap<>();
        snapshots = new TreeMap<>();
    }

    Records(Records other) {
        volumes = new TreeMap<>(other.volumes);
        disks = new TreeMap<>(other.disks);
        nodes = new TreeMap<>(other.nodes);
        pools = new TreeMap<>(other.pools);
        snapshots = new TreeMap<>(other.snapshots);
    }

    void apply(Change change) {
        switch (change) {
            case Change.VolumePut put -> volumes.put(put.record().id(), put.record());
            case Change.VolumeRemoved removed -> {
                volumes.remove(removed.id());
                // Names of what went with the volume.
                snapshots.keySet().removeIf(key -> key.volume().equals(removed.id()));
            }
            case Change.DiskPut put -> disks.put(put.record().id(), put.record());
            case Change.NodePut put -> nodes.put(put.record().name(), put.record());
            case Change.PoolPut put -> pools.put(put.record().name(), put.record());
            case Change.SnapshotPut put -> snapshots.put(key(put.record()), put.record());
            case Change.SnapshotRemoved removed -> snapshots.remove(key(removed.last()));
        }
    }

    private static SnapshotKey key(SnapshotRecord record) {
        return new SnapshotKey(record.volume(), record.name());
    }

    Optional<VolumeRecord> volume(VolumeId id) {
        return Optional.ofNullable(volumes.get(id));
    }

    /** The live volume of that name; volumes being deleted have given their name up. */
    Optional<VolumeRecord> liveVolume(String name) {
        return volumes.values().stream()
                .filter(v -> !v.deleting() && v.spec().name().equals(name))
                .findFirst();
    }

    Optional<DiskRecord> disk(DiskId id) {
        return Optional.ofNullable(disks.get(id));
    }

    Optional<NodeRecord> node(NodeName name) {
        return Optional.ofNullable(nodes.get(name));
    }

    Optional<PoolRecord> pool(String name) {
        return Optional.ofNullable(pools.get(name));
    }

    Optional<SnapshotRecord> snapshot(VolumeId volume, String name) {
        return Optional.ofNullable(snapshots.get(new SnapshotKey(volume, name)));
    }

    /** By volume and name. */
    Collection<SnapshotRecord> snapshots() {
        return snapshots.values();
    }

    /** By name. */
    List<SnapshotRecord> snapshots(VolumeId volume) {
        return List.copyOf(snapshots
                .subMap(new SnapshotKey(volume, ""), new SnapshotKey(volume, LAST_NAME))
                .values());
    }

    Collection<VolumeRecord> volumes() {
        return volumes.values();
    }

    Collection<DiskRecord> disks() {
        return disks.values();
    }

    Collection<NodeRecord> nodes() {
        return nodes.values();
    }

    Collection<PoolRecord> pools() {
        return pools.values();
    }

    /** The changes that lead from nothing to here. */
    List<Change> asChanges() {
        List<Change> all = new ArrayList<>();
        pools.values().forEach(r -> all.add(new Change.PoolPut(r)));
        nodes.values().forEach(r -> all.add(new Change.NodePut(r)));
        disks.values().forEach(r -> all.add(new Change.DiskPut(r)));
        volumes.values().forEach(r -> all.add(new Change.VolumePut(r)));
        snapshots.values().forEach(r -> all.add(new Change.SnapshotPut(r)));
        return all;
    }
}
