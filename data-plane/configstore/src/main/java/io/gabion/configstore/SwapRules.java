package io.gabion.configstore;

import io.gabion.model.ClusterId;
import io.gabion.model.ConfigTransition;
import io.gabion.model.DiskRecord;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeOrigin;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.PeerIdentity;
import io.gabion.protocol.control.PoolRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Decides what may follow the records as they stand. Pure. Operators may do everything that the rules between two records
 * allow; a node may change only volumes that list it, and there neither the specification nor where others live, its own disks
 * and its own address.
 */
final class SwapRules {
    private final ClusterId cluster;

    SwapRules(ClusterId cluster) {
        this.cluster = cluster;
    }

    Decision decide(Records records, Request request, PeerIdentity caller) {
        return switch (request) {
            case Request.SwapVolume swap -> swapVolume(records, swap, caller);
            case Request.RemoveVolume remove -> removeVolume(records, remove);
            case Request.SwapDisk swap -> swapDisk(records, swap, caller);
            case Request.PutNode put -> putNode(records, put, caller);
            case Request.SwapPool swap -> swapPool(records, swap, caller);
            case Request.SwapSnapshot swap ->
                isOperator(caller)
                        ? SnapshotRules.swap(records, swap)
                        : denied(
                                caller,
                                "name snapshots of the volume " + swap.next().volume());
            case Request.RemoveSnapshot remove ->
                isOperator(caller)
                        ? SnapshotRules.remove(records, remove)
                        : denied(caller, "remove names of snapshots of the volume " + remove.volume());
        };
    }

    // ---- volumes
    private static Decision swapVolume(Records records, Request.SwapVolume swap, PeerIdentity caller) {
        VolumeRecord next = swap.next();
        Optional<VolumeRecord> standing = records.volume(next.id());
        if (swap.expectedVersion() == 0) {
            if (!isOperator(caller)) {
                return denied(caller, "create the volume " + next.id());
            }
            if (standing.isPresent()) {
                return alreadyDone(standing.get(), next);
            }
            return refuseOr(creationViolations(records, next), new Change.VolumePut(next));
        }
        if (standing.isEmpty()) {
            return new Decision.Lost(Optional.empty());
        }
        VolumeRecord current = standing.get();
        if (!isOperator(caller) && !mayTouch(current, caller)) {
            return denied(caller, "change the volume " + next.id() + ", which has no replica there");
        }
        if (current.config().version() != swap.expectedVersion()) {
            return alreadyDone(current, next);
        }
        List<String> violations = new ArrayList<>(ConfigTransition.violations(current, next));
        if (!isOperator(caller)) {
            violations.addAll(nodeViolations(current, next, new NodeName(caller.name())));
        }
        if (!next.deleting()) {
            violations.addAll(nameViolations(records, next));
        }
        return refuseOr(violations, new Change.VolumePut(next));
    }

    /** The writer is unique to a proposal, so an equal record is the caller's own success. */
    private static Decision alreadyDone(VolumeRecord current, VolumeRecord next) {
        boolean same = current.equals(next) && !next.config().writer().isBlank();
        return same
                ? new Decision.AlreadyDone(new Change.VolumePut(current))
                : new Decision.Lost(Optional.of(new Change.VolumePut(current)));
    }

    private static List<String> creationViolations(Records records, VolumeRecord next) {
        List<String> violations = new ArrayList<>(nameViolations(records, next));
        if (next.config().version() != 1) {
            violations.add("the first version is 1");
        }
        if (next.config().epoch() != next.foundingEpoch()) {
            violations.add("the first epoch is " + next.foundingEpoch());
        }
        next.origin().ifPresent(origin -> violations.addAll(originViolations(records, next, origin)));
        if (next.deleting()) {
            violations.add("a new volume is not deleting");
        }
        if (next.config().inSync().stream()
                .anyMatch(m -> next.nodeOf(m.replica()).isEmpty())) {
            violations.add("every in-sync member must have a placement");
        }
        if (next.config().sizeBytes() != next.spec().sizeBytes()) {
            violations.add("config.sizeBytes and spec.sizeBytes start equal");
        }
        return violations;
    }

    private static List<String> originViolations(Records records, VolumeRecord next, VolumeOrigin origin) {
        Optional<VolumeRecord> parent = records.volume(origin.volume());
        if (parent.isEmpty() || parent.get().deleting()) {
            return List.of("there is no volume " + origin.volume() + " to clone");
        }
        List<String> violations = new ArrayList<>();
        if (origin.snapshot() > parent.get().config().snapSequence()) {
            violations.add("the volume " + origin.volume() + " never had a snapshot " + origin.snapshot());
        }
        // Founders take the content from their own copy of the parent.
        if (next.config().inSync().stream().anyMatch(m -> next.nodeOf(m.replica())
                .flatMap(parent.get()::replicaOn)
                .isEmpty())) {
            violations.add("every in-sync member of a clone must be on a node of the volume " + origin.volume());
        }
        return violations;
    }

    private static List<String> nameViolations(Records records, VolumeRecord next) {
        return records.liveVolume(next.spec().name())
                .filter(other -> !other.id().equals(next.id()))
                .map(other -> List.of("the name \"" + next.spec().name() + "\" belongs to the volume " + other.id()))
                .orElse(List.of());
    }

    private static List<String> nodeViolations(VolumeRecord current, VolumeRecord next, NodeName node) {
        List<String> violations = new ArrayList<>();
        if (!current.spec().equals(next.spec())) {
            violations.add("a node does not change the specification");
        }
        if (current.deleting() != next.deleting()) {
            violations.add("a node does not delete a volume");
        }
        if (current.config().snapSequence() != next.config().snapSequence()) {
            violations.add("a node reserves no numbers for snapshots");
        }
        if (!onlyOwnLeft(current.placement(), next.placement(), node)
                || !onlyOwnLeft(current.removed(), next.removed(), node)) {
            violations.add("a node takes only itself out of placement and removed");
        }
        return violations;
    }

    private static boolean onlyOwnLeft(List<ReplicaPlacement> before, List<ReplicaPlacement> after, NodeName node) {
        return before.containsAll(after)
                && before.stream().filter(p -> !after.contains(p)).allMatch(p -> p.node()
                        .equals(node));
    }

    private static boolean mayTouch(VolumeRecord volume, PeerIdentity caller) {
        return caller.role() == ControlRole.NODE
                && (listed(volume.placement(), caller) || listed(volume.removed(), caller));
    }

    private static boolean listed(List<ReplicaPlacement> placements, PeerIdentity caller) {
        return placements.stream().anyMatch(p -> p.node().value().equals(caller.name()));
    }

    /** Anybody who may call may finish a deletion: nothing is left that it could harm. */
    private static Decision removeVolume(Records records, Request.RemoveVolume remove) {
        Optional<VolumeRecord> standing = records.volume(remove.id());
        if (standing.isEmpty()) {
            return new Decision.Lost(Optional.empty());
        }
        VolumeRecord current = standing.get();
        if (current.config().version() != remove.expectedVersion()) {
            return new Decision.Lost(Optional.of(new Change.VolumePut(current)));
        }
        List<String> violations = new ArrayList<>();
        if (!current.deleting()) {
            violations.add("the volume is not deleting");
        }
        if (!current.placement().isEmpty()) {
            violations.add("nodes still hold replicas: "
                    + current.placement().stream().map(p -> p.node().value()).toList());
        }
        return refuseOr(violations, new Change.VolumeRemoved(remove.id()));
    }

    // ---- disks, nodes, pools
    private Decision swapDisk(Records records, Request.SwapDisk swap, PeerIdentity caller) {
        DiskRecord next = swap.next();
        Optional<DiskRecord> standing = records.disk(next.id());
        boolean own = isSelf(next.node(), caller)
                && standing.map(d -> isSelf(d.node(), caller)).orElse(true);
        if (!isOperator(caller) && !own) {
            return denied(
                    caller,
                    "change the disk " + next.id() + " of "
                            + standing.map(DiskRecord::node).orElse(next.node()));
        }
        if (standing.map(DiskRecord::version).orElse(0L) != swap.expectedVersion()) {
            // Never "already done": two openings of a copied disk would look alike.
            return new Decision.Lost(standing.map(Change.DiskPut::new));
        }
        List<String> violations = new ArrayList<>();
        if (!next.cluster().equals(cluster)) {
            violations.add("the disk belongs to the cluster " + next.cluster() + ", not to " + cluster);
        }
        if (next.version() != swap.expectedVersion() + 1) {
            violations.add("version must rise by exactly one");
        }
        if (standing.isPresent() && next.openCount() < standing.get().openCount()) {
            violations.add("openCount never falls: it is " + standing.get().openCount()
                    + " (the disk was rolled back or copied)");
        }
        return refuseOr(violations, new Change.DiskPut(next));
    }

    private static Decision putNode(Records records, Request.PutNode put, PeerIdentity caller) {
        NodeRecord next = put.next();
        if (!isOperator(caller) && !isSelf(next.name(), caller)) {
            return denied(caller, "write the address of " + next.name());
        }
        long version = records.node(next.name()).map(NodeRecord::version).orElse(0L) + 1;
        return new Decision.Won(new Change.NodePut(new NodeRecord(
                next.name(),
                next.host(),
                next.dataPort(),
                next.controlPort(),
                next.metricsPort(),
                next.softwareVersion(),
                version)));
    }

    private static Decision swapPool(Records records, Request.SwapPool swap, PeerIdentity caller) {
        PoolRecord next = swap.next();
        if (!isOperator(caller)) {
            return denied(caller, "change the pool " + next.name());
        }
        Optional<PoolRecord> standing = records.pool(next.name());
        if (standing.map(PoolRecord::version).orElse(0L) != swap.expectedVersion()) {
            return new Decision.Lost(standing.map(Change.PoolPut::new));
        }
        List<String> violations =
                next.version() == swap.expectedVersion() + 1 ? List.of() : List.of("version must rise by exactly one");
        return refuseOr(violations, new Change.PoolPut(next));
    }

    // ---- outcomes
    static Decision refuseOr(List<String> violations, Change change) {
        return violations.isEmpty() ? new Decision.Won(change) : new Decision.Refused(violations);
    }

    private static Decision denied(PeerIdentity caller, String what) {
        return new Decision.Denied(caller + " may not " + what);
    }

    private static boolean isOperator(PeerIdentity caller) {
        return caller.role() == ControlRole.OPERATOR;
    }

    private static boolean isSelf(NodeName node, PeerIdentity caller) {
        return caller.role() == ControlRole.NODE && node.value().equals(caller.name());
    }
}
