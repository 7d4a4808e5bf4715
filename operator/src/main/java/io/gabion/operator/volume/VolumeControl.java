package io.gabion.operator.volume;

import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.ClaimReference;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.Locality;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import io.gabion.operator.event.EventSink;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.failpoint.Step;
import io.gabion.operator.node.DataPlane;
import io.gabion.operator.node.Tombstones;
import io.gabion.operator.record.SwapOutcome;
import io.gabion.operator.record.VolumeApi;
import io.gabion.operator.view.ClusterView;
import io.gabion.operator.view.Finding;
import io.gabion.operator.view.NodeView;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries the planner's steps out, one after the other, each from the state that the one before left. Safe for any thread. */
public final class VolumeControl {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeControl.class);

    /** No volume needs more steps in a row; more would be a loop. */
    private static final int MAX_STEPS = 16;

    private static final Duration AFTER_LOST_RACE = Duration.ofMillis(200);
    private static final Duration AFTER_REFUSAL = Duration.ofSeconds(30);

    /** What this works with. */
    public record Surroundings(
            VolumeApi volumes,
            ClusterView view,
            DataPlane dataPlane,
            Tombstones tombstones,
            EventSink events,
            FailPoint failPoint,
            InstantSource clock) {}

    private final Surroundings around;
    private final VolumePlanner planner;
    private final Map<String, Instant> deletionsSeen = new ConcurrentHashMap<>();
    private final RebuildNews rebuilds = new RebuildNews();
    private final GrowthNews growths = new GrowthNews();

    public VolumeControl(Surroundings around, VolumePlanner planner) {
        this.around = around;
        this.planner = planner;
    }

    /**
     * What is left to do.
     *
     * @param forget nothing is left of a deleted volume: its finalizer may go
     */
    public record Outcome(boolean forget, Optional<Duration> again) {}

    private sealed interface Progress {
        record Next(Volume volume) implements Progress {}

        record Done(Outcome outcome) implements Progress {}
    }

    public Outcome reconcile(Volume seen) {
        Volume volume = seen;
        for (int step = 0; step < MAX_STEPS; step++) {
            Optional<VolumeSituation> situation = situation(volume);
            if (situation.isEmpty()) {
                return new Outcome(false, Optional.of(AFTER_REFUSAL));
            }
            VolumePlan plan = paused(planner.plan(situation.get()));
            switch (carryOut(volume, situation.get(), plan)) {
                case Progress.Next(Volume next) -> volume = next;
                case Progress.Done(Outcome outcome) -> {
                    return outcome;
                }
            }
        }
        LOG.warn(
                "volume {}: {} steps in a row, going on later",
                seen.getMetadata().getName(),
                MAX_STEPS);
        return new Outcome(false, Optional.of(AFTER_LOST_RACE));
    }

    /** While the cluster is paused nothing is done, but everything is said. */
    private VolumePlan paused(VolumePlan plan) {
        boolean paused =
                around.view().cluster().filter(c -> c.getSpec().isPaused()).isPresent();
        if (!paused || plan.action() instanceof VolumeAction.Rest) {
            return plan;
        }
        return VolumePlan.blocked(
                HealthCode.Paused,
                "this waits because spec.paused of the StorageCluster is true: "
                        + plan.action().description(),
                AFTER_REFUSAL);
    }

    // ---- what is
    private Optional<VolumeSituation> situation(Volume volume) {
        VolumeSpec wanted;
        Optional<VolumeRecord> record;
        try {
            wanted = VolumeRecords.spec(volume);
            record = VolumeRecords.record(volume);
        } catch (IllegalArgumentException e) {
            LOG.warn("volume {}: {}", volume.getMetadata().getName(), e.getMessage());
            reportInvalid(volume, String.valueOf(e.getMessage()));
            return Optional.empty();
        }
        VolumeStatus status = volume.getStatus();
        Long told = status.getObservedGeneration();
        Long generation = volume.getMetadata().getGeneration();
        boolean changed = generation != null && (told == null || told < generation);
        Optional<StoragePool> pool = around.view().pool(wanted.pool());
        VolumeId id = VolumeRecords.volumeId(volume);
        return Optional.of(new VolumeSituation(
                id,
                wanted,
                changed,
                record,
                ReplicaLabels.nodes(volume, record, around.view()),
                deletion(volume),
                buried(id),
                pool.map(NodeView::pool),
                NodeView.nodes(around.view(), pool),
                preferred(volume, record),
                around.clock().instant()));
    }

    private Optional<VolumeSituation.Deletion> deletion(Volume volume) {
        String uid = volume.getMetadata().getUid();
        if (volume.getMetadata().getDeletionTimestamp() == null) {
            return Optional.empty();
        }
        VolumeStatus status = volume.getStatus();
        Instant now = around.clock().instant();
        // The nodes' patience starts with the record's word, not with the user's: a volume in use may wait long before
        // that.
        Instant since = status.isDeleting()
                ? deletionsSeen.computeIfAbsent(
                        uid, _ -> toldDeleting(volume, now).orElse(now))
                : now;
        ClaimReference claim = volume.getSpec().getClaimRef();
        boolean attached = status.getConfig() != null
                && !status.getConfig().getAttachments().isEmpty();
        List<String> pods = attached && claim != null ? around.view().podsOf(claim) : List.of();
        return Optional.of(new VolumeSituation.Deletion(volume.getSpec().isDeletionProtection(), since, pods));
    }

    /** When an earlier leader reported that the record says so: its follower does not begin to wait anew. */
    private static Optional<Instant> toldDeleting(Volume volume, Instant now) {
        Instant asked = Instant.parse(volume.getMetadata().getDeletionTimestamp());
        return Finding.find(volume.getStatus().getConditions(), ConditionType.READY)
                .filter(c -> HealthCode.Deleting.name().equals(c.getReason()))
                .map(c -> Instant.parse(c.getLastTransitionTime()))
                .filter(t -> !t.isBefore(asked) && !t.isAfter(now));
    }

    private Set<ReplicaId> buried(VolumeId id) {
        Set<ReplicaId> buried = new HashSet<>();
        for (StorageNode node : around.view().storageNodes()) {
            node.getSpec().getTombstones().stream()
                    .filter(t -> t.getVolumeId().equals(id.toString()))
                    .forEach(t -> buried.add(ReplicaId.of(t.getReplica())));
        }
        return buried;
    }

    private Optional<NodeName> preferred(Volume volume, Optional<VolumeRecord> record) {
        if (volume.getSpec().getLocality() != Locality.PREFERRED) {
            return Optional.empty();
        }
        if (record.isPresent()) {
            return record.get().config().attachments().stream()
                    .filter(a -> !a.readOnly())
                    .map(a -> a.node())
                    .findFirst();
        }
        Map<String, String> annotations = volume.getMetadata().getAnnotations();
        String wish = annotations == null ? null : annotations.get(GabionApi.PREFERRED_NODE);
        // A wish that names no node is none: whoever may write annotations must not be able to stop the volume.
        return wish == null
                ? Optional.empty()
                : around.view()
                        .storageNode(wish)
                        .map(n -> n.getMetadata().getName())
                        .map(NodeName::new);
    }

    // ---- what to do
    private Progress carryOut(Volume volume, VolumeSituation at, VolumePlan plan) {
        return switch (plan.action()) {
            case VolumeAction.Label(Set<NodeName> nodes) ->
                swapped(volume, Step.LABEL_VOLUME, () -> around.volumes()
                        .relabel(volume, ReplicaLabels.of(nodes), Set.of()));
            case VolumeAction.Unlabel(Set<NodeName> nodes) ->
                swapped(volume, Step.UNLABEL_VOLUME, () -> around.volumes()
                        .relabel(volume, Set.of(), ReplicaLabels.of(nodes)));
            case VolumeAction.Create(VolumeRecord first) ->
                swapped(volume, Step.CREATE_RECORD, () -> around.volumes().create(volume, first));
            case VolumeAction.Swap(VolumeRecord next, Step step, String why) -> {
                LOG.info("volume {}: {}: {}", at.wanted().name(), step, why);
                yield swapped(volume, step, () -> around.volumes().swap(volume, next));
            }
            case VolumeAction.Bury bury -> {
                bury.copies().forEach(c -> around.failPoint()
                        .around(Step.BURY_REPLICA, () -> around.tombstones().bury(c.node(), at.id(), c.replica())));
                // The view has to see the tombstones first.
                yield new Progress.Done(new Outcome(false, Optional.of(AFTER_LOST_RACE)));
            }
            case VolumeAction.HandOver(NodeName from, ReplicaId target, NodeName to) -> {
                around.failPoint().around(Step.HAND_OVER, () -> around.dataPlane()
                        .handOver(from, at.id(), target)
                        .ifPresent(e -> LOG.info(
                                "volume {}: {} keeps the lead: {}", at.wanted().name(), from, e)));
                LOG.info(
                        "volume {}: {} was asked to hand over to {}",
                        at.wanted().name(),
                        from,
                        to);
                yield rest(volume, at, plan);
            }
            case VolumeAction.Forget() -> {
                around.failPoint().around(Step.FORGET_VOLUME, () -> {
                    deletionsSeen.remove(volume.getMetadata().getUid());
                    rebuilds.forget(volume.getMetadata().getUid());
                    growths.forget(volume.getMetadata().getUid());
                });
                yield new Progress.Done(new Outcome(true, Optional.empty()));
            }
            case VolumeAction.Rest() -> rest(volume, at, plan);
        };
    }

    private interface Change {
        SwapOutcome make();
    }

    private Progress swapped(Volume volume, Step step, Change change) {
        around.failPoint().reached(step, FailPoint.Side.BEFORE);
        SwapOutcome outcome = change.make();
        around.failPoint().reached(step, FailPoint.Side.AFTER);
        return switch (outcome) {
            case SwapOutcome.Won(Volume won) -> new Progress.Next(won);
            case SwapOutcome.Lost() ->
                around.volumes()
                        .read(volume.getMetadata().getName())
                        .<Progress>map(Progress.Next::new)
                        .orElse(new Progress.Done(new Outcome(false, Optional.empty())));
            case SwapOutcome.Refused(String why) -> {
                LOG.error("volume {}: {} refused: {}", volume.getMetadata().getName(), step, why);
                around.events()
                        .tell(
                                VolumeNews.reference(volume),
                                EventSink.Kind.WARNING,
                                HealthCode.RecordDamaged.name(),
                                "the API server refused a change of the record: " + why);
                yield new Progress.Done(new Outcome(false, Optional.of(AFTER_REFUSAL)));
            }
        };
    }

    private Progress rest(Volume volume, VolumeSituation at, VolumePlan plan) {
        VolumeReport report =
                new VolumeReport(at, plan.obstacles(), around.dataPlane().replicas(at.id()));
        VolumeStatus next =
                VolumeStatusWriter.next(volume, at, report, around.dataPlane().replicas(at.id()));
        if (!VolumeStatusWriter.same(volume.getStatus(), next)) {
            around.failPoint().around(Step.REPORT_VOLUME, () -> around.volumes().report(volume, next));
            VolumeNews.tell(volume, next, around.events());
        }
        boolean larger = at.record()
                .map(VolumeRecord::config)
                .filter(c -> growths.hasGrown(
                        volume.getMetadata().getUid(),
                        volume.getStatus(),
                        c.sizeBytes(),
                        c.sizeBytes() < at.wanted().sizeBytes()))
                .isPresent();
        if (larger) {
            VolumeNews.tellExpanded(volume, around.events());
        }
        rebuilds.news(volume.getMetadata().getUid(), report.percentRebuilt())
                .ifPresent(percent -> VolumeNews.tellProgress(volume, percent, around.events()));
        return new Progress.Done(new Outcome(false, plan.lookAgain()));
    }

    private void reportInvalid(Volume volume, String message) {
        VolumeStatus next =
                VolumeStatusWriter.invalid(volume, message, around.clock().instant());
        if (!VolumeStatusWriter.same(volume.getStatus(), next)) {
            around.volumes().report(volume, next);
            VolumeNews.tell(volume, next, around.events());
        }
    }

    /** The volumes to look at again when something about one of these nodes changed. */
    public static boolean concerns(Volume volume, Set<String> nodes) {
        VolumeStatus status = volume.getStatus();
        if (status.getConfig() == null) {
            return true;
        }
        return status.getPlacement().stream().anyMatch(c -> nodes.contains(c.getNode()))
                || status.getRemoved().stream().anyMatch(c -> nodes.contains(c.getNode()))
                || List.copyOf(status.getConditions()).stream()
                        .anyMatch(c -> HealthCode.NoPlacement.name().equals(c.getReason()));
    }
}
