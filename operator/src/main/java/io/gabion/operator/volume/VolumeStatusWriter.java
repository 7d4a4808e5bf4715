package io.gabion.operator.volume;

import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.record.ByteText;
import io.gabion.api.v1alpha1.ClaimReference;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.node.ReplicaObservation;
import io.gabion.operator.view.Finding;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The part of a Volume's status that the operator writes. The record in it is left alone. */
final class VolumeStatusWriter {
    private VolumeStatusWriter() {}

    static VolumeStatus next(
            Volume volume, VolumeSituation at, VolumeReport report, Map<ReplicaId, ReplicaObservation> observed) {
        VolumeStatus next = new VolumeStatus();
        VolumeStatus standing = volume.getStatus();
        Long generation = volume.getMetadata().getGeneration();
        next.setVolumeId(at.id().toString());
        next.setConditions(Finding.apply(
                ConditionType.VOLUME,
                standing.getConditions(),
                report.findings(),
                generation == null ? 0 : generation,
                at.now()));
        ClaimReference claim = volume.getSpec().getClaimRef();
        if (claim != null) {
            next.setClaim(claim.getNamespace() + "/" + claim.getName());
        }
        next.setCopies("0/" + at.wanted().replicas());
        if (at.record().isPresent()) {
            VolumeRecord record = at.record().get();
            int inSync = record.config().inSync().size();
            next.setReplicaCount(inSync);
            next.setCopies(inSync + "/" + at.wanted().replicas());
            next.setPrimaryNode(record.primaryNode().map(Object::toString).orElse(null));
            next.setReplicaNodes(VolumeReport.nodes(record));
            next.setAttachedTo(VolumeReport.attachedTo(record));
            next.setReplicas(report.replicas());
        }
        long allocated = observed.values().stream()
                .mapToLong(ReplicaObservation::usedBytes)
                .max()
                .orElse(-1);
        if (allocated >= 0) {
            next.setAllocatedBytes(allocated);
            next.setAllocated(ByteText.of(allocated));
        } else {
            next.setAllocatedBytes(standing.getAllocatedBytes());
            next.setAllocated(standing.getAllocated());
        }
        boolean written = observed.values().stream().anyMatch(ReplicaObservation::everWritten);
        next.setEverWritten(written || standing.isEverWritten());
        return next;
    }

    /** The specification cannot be obeyed. */
    static VolumeStatus invalid(Volume volume, String message, Instant now) {
        VolumeStatus next = new VolumeStatus();
        VolumeStatus standing = volume.getStatus();
        HealthCode reason = HealthCode.InvalidSpec;
        List<Finding> findings = new ArrayList<>();
        findings.add(Finding.of(ConditionType.READY, false, reason, message));
        findings.add(Finding.of(ConditionType.PLACED, false, reason, message));
        findings.add(Finding.of(ConditionType.STALLED, true, reason, message));
        Long generation = volume.getMetadata().getGeneration();
        next.setConditions(Finding.apply(
                ConditionType.VOLUME, standing.getConditions(), findings, generation == null ? 0 : generation, now));
        return next;
    }

    /** Whether a write would change anything that people see. */
    static boolean same(VolumeStatus standing, VolumeStatus next) {
        return Objects.equals(standing.getVolumeId(), next.getVolumeId())
                && Objects.equals(standing.getConditions(), next.getConditions())
                && Objects.equals(standing.getCopies(), next.getCopies())
                && standing.getReplicaCount() == next.getReplicaCount()
                && Objects.equals(standing.getPrimaryNode(), next.getPrimaryNode())
                && Objects.equals(orEmpty(standing.getReplicaNodes()), orEmpty(next.getReplicaNodes()))
                && Objects.equals(orEmpty(standing.getAttachedTo()), orEmpty(next.getAttachedTo()))
                && Objects.equals(standing.getClaim(), next.getClaim())
                && Objects.equals(standing.getAllocated(), next.getAllocated())
                && standing.isEverWritten() == next.isEverWritten()
                && states(standing).equals(states(next));
    }

    private static String orEmpty(@Nullable String text) {
        return text == null ? "" : text;
    }

    private static List<String> states(VolumeStatus status) {
        return status.getReplicas().stream()
                .map(r -> r.getReplica() + r.getNode() + r.getState() + orEmpty(r.getReason()))
                .toList();
    }
}
