package io.gabion.operator.volume;

import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.v1alpha1.ReplicaReport;
import io.gabion.api.v1alpha1.ReplicaState;
import io.gabion.model.Attachment;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.node.ReplicaObservation;
import io.gabion.operator.view.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What is said of a volume: conditions and the state of each copy. Pure. */
final class VolumeReport {
    /** Begins the message of a volume that gets larger. */
    static final String GROWING = "growing ";

    private final VolumeSituation at;
    private final List<Obstacle> obstacles;
    private final Map<ReplicaId, ReplicaObservation> observed;

    VolumeReport(VolumeSituation at, List<Obstacle> obstacles, Map<ReplicaId, ReplicaObservation> observed) {
        this.at = at;
        this.obstacles = List.copyOf(obstacles);
        this.observed = Map.copyOf(observed);
    }

    /** All conditions, always all of them. */
    List<Finding> findings() {
        return at.record().map(this::findings).orElseGet(this::findingsBeforePlacement);
    }

    private List<Finding> findingsBeforePlacement() {
        Obstacle why = obstacles.isEmpty()
                ? new Obstacle(HealthCode.Pending, "nodes for the copies are being chosen")
                : obstacles.getFirst();
        HealthCode reason = why.reason();
        return List.of(
                Finding.of(ConditionType.READY, false, reason, why.message()),
                Finding.of(ConditionType.REDUNDANT, false, reason, why.message()),
                Finding.of(ConditionType.PLACED, false, reason, why.message()),
                Finding.of(ConditionType.ATTACHED, false, HealthCode.Detached, "no node may open the volume"),
                Finding.of(ConditionType.RECONCILING, obstacles.isEmpty(), reason, why.message()),
                stalled());
    }

    private List<Finding> findings(VolumeRecord record) {
        return List.of(
                ready(record), redundant(record), placed(record), attached(record), reconciling(record), stalled());
    }

    private Finding ready(VolumeRecord record) {
        VolumeConfig config = record.config();
        if (record.deleting()) {
            return Finding.of(ConditionType.READY, false, HealthCode.Deleting, "the volume is being deleted");
        }
        int inSync = config.inSync().size();
        if (inSync < at.wanted().minInSync()) {
            return Finding.of(
                    ConditionType.READY,
                    false,
                    HealthCode.TooFewCopies,
                    "writes wait: " + inSync + " copies are in sync, minInSync is "
                            + at.wanted().minInSync() + "; " + outOfSync(record));
        }
        Optional<String> lost = record.primaryNode()
                .filter(n -> at.lostSince(n).isPresent())
                .map(n -> "the primary's node " + n + " does not serve; another copy takes over");
        if (lost.isPresent()) {
            return Finding.of(ConditionType.READY, false, HealthCode.Unavailable, lost.get());
        }
        ReplicaObservation leader = observed.get(config.primary());
        if (leader != null && !leader.stallReason().isEmpty()) {
            return Finding.of(
                    ConditionType.READY, false, HealthCode.Unavailable, "writes wait: " + leader.stallReason());
        }
        return Finding.of(
                ConditionType.READY,
                true,
                HealthCode.Ready,
                "led by " + record.primaryNode().map(Object::toString).orElse("nobody"));
    }

    private Finding redundant(VolumeRecord record) {
        if (record.deleting()) {
            return Finding.of(ConditionType.REDUNDANT, false, HealthCode.Deleting, "the volume is being deleted");
        }
        long inSync = Copies.kept(record).stream()
                .filter(c -> record.config().member(c.replica()).isPresent())
                .count();
        int wanted = at.wanted().replicas();
        if (inSync >= wanted) {
            return Finding.of(
                    ConditionType.REDUNDANT, true, HealthCode.Redundant, inSync + " of " + wanted + " copies in sync");
        }
        Optional<Obstacle> noPlacement = obstacles.stream()
                .filter(o -> o.reason() == HealthCode.NoPlacement)
                .findFirst();
        HealthCode reason = noPlacement.isPresent() ? HealthCode.NoPlacement : whyNotRedundant(record);
        String message = inSync + " of " + wanted + " copies in sync; " + outOfSync(record)
                + noPlacement.map(o -> "; " + o.message()).orElse("");
        return Finding.of(ConditionType.REDUNDANT, false, reason, message);
    }

    private HealthCode whyNotRedundant(VolumeRecord record) {
        List<ReplicaPlacement> out = missing(record);
        if (out.stream().anyMatch(c -> at.lostSince(c.node()).isPresent())) {
            return out.stream().allMatch(c -> at.lostSince(c.node()).isPresent())
                            || Copies.kept(record).size() <= at.wanted().replicas()
                    ? HealthCode.ReplicaLost
                    : HealthCode.ReplicaRebuilding;
        }
        // Also a copy that was wanted only now is no loss.
        return HealthCode.ReplicaRebuilding;
    }

    private static List<ReplicaPlacement> missing(VolumeRecord record) {
        return Copies.kept(record).stream()
                .filter(c -> record.config().member(c.replica()).isEmpty())
                .toList();
    }

    private String outOfSync(VolumeRecord record) {
        String copies = missing(record).stream()
                .map(c -> {
                    ReplicaReport report = state(record, c);
                    ReplicaObservation seen = observed.get(c.replica());
                    return c.node() + " is " + report.getState()
                            + (report.getReason() == null ? "" : " (" + report.getReason() + ")")
                            + (seen == null ? "" : seen.progress());
                })
                .collect(Collectors.joining(", "));
        return copies.isEmpty() ? "no copy is on its way" : copies;
    }

    private Finding placed(VolumeRecord record) {
        Optional<Obstacle> obstacle = obstacles.stream()
                .filter(o -> o.reason() == HealthCode.NoPlacement || o.reason() == HealthCode.PoolNotFound)
                .findFirst();
        return obstacle.map(o -> Finding.of(ConditionType.PLACED, false, o.reason(), o.message()))
                .orElseGet(
                        () -> Finding.of(ConditionType.PLACED, true, HealthCode.Placed, "copies on " + nodes(record)));
    }

    static String nodes(VolumeRecord record) {
        return Copies.kept(record).stream().map(c -> c.node().value()).sorted().collect(Collectors.joining(", "));
    }

    static String attachedTo(VolumeRecord record) {
        return record.config().attachments().stream().map(a -> a.node().value()).collect(Collectors.joining(", "));
    }

    private static Finding attached(VolumeRecord record) {
        List<Attachment> grants = record.config().attachments();
        return grants.isEmpty()
                ? Finding.of(ConditionType.ATTACHED, false, HealthCode.Detached, "no node may open the volume")
                : Finding.of(ConditionType.ATTACHED, true, HealthCode.Attached, "to " + attachedTo(record));
    }

    private Finding reconciling(VolumeRecord record) {
        if (record.deleting()) {
            String waits = obstacles.isEmpty() ? "" : obstacles.getFirst().message();
            return Finding.of(ConditionType.RECONCILING, true, HealthCode.Deleting, waits);
        }
        if (record.config().sizeBytes() < at.wanted().sizeBytes()) {
            return Finding.of(
                    ConditionType.RECONCILING,
                    true,
                    HealthCode.Progressing,
                    GROWING + "from " + record.config().sizeBytes() + " to "
                            + at.wanted().sizeBytes() + " bytes");
        }
        int kept = Copies.kept(record).size();
        if (kept != at.wanted().replicas()) {
            return Finding.of(
                    ConditionType.RECONCILING,
                    obstacles.isEmpty(),
                    HealthCode.Progressing,
                    "from " + kept + " to " + at.wanted().replicas() + " copies");
        }
        List<ReplicaPlacement> missing = missing(record);
        if (missing.stream().anyMatch(c -> at.lostSince(c.node()).isEmpty())) {
            return Finding.of(ConditionType.RECONCILING, true, HealthCode.ReplicaRebuilding, outOfSync(record));
        }
        return Finding.of(ConditionType.RECONCILING, false, HealthCode.Reconciled, "");
    }

    private Finding stalled() {
        return obstacles.stream()
                .filter(o -> o.reason() != HealthCode.Deleting)
                .findFirst()
                .map(o -> Finding.of(ConditionType.STALLED, true, o.reason(), o.message()))
                .orElseGet(() -> Finding.of(ConditionType.STALLED, false, HealthCode.NotStalled, ""));
    }

    /** How far the copy has come that has the longest way left; empty while none is on its way. */
    OptionalInt percentRebuilt() {
        return at.record().stream()
                .filter(r -> !r.deleting())
                .flatMap(r -> missing(r).stream())
                .filter(c -> at.lostSince(c.node()).isEmpty())
                .flatMap(c -> Optional.ofNullable(observed.get(c.replica())).stream())
                .flatMapToInt(o -> o.percent().stream())
                .min();
    }

    List<ReplicaReport> replicas() {
        List<ReplicaReport> all = new ArrayList<>();
        at.record().ifPresent(r -> Copies.kept(r).forEach(c -> all.add(state(r, c))));
        return all;
    }

    private ReplicaReport state(VolumeRecord record, ReplicaPlacement copy) {
        boolean lost = at.lostSince(copy.node()).isPresent();
        @Nullable ReplicaObservation seen = observed.get(copy.replica());
        ReplicaReport report = new ReplicaReport();
        report.setReplica(copy.replica().toString());
        report.setNode(copy.node().value());
        report.setState(
                record.config().member(copy.replica()).isPresent()
                        ? ReplicaState.IN_SYNC
                        : lost || seen == null ? ReplicaState.ABSENT : stateOfRole(seen.role()));
        if (lost) {
            report.setReason("NodeLost");
        }
        return report;
    }

    private static ReplicaState stateOfRole(String role) {
        return switch (role) {
            case "catching-up", "in-sync", "primary" -> ReplicaState.CATCHING_UP;
            case "outdated" -> ReplicaState.OUTDATED;
            case "faulted" -> ReplicaState.FAULTED;
            case "empty" -> ReplicaState.JOINING;
            default -> ReplicaState.ABSENT;
        };
    }
}
