package io.gabion.operator.volume;

import io.gabion.api.v1alpha1.ReplicaReport;
import io.gabion.api.v1alpha1.ReplicaState;
import io.gabion.model.Attachment;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.node.ReplicaObservation;
import io.gabion.operator.view.Conditions;
import io.gabion.operator.view.Conditions.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What is said of a volume: conditions and the state of each copy. Pure. */
final class VolumeReport {
    static final String READY = "Ready";
    static final String REDUNDANT = "Redundant";
    static final String PLACED = "Placed";
    static final String ATTACHED = "Attached";
    static final String RECONCILING = "Reconciling";
    static final String STALLED = "Stalled";

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
                ? new Obstacle(Reason.PENDING, "nodes for the copies are being chosen")
                : obstacles.getFirst();
        String reason = why.reason().word();
        return List.of(
                Finding.of(READY, false, reason, why.message()),
                Finding.of(REDUNDANT, false, reason, why.message()),
                Finding.of(PLACED, false, reason, why.message()),
                Finding.of(ATTACHED, false, Reason.DETACHED.word(), "no node may open the volume"),
                Finding.of(RECONCILING, obstacles.isEmpty(), reason, why.message()),
                stalled());
    }

    private List<Finding> findings(VolumeRecord record) {
        return List.of(
                ready(record), redundant(record), placed(record), attached(record), reconciling(record), stalled());
    }

    private Finding ready(VolumeRecord record) {
        VolumeConfig config = record.config();
        if (record.deleting()) {
            return Finding.of(READY, false, Reason.DELETING.word(), "the volume is being deleted");
        }
        int inSync = config.inSync().size();
        if (inSync < at.wanted().minInSync()) {
            return Finding.of(
                    READY,
                    false,
                    Reason.TOO_FEW_IN_SYNC.word(),
                    "writes wait: " + inSync + " copies are in sync, minInSync is "
                            + at.wanted().minInSync() + "; " + outOfSync(record));
        }
        Optional<String> lost = record.primaryNode()
                .filter(n -> at.lostSince(n).isPresent())
                .map(n -> "the primary's node " + n + " does not serve; another copy takes over");
        if (lost.isPresent()) {
            return Finding.of(READY, false, Reason.PRIMARY_LOST.word(), lost.get());
        }
        ReplicaObservation leader = observed.get(config.primary());
        if (leader != null && !leader.stallReason().isEmpty()) {
            return Finding.of(READY, false, "WritesStalled", "writes wait: " + leader.stallReason());
        }
        return Finding.of(
                READY,
                true,
                Reason.SERVING.word(),
                "led by " + record.primaryNode().map(Object::toString).orElse("nobody"));
    }

    private Finding redundant(VolumeRecord record) {
        long inSync = Copies.kept(record).stream()
                .filter(c -> record.config().member(c.replica()).isPresent())
                .count();
        int wanted = at.wanted().replicas();
        if (inSync >= wanted) {
            return Finding.of(REDUNDANT, true, Reason.ALL_IN_SYNC.word(), inSync + " of " + wanted + " copies in sync");
        }
        Optional<Obstacle> noPlacement = obstacles.stream()
                .filter(o -> o.reason() == Reason.NO_PLACEMENT)
                .findFirst();
        Reason reason = noPlacement.isPresent() ? Reason.NO_PLACEMENT : whyNotRedundant(record);
        String message = inSync + " of " + wanted + " copies in sync; " + outOfSync(record)
                + noPlacement.map(o -> "; " + o.message()).orElse("");
        return Finding.of(REDUNDANT, false, reason.word(), message);
    }

    private Reason whyNotRedundant(VolumeRecord record) {
        List<ReplicaPlacement> out = missing(record);
        if (out.stream().anyMatch(c -> at.lostSince(c.node()).isPresent())) {
            return out.stream().allMatch(c -> at.lostSince(c.node()).isPresent())
                            || Copies.kept(record).size() <= at.wanted().replicas()
                    ? Reason.REPLICA_LOST
                    : Reason.REBUILDING;
        }
        return out.isEmpty() ? Reason.REPLICA_MISSING : Reason.REBUILDING;
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
                .filter(o -> o.reason() == Reason.NO_PLACEMENT || o.reason() == Reason.POOL_NOT_FOUND)
                .findFirst();
        return obstacle.map(o -> Finding.of(PLACED, false, o.reason().word(), o.message()))
                .orElseGet(() -> Finding.of(PLACED, true, Reason.PLACED.word(), "copies on " + nodes(record)));
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
                ? Finding.of(ATTACHED, false, Reason.DETACHED.word(), "no node may open the volume")
                : Finding.of(ATTACHED, true, Reason.ATTACHED.word(), "to " + attachedTo(record));
    }

    private Finding reconciling(VolumeRecord record) {
        if (record.deleting()) {
            String waits = obstacles.isEmpty() ? "" : obstacles.getFirst().message();
            return Finding.of(RECONCILING, true, Reason.DELETING.word(), waits);
        }
        if (record.config().sizeBytes() < at.wanted().sizeBytes()) {
            return Finding.of(
                    RECONCILING,
                    true,
                    Reason.GROWING.word(),
                    "from " + record.config().sizeBytes() + " to " + at.wanted().sizeBytes() + " bytes");
        }
        int kept = Copies.kept(record).size();
        if (kept != at.wanted().replicas()) {
            return Finding.of(
                    RECONCILING,
                    obstacles.isEmpty(),
                    Reason.SCALING.word(),
                    "from " + kept + " to " + at.wanted().replicas() + " copies");
        }
        List<ReplicaPlacement> missing = missing(record);
        if (missing.stream().anyMatch(c -> at.lostSince(c.node()).isEmpty())) {
            return Finding.of(RECONCILING, true, Reason.REBUILDING.word(), outOfSync(record));
        }
        return Finding.of(RECONCILING, false, Reason.SETTLED.word(), "");
    }

    private Finding stalled() {
        return obstacles.stream()
                .filter(o -> o.reason() != Reason.DELETING)
                .findFirst()
                .map(o -> Finding.of(STALLED, true, o.reason().word(), o.message()))
                .orElseGet(() -> Finding.of(STALLED, false, Reason.UNHINDERED.word(), ""));
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

    /** Whether every condition is as it should be for good: used to count healthy volumes. */
    static boolean isHealthy(List<Finding> findings) {
        return findings.stream()
                .filter(f -> f.type().equals(READY) || f.type().equals(REDUNDANT))
                .allMatch(f -> f.status().equals(Conditions.TRUE));
    }
}
