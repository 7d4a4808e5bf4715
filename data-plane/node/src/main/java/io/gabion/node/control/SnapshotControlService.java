package io.gabion.node.control;

import io.gabion.core.port.SnapshotOutcome;
import io.gabion.core.volume.ReplicaView;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.node.control.NodeOperations.ReplicaFacts;
import io.gabion.protocol.control.v1.DeleteSnapshotRequest;
import io.gabion.protocol.control.v1.ListSnapshotsRequest;
import io.gabion.protocol.control.v1.ListSnapshotsResponse;
import io.gabion.protocol.control.v1.SnapshotAnswer;
import io.gabion.protocol.control.v1.SnapshotControlGrpc;
import io.gabion.protocol.control.v1.SnapshotResult;
import io.gabion.protocol.control.v1.SnapshotStatus;
import io.gabion.protocol.control.v1.StartSnapshotDigestRequest;
import io.gabion.protocol.control.v1.StartSnapshotDigestResponse;
import io.gabion.protocol.control.v1.TakeSnapshotRequest;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The storage node's control interface, as far as it is about snapshots. */
public final class SnapshotControlService extends SnapshotControlGrpc.SnapshotControlImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotControlService.class);

    private final NodeOperations node;
    private final SnapshotOperations snapshots;
    private final VerifyResults verifyResults;
    private final VerifyIds ids;

    public SnapshotControlService(
            NodeOperations node, SnapshotOperations snapshots, VerifyResults verifyResults, VerifyIds ids) {
        this.node = node;
        this.snapshots = snapshots;
        this.verifyResults = verifyResults;
        this.ids = ids;
    }

    @Override
    public void takeSnapshot(TakeSnapshotRequest request, StreamObserver<SnapshotAnswer> observer) {
        ControlAnswers.answer(observer, () -> {
            VolumeId volume = ControlAnswers.volume(request.getVolume());
            long number = number(request.getNumber());
            LOG.info("snapshot {} of volume {} wanted", number, volume);
            return answer(volume, snapshots.take(volume, number));
        });
    }

    @Override
    public void deleteSnapshot(DeleteSnapshotRequest request, StreamObserver<SnapshotAnswer> observer) {
        ControlAnswers.answer(observer, () -> {
            VolumeId volume = ControlAnswers.volume(request.getVolume());
            long number = number(request.getNumber());
            LOG.info("snapshot {} of volume {} unwanted", number, volume);
            return answer(volume, snapshots.delete(volume, number));
        });
    }

    private static long number(long number) {
        if (number < 1) {
            throw ControlAnswers.failure(
                    Status.INVALID_ARGUMENT, "number: snapshots are numbered from 1, not " + number);
        }
        return number;
    }

    private SnapshotAnswer answer(VolumeId volume, Optional<SnapshotOutcome> outcome) {
        SnapshotAnswer.Builder answer = SnapshotAnswer.newBuilder();
        switch (outcome.orElse(null)) {
            case null ->
                answer.setResult(SnapshotResult.SNAPSHOT_RESULT_WAITING).setReason(whyItWaits(volume));
            case SnapshotOutcome.Taken(var lsn) ->
                answer.setResult(SnapshotResult.SNAPSHOT_RESULT_TAKEN).setLsn(lsn.toString());
            case SnapshotOutcome.Deleted() -> answer.setResult(SnapshotResult.SNAPSHOT_RESULT_DELETED);
            case SnapshotOutcome.NumberUsed() -> answer.setResult(SnapshotResult.SNAPSHOT_RESULT_NUMBER_USED);
            case SnapshotOutcome.NotPrimary(var hint) ->
                answer.setResult(SnapshotResult.SNAPSHOT_RESULT_NOT_PRIMARY)
                        .setPrimaryNode(hint.map(NodeName::value).orElse(""));
            case SnapshotOutcome.Refused(var reason) ->
                answer.setResult(SnapshotResult.SNAPSHOT_RESULT_REFUSED).setReason(reason);
        }
        return answer.build();
    }

    private String whyItWaits(VolumeId volume) {
        return node.replicas(Optional.of(volume)).stream()
                .findFirst()
                .map(ReplicaFacts::view)
                .map(SnapshotControlService::whyItWaits)
                .orElse("the volume has left node " + node.facts().name());
    }

    private static String whyItWaits(ReplicaView view) {
        return view.stall()
                .map(stall -> stall.reason() + ", for " + stall.waitsFor())
                .orElse("the replica is " + view.role() + ", " + view.phase());
    }

    @Override
    public void listSnapshots(ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> observer) {
        ControlAnswers.answer(observer, () -> {
            VolumeId volume = ControlAnswers.volume(request.getVolume());
            ReplicaFacts replica = ControlAnswers.one(node, volume);
            List<SnapshotOperations.SnapshotFacts> found = snapshots
                    .snapshots(volume, request.getWithSpace())
                    .orElseThrow(() -> ControlAnswers.failure(
                            Status.UNAVAILABLE, "the space of the snapshots could not be counted; try again"));
            ListSnapshotsResponse.Builder response = ListSnapshotsResponse.newBuilder()
                    .setReplica(replica.view().replica().toString())
                    .setRole(replica.view().role())
                    .setUsedBytes(replica.usedBytes())
                    .setSnapshotBytes(replica.snapshotBytes());
            for (SnapshotOperations.SnapshotFacts one : found) {
                response.addSnapshots(SnapshotStatus.newBuilder()
                        .setNumber(one.number())
                        .setLsn(one.lsn().toString())
                        .setOwnBytes(one.ownBytes())
                        .setUniqueBytes(one.uniqueBytes()));
            }
            return response.build();
        });
    }

    @Override
    public void startSnapshotDigest(
            StartSnapshotDigestRequest request, StreamObserver<StartSnapshotDigestResponse> observer) {
        ControlAnswers.answer(observer, () -> {
            VolumeId volume = ControlAnswers.volume(request.getVolume());
            ControlAnswers.one(node, volume);
            long number = number(request.getNumber());
            SnapshotOperations.SnapshotFacts found = snapshots.snapshots(volume, false).orElse(List.of()).stream()
                    .filter(one -> one.number() == number)
                    .findFirst()
                    .orElseThrow(() -> ControlAnswers.failure(
                            Status.NOT_FOUND,
                            "the replica of volume " + volume + " on node "
                                    + node.facts().name() + " has no snapshot " + number));
            long id = ids.next();
            verifyResults.put(volume, id, new VerifyOutcome.Reading(found.lsn()));
            snapshots.digest(volume, number, id);
            return StartSnapshotDigestResponse.newBuilder().setId(id).build();
        });
    }
}
