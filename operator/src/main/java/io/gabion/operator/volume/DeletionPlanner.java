package io.gabion.operator.volume;

import io.gabion.api.health.HealthCode;
import io.gabion.model.Attachment;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.failpoint.Step;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * The end of a volume: the record says so, every node erases its copy and takes itself out of the record. A node that does not
 * answer gets a tombstone of its own and holds nothing up.
 */
final class DeletionPlanner {
    /**
     * A serving node erases its copy in a second or two, and one that is slower obeys its tombstone. A deletion must be over
     * within 30 s whoever is dead: the leaders of provisioner and operator take up to 13 s to be followed.
     */
    static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final Duration LOOK_AGAIN = Duration.ofSeconds(30);

    private final Supplier<UUID> identities;

    DeletionPlanner(Supplier<UUID> identities) {
        this.identities = identities;
    }

    VolumePlan plan(VolumeSituation at, VolumeSituation.Deletion deletion) {
        if (at.record().isEmpty()) {
            return VolumePlan.of(new VolumeAction.Forget());
        }
        VolumeRecord record = at.record().get();
        if (!record.deleting()) {
            return begin(record, deletion);
        }
        List<ReplicaPlacement> waiting = new ArrayList<>(record.placement());
        record.removed().stream().filter(c -> !waiting.contains(c)).forEach(waiting::add);
        if (waiting.isEmpty()) {
            return VolumePlan.of(new VolumeAction.Forget());
        }
        Instant patientUntil = deletion.since().plus(PATIENCE);
        boolean patient = at.now().isBefore(patientUntil);
        List<ReplicaPlacement> silent = waiting.stream()
                .filter(c -> !patient || at.lostSince(c.node()).isPresent())
                .toList();
        // No StorageNode, nobody to leave word with: whoever comes back under that name starts with the tombstones it
        // has.
        List<ReplicaPlacement> toBury = silent.stream()
                .filter(c -> at.nodes().containsKey(c.node()) && !at.buried().contains(c.replica()))
                .toList();
        if (!toBury.isEmpty()) {
            return VolumePlan.of(new VolumeAction.Bury(toBury));
        }
        if (!silent.isEmpty()) {
            return VolumePlan.of(new VolumeAction.Swap(
                    record.withPlacement(
                            Copies.without(record.placement(), silent),
                            Copies.without(record.removed(), silent),
                            Copies.WRITER_PREFIX + identities.get()),
                    Step.DROP_BURIED_REPLICA,
                    "tombstones left with "
                            + silent.stream().map(ReplicaPlacement::node).toList()));
        }
        return VolumePlan.rest(
                List.of(new Obstacle(
                        HealthCode.Deleting,
                        "waiting for these nodes to erase their copies: "
                                + waiting.stream().map(c -> c.node().value()).toList())),
                Optional.of(Duration.between(at.now(), patientUntil)));
    }

    private VolumePlan begin(VolumeRecord record, VolumeSituation.Deletion deletion) {
        if (deletion.isProtected()) {
            return VolumePlan.blocked(
                    HealthCode.DeletionProtected,
                    "spec.deletionProtection is true; set it to false to let the volume go",
                    LOOK_AGAIN);
        }
        if (!record.config().attachments().isEmpty()) {
            String nodes = record.config().attachments().stream()
                    .map(Attachment::node)
                    .toList()
                    .toString();
            String pods = deletion.pods().isEmpty() ? "the pods that use it" : "its pods " + deletion.pods();
            return VolumePlan.blocked(
                    HealthCode.InUse, "the volume is attached to " + nodes + "; delete " + pods + " first", LOOK_AGAIN);
        }
        return VolumePlan.of(new VolumeAction.Swap(
                record.withDeleting(Copies.WRITER_PREFIX + identities.get()), Step.MARK_DELETING, "deletion"));
    }
}
