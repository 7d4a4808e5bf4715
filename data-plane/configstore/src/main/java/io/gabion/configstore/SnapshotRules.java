package io.gabion.configstore;

import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.SnapshotRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Decides what may follow the names of snapshots as they stand. Pure. A name belongs to one snapshot of its volume, and a number
 * to one name; both only when the volume's record reserved the number.
 */
final class SnapshotRules {
    private SnapshotRules() {}

    static Decision swap(Records records, Request.SwapSnapshot swap) {
        SnapshotRecord next = swap.next();
        Optional<SnapshotRecord> standing = records.snapshot(next.volume(), next.name());
        if (standing.map(SnapshotRecord::version).orElse(0L) != swap.expectedVersion()) {
            return standing.filter(next::equals).isPresent()
                    ? new Decision.AlreadyDone(new Change.SnapshotPut(next))
                    : new Decision.Lost(standing.map(Change.SnapshotPut::new));
        }
        List<String> violations = new ArrayList<>(volumeViolations(records, next));
        if (next.version() != swap.expectedVersion() + 1) {
            violations.add("version must rise by exactly one");
        }
        records.snapshots(next.volume()).stream()
                .filter(other ->
                        other.number() == next.number() && !other.name().equals(next.name()))
                .forEach(other ->
                        violations.add("the number " + next.number() + " belongs to \"" + other.name() + "\""));
        standing.ifPresent(current -> violations.addAll(violations(current, next)));
        return SwapRules.refuseOr(violations, new Change.SnapshotPut(next));
    }

    private static List<String> volumeViolations(Records records, SnapshotRecord next) {
        Optional<VolumeRecord> volume = records.volume(next.volume());
        if (volume.isEmpty()) {
            return List.of("there is no volume " + next.volume());
        }
        List<String> violations = new ArrayList<>();
        if (volume.get().deleting() && !next.deleting()) {
            violations.add("the volume " + next.volume() + " is being deleted");
        }
        if (next.number() > volume.get().config().snapSequence()) {
            violations.add("the number " + next.number() + " is not reserved: config.snapSequence is "
                    + volume.get().config().snapSequence());
        }
        return violations;
    }

    private static List<String> violations(SnapshotRecord current, SnapshotRecord next) {
        List<String> violations = new ArrayList<>();
        if (current.deleting() && !next.deleting()) {
            violations.add("deletion is never taken back");
        }
        if (current.taken().isPresent() && !current.taken().equals(next.taken())) {
            violations.add("where a snapshot was taken never changes");
        }
        if (current.taken().isPresent() && current.number() != next.number()) {
            violations.add("the number of a snapshot that was taken never changes");
        }
        if (next.number() < current.number()) {
            violations.add("the number never falls");
        }
        return violations;
    }

    static Decision remove(Records records, Request.RemoveSnapshot remove) {
        Optional<SnapshotRecord> standing = records.snapshot(remove.volume(), remove.name());
        if (standing.isEmpty() || standing.get().version() != remove.expectedVersion()) {
            return new Decision.Lost(standing.map(Change.SnapshotPut::new));
        }
        return SwapRules.refuseOr(
                standing.get().deleting() ? List.of() : List.of("the snapshot is not deleting"),
                new Change.SnapshotRemoved(standing.get()));
    }
}
