package io.gabion.store;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.log.StoredRecord;
import io.gabion.store.metadata.MalformedMetadataException;
import io.gabion.store.metadata.MetadataKeys;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The replicas of a disk and how they descend from one another: applies snapshots, clones and deletions, the same way live and
 * in replay. Belongs to the owner loop.
 */
final class Lineage {
    /** Replicas that a read may have to look at, one behind the other. */
    static final int MAX_CHAIN = 128;

    private final Map<VolumeId, ReplicaState> replicas = new LinkedHashMap<>();
    /** Replicas without a volume, by local number: clones read from them. */
    private final TreeMap<Integer, ReplicaState> retired = new TreeMap<>();

    private final Collector collector;
    private final IndexChanges changes;
    private int nextNumber = 1;

    Lineage(Collector collector, IndexChanges changes) {
        this.collector = collector;
        this.changes = changes;
    }

    // ---- loading
    /** Takes over what was found when the disk was opened. */
    void load(List<ReplicaState> states, int newNextNumber) {
        nextNumber = newNextNumber;
        Map<Integer, ReplicaState> byNumber = new HashMap<>();
        for (ReplicaState state : states) {
            byNumber.put(state.extents().number(), state);
            if (state.isRetired()) {
                retired.put(state.extents().number(), state);
            } else {
                replicas.put(state.record().volume(), state);
            }
            collector.resume(state);
        }
        states.forEach(state -> state.ancestry().parent().ifPresent(parent -> link(state, parent, byNumber)));
    }

    private static void link(ReplicaState clone, Ancestry.Parent parent, Map<Integer, ReplicaState> byNumber) {
        ReplicaState from = byNumber.get(parent.replica());
        if (from == null) {
            throw new MalformedMetadataException("replica number "
                    + clone.extents().number() + " is a clone of number " + parent.replica() + " which does not exist");
        }
        clone.extents().setParent(new ReplicaExtents.Parent(from.extents(), parent.at()));
    }

    // ---- looking
    @Nullable
    ReplicaState get(VolumeId volume) {
        return replicas.get(volume);
    }

    Collection<ReplicaState> replicas() {
        return replicas.values();
    }

    Collection<ReplicaState> retired() {
        return retired.values();
    }

    /** Local number of the next replica. */
    int nextNumber() {
        return nextNumber;
    }

    /** The replica with the lowest local number from {@code number} on, retired ones included. */
    Optional<ReplicaState> nextFrom(int number) {
        return Stream.concat(replicas.values().stream(), retired.values().stream())
                .filter(replica -> replica.extents().number() >= number)
                .min(Comparator.comparingInt(replica -> replica.extents().number()));
    }

    ReplicaState byNumber(int number) {
        ReplicaState found = retired.get(number);
        if (found != null) {
            return found;
        }
        return replicas.values().stream()
                .filter(replica -> replica.extents().number() == number)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("there is no replica number " + number));
    }

    /** The volume's replica and those it was cloned from, nearest first; empty when there is none. */
    List<ReplicaState> chain(VolumeId volume) {
        List<ReplicaState> chain = new ArrayList<>();
        ReplicaState next = replicas.get(volume);
        while (next != null) {
            chain.add(next);
            next = next.ancestry()
                    .parent()
                    .map(parent -> byNumber(parent.replica()))
                    .orElse(null);
        }
        return chain;
    }

    // ---- applying
    /** The volume's replica, created if there is none. */
    ReplicaState changed(StoredRecord.ReplicaChanged r) {
        ReplicaState replica = replicas.get(r.volume());
        if (replica == null) {
            replica = new ReplicaState(nextNumber++, r.record());
            replicas.put(r.volume(), replica);
        } else {
            replica.change(r.record());
        }
        changes.touched().add(replica);
        return replica;
    }

    void snapshotTaken(ReplicaState replica, StoredRecord.SnapshotTaken r) {
        if (replica.ancestry().addSnapshot(r.snapshot(), r.lsn())) {
            replica.ancestryChanged();
        }
    }

    void snapshotDeleted(ReplicaState replica, StoredRecord.SnapshotDeleted r) {
        if (replica.ancestry().removeSnapshot(r.snapshot())) {
            collector.collectAll(replica);
        }
        replica.ancestryChanged();
    }

    void cloned(StoredRecord.Cloned r) {
        ReplicaState parent = replicas.get(r.parent());
        if (parent == null || replicas.containsKey(r.volume()) || !canClone(parent, r.at())) {
            return;
        }
        ReplicaState clone = new ReplicaState(nextNumber++, r.record());
        clone.ancestry().setParent(new Ancestry.Parent(parent.extents().number(), r.at()));
        clone.extents().setParent(new ReplicaExtents.Parent(parent.extents(), r.at()));
        clone.ancestryChanged();
        parent.ancestry().addClone(clone.extents().number(), r.at());
        parent.ancestryChanged();
        replicas.put(r.volume(), clone);
        changes.touched().add(parent);
        changes.touched().add(clone);
    }

    private static boolean canClone(ReplicaState parent, Lsn at) {
        return parent.ancestry().hasRoomForClone()
                && (parent.lastLsn().equals(at) || parent.extents().pins().contains(at))
                && parent.extents().layers(at).size() < MAX_CHAIN;
    }

    void deleted(VolumeId volume) {
        ReplicaState replica = replicas.remove(volume);
        if (replica == null) {
            return;
        }
        int number = replica.extents().number();
        // What waits to be written of its chunks still is: collection finds their places in the index, clones their
        // content.
        changes.forgotten().add(replica.extents());
        replica.ancestry().removeAllSnapshots();
        if (replica.ancestry().hasClones()) {
            replica.retire();
            collector.collectAll(replica);
            replica.ancestryChanged();
            changes.batch().put(MetadataKeys.retired(number), new byte[0]);
            retired.put(number, replica);
            changes.touched().add(replica);
        } else {
            remove(replica);
        }
    }

    /** Nobody reads from the replica any more, which may free what it was cloned from. */
    private void remove(ReplicaState replica) {
        int number = replica.extents().number();
        changes.touched().remove(replica);
        for (byte[] key : List.of(
                MetadataKeys.head(number),
                MetadataKeys.progress(number),
                MetadataKeys.ancestry(number),
                MetadataKeys.retired(number))) {
            changes.batch().delete(key);
        }
        collector.replicaDeleted(replica, changes.batch());
        retired.remove(number);
        replica.ancestry().parent().ifPresent(parent -> released(parent.replica(), number));
    }

    private void released(int parentNumber, int clone) {
        ReplicaState parent = byNumber(parentNumber);
        parent.ancestry().removeClone(clone);
        if (retired.containsKey(parentNumber) && !parent.ancestry().hasClones()) {
            remove(parent);
        } else {
            collector.collectAll(parent);
            parent.ancestryChanged();
            changes.touched().add(parent);
        }
    }
}
