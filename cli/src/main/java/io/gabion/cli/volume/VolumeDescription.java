package io.gabion.cli.volume;

import io.gabion.cli.cluster.NodeSurvey;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.v1.ReplicaStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Everything that is known of one volume: what was asked for, the record and what every node says of its replica.
 *
 * @param health one sentence
 * @param stall why writes wait, null when they do not
 * @param sessions open sessions at the primary
 */
record VolumeDescription(
        String health,
        String id,
        String name,
        long sizeBytes,
        long wantedSizeBytes,
        int wantedReplicas,
        int minInSync,
        String pool,
        String onPoolFull,
        boolean deleting,
        long version,
        long epoch,
        String primary,
        String primaryNode,
        List<InSync> inSync,
        long sessionFloor,
        List<Attached> attachments,
        @Nullable Stall stall,
        List<String> sessions,
        List<Replica> replicas) {
    record InSync(String node, String replica, long incarnation) {}

    record Attached(String node, long generation, boolean readOnly) {}

    /** @param sinceMillis milliseconds since 1970 */
    record Stall(String reason, String waitsFor, long sinceMillis) {}

    /**
     * @param reachable whether the node answered; the facts after it are empty when it did not
     * @param silentMillis since another node last heard of this one, null when nobody can say or it answers
     * @param tombstone the replica is to be deleted
     * @param snapshotBytes part of {@code usedBytes} that only snapshots and clones still need
     */
    record Replica(
            String node,
            String replica,
            boolean inSync,
            boolean tombstone,
            boolean reachable,
            String failure,
            @Nullable Long silentMillis,
            String role,
            String phase,
            long epoch,
            long promisedEpoch,
            String lastLsn,
            String committedLsn,
            long usedBytes,
            int snapshots,
            long snapshotBytes,
            long resyncComparedBytes,
            long resyncCopiedBytes,
            long resyncTotalBytes,
            int writesInFlight,
            boolean everWritten) {}

    /** Puts together what the record and the nodes say. Pure. */
    static VolumeDescription of(VolumeRecord record, Map<NodeName, NodeSurvey.Answer> answers, long nowMillis) {
        List<Replica> replicas = new ArrayList<>();
        for (ReplicaPlacement placement : record.placement()) {
            replicas.add(replica(record, placement, answers));
        }
        Optional<ReplicaStatus> primary = record.primaryNode()
                .map(answers::get)
                .flatMap(answer -> statusOf(answer, record.config().primary().toString()));
        Stall stall = primary.filter(p -> !p.getStallReason().isEmpty())
                .map(p -> new Stall(p.getStallReason(), p.getStallWaitsFor(), p.getStalledSinceMillis()))
                .orElse(null);
        return new VolumeDescription(
                Health.sentence(record, replicas, stall, nowMillis),
                record.id().toString(),
                record.spec().name(),
                record.config().sizeBytes(),
                record.spec().sizeBytes(),
                record.spec().replicas(),
                record.spec().minInSync(),
                record.spec().pool(),
                record.spec().onPoolFull().name().toLowerCase(Locale.ROOT),
                record.deleting(),
                record.config().version(),
                record.config().epoch(),
                record.config().primary().toString(),
                record.primaryNode().map(NodeName::value).orElse(""),
                record.config().inSync().stream().map(m -> inSync(record, m)).toList(),
                record.config().sessionFloor(),
                record.config().attachments().stream()
                        .map(a -> new Attached(a.node().value(), a.generation(), a.readOnly()))
                        .toList(),
                stall,
                primary.map(p -> List.copyOf(p.getSessionsList())).orElse(List.of()),
                replicas);
    }

    private static InSync inSync(VolumeRecord record, InSyncMember member) {
        return new InSync(
                record.nodeOf(member.replica()).map(NodeName::value).orElse(""),
                member.replica().toString(),
                member.incarnation());
    }

    private static Optional<ReplicaStatus> statusOf(NodeSurvey.Answer answer, String replica) {
        return answer.replicas().stream()
                .filter(r -> r.getReplica().equals(replica))
                .findFirst();
    }

    private static Replica replica(
            VolumeRecord record, ReplicaPlacement placement, Map<NodeName, NodeSurvey.Answer> answers) {
        NodeSurvey.Answer answer = answers.get(placement.node());
        boolean reachable = answer != null && answer.status().isPresent();
        ReplicaStatus status = answer == null
                ? ReplicaStatus.getDefaultInstance()
                : statusOf(answer, placement.replica().toString()).orElse(ReplicaStatus.getDefaultInstance());
        String failure = answer == null
                ? "node " + placement.node() + " never registered an address"
                : reachable && status.getRole().isEmpty() ? "the node does not hold the replica yet" : answer.failure();
        return new Replica(
                placement.node().value(),
                placement.replica().toString(),
                record.config().member(placement.replica()).isPresent(),
                record.removed().contains(placement),
                reachable,
                failure,
                reachable
                        ? null
                        : NodeSurvey.silentMillis(answers, placement.node()).orElse(null),
                status.getRole(),
                status.getPhase(),
                status.getEpoch(),
                status.getPromisedEpoch(),
                status.getLastLsn(),
                status.getCommittedLsn(),
                status.getUsedBytes(),
                status.getSnapshots(),
                status.getSnapshotBytes(),
                status.getResyncComparedBytes(),
                status.getResyncCopiedBytes(),
                status.getResyncTotalBytes(),
                status.getWritesInFlight(),
                status.getEverWritten());
    }
}
