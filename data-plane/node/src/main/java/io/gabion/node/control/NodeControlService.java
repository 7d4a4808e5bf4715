package io.gabion.node.control;

import com.google.protobuf.ByteString;
import io.gabion.core.volume.ReplicaView;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import io.gabion.node.control.NodeOperations.NodeFacts;
import io.gabion.node.control.NodeOperations.ReplicaFacts;
import io.gabion.protocol.control.v1.DiskStatus;
import io.gabion.protocol.control.v1.GetNodeStatusRequest;
import io.gabion.protocol.control.v1.GetVerifyRequest;
import io.gabion.protocol.control.v1.GetVerifyResponse;
import io.gabion.protocol.control.v1.HandoverRequest;
import io.gabion.protocol.control.v1.HandoverResponse;
import io.gabion.protocol.control.v1.ListReplicasRequest;
import io.gabion.protocol.control.v1.ListReplicasResponse;
import io.gabion.protocol.control.v1.NodeControlGrpc;
import io.gabion.protocol.control.v1.NodeStatus;
import io.gabion.protocol.control.v1.PeerStatus;
import io.gabion.protocol.control.v1.ReplicaStatus;
import io.gabion.protocol.control.v1.StartVerifyRequest;
import io.gabion.protocol.control.v1.StartVerifyResponse;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The storage node's control interface. Every call is short; the outcome of slow things is asked for again. */
public final class NodeControlService extends NodeControlGrpc.NodeControlImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(NodeControlService.class);
    private static final String PRIMARY = "primary";

    private final NodeOperations node;
    private final VerifyResults verifyResults;
    private final VerifyIds ids;

    public NodeControlService(NodeOperations node, VerifyResults verifyResults, VerifyIds ids) {
        this.node = node;
        this.verifyResults = verifyResults;
        this.ids = ids;
    }

    @Override
    public void getNodeStatus(GetNodeStatusRequest request, StreamObserver<NodeStatus> observer) {
        ControlAnswers.answer(observer, () -> status(node.facts()));
    }

    private static NodeStatus status(NodeFacts facts) {
        NodeStatus.Builder status = NodeStatus.newBuilder()
                .setName(facts.name().value())
                .setCluster(facts.cluster().toString())
                .setBootId(facts.bootId().toString())
                .setSoftwareVersion(facts.softwareVersion())
                .setNetworkBackend(facts.networkBackend())
                .setDiskBackend(facts.diskBackend())
                .setConfigurationStoreReachable(facts.configurationStoreReachable());
        for (NodeOperations.DiskFacts disk : facts.disks()) {
            status.addDisks(DiskStatus.newBuilder()
                    .setId(disk.id())
                    .setPool(disk.pool())
                    .setSizeBytes(disk.sizeBytes())
                    .setUsedBytes(disk.usedBytes())
                    .setReservedBytes(disk.reservedBytes())
                    .setFreeBytes(disk.freeBytes())
                    .setState(disk.state())
                    .setReason(disk.reason()));
        }
        for (NodeOperations.PeerFacts peer : facts.peers()) {
            status.addPeers(PeerStatus.newBuilder()
                    .setNode(peer.node().value())
                    .setUp(peer.up())
                    .setLastHeartbeatAgeMillis(peer.heartbeatAgeMillis()));
        }
        return status.build();
    }

    @Override
    public void listReplicas(ListReplicasRequest request, StreamObserver<ListReplicasResponse> observer) {
        ControlAnswers.answer(observer, () -> {
            Optional<VolumeId> volume = request.getVolume().isEmpty()
                    ? Optional.empty()
                    : Optional.of(ControlAnswers.volume(request.getVolume()));
            String name = node.facts().name().value();
            ListReplicasResponse.Builder response = ListReplicasResponse.newBuilder();
            node.replicas(volume).forEach(facts -> response.addReplicas(status(name, facts)));
            return response.build();
        });
    }

    private static ReplicaStatus status(String node, ReplicaFacts facts) {
        ReplicaView view = facts.view();
        ReplicaStatus.Builder status = ReplicaStatus.newBuilder()
                .setVolume(view.volume().toString())
                .setReplica(view.replica().toString())
                .setNode(node)
                .setRole(facts.failure().isPresent() ? "faulted" : view.role())
                .setPhase(facts.failure().map(reason -> "stopped: " + reason).orElse(view.phase()))
                .setEpoch(view.epoch())
                .setPromisedEpoch(view.promisedEpoch())
                .setLastLsn(view.lastLsn().toString())
                .setCommittedLsn(view.committed().toString())
                .setUsedBytes(facts.usedBytes())
                .setSnapshotBytes(facts.snapshotBytes())
                .setSnapshots(facts.snapshots())
                .setIncarnation(facts.incarnation())
                .setResyncComparedBytes(view.resyncComparedBytes())
                .setResyncCopiedBytes(view.resyncCopiedBytes())
                .setResyncTotalBytes(view.resyncTotalBytes())
                .addAllSessions(view.sessions())
                .setWritesInFlight(view.writesInFlight())
                .setRecordVersion(
                        view.record().map(record -> record.config().version()).orElse(0L))
                // Not by its log: opening a session takes a place there too.
                .setEverWritten(facts.usedBytes() > 0);
        view.stall().ifPresent(stall -> status.setStallReason(stall.reason())
                .setStallWaitsFor(stall.waitsFor())
                .setStalledSinceMillis(System.currentTimeMillis() - facts.stalledMillis()));
        return status.build();
    }

    @Override
    public void startVerify(StartVerifyRequest request, StreamObserver<StartVerifyResponse> observer) {
        ControlAnswers.answer(observer, () -> {
            VolumeId volume = ControlAnswers.volume(request.getVolume());
            ReplicaView view = primary(volume);
            long id = ids.next();
            LOG.info("verification {} of volume {} requested", id, volume);
            node.requestVerify(volume, id);
            return StartVerifyResponse.newBuilder()
                    .setId(id)
                    .setEpoch(view.epoch())
                    .build();
        });
    }

    @Override
    public void getVerify(GetVerifyRequest request, StreamObserver<GetVerifyResponse> observer) {
        ControlAnswers.answer(observer, () -> {
            VolumeId volume = ControlAnswers.volume(request.getVolume());
            ControlAnswers.one(node, volume);
            return verifyResults
                    .find(volume, request.getId())
                    .map(NodeControlService::response)
                    .orElseGet(() ->
                            GetVerifyResponse.newBuilder().setState("pending").build());
        });
    }

    private static GetVerifyResponse response(VerifyOutcome outcome) {
        return switch (outcome) {
            case VerifyOutcome.Reading(var lsn) ->
                GetVerifyResponse.newBuilder()
                        .setState("pending")
                        .setLsn(lsn.toString())
                        .build();
            case VerifyOutcome.Done(var lsn, var bytesRead, var bytesTotal, var sha256, var regionDigests) ->
                GetVerifyResponse.newBuilder()
                        .setState("done")
                        .setLsn(lsn.toString())
                        .setBytesRead(bytesRead)
                        .setBytesTotal(bytesTotal)
                        .setSha256(sha256)
                        .setRegionDigests(ByteString.copyFrom(regionDigests))
                        .build();
            case VerifyOutcome.Failed(var lsn, var reason) ->
                GetVerifyResponse.newBuilder()
                        .setState("failed")
                        .setLsn(lsn.toString())
                        .setFailure(reason)
                        .build();
        };
    }

    @Override
    public void handover(HandoverRequest request, StreamObserver<HandoverResponse> observer) {
        ControlAnswers.answer(observer, () -> {
            VolumeId volume = ControlAnswers.volume(request.getVolume());
            primary(volume);
            ReplicaId target;
            try {
                target = ReplicaId.of(request.getTargetReplica());
            } catch (IllegalArgumentException e) {
                throw ControlAnswers.failure(
                        Status.INVALID_ARGUMENT,
                        "target_replica \"" + request.getTargetReplica() + "\" is not a replica id");
            }
            node.requestHandover(volume, target);
            return HandoverResponse.getDefaultInstance();
        });
    }

    // ---- outcomes
    private ReplicaView primary(VolumeId volume) {
        ReplicaFacts facts = ControlAnswers.one(node, volume);
        if (!facts.view().role().equals(PRIMARY) || facts.failure().isPresent()) {
            throw ControlAnswers.failure(
                    Status.FAILED_PRECONDITION,
                    "the replica of volume " + volume + " on node "
                            + node.facts().name() + " is " + facts.view().role()
                            + ", not primary; ask the primary's node");
        }
        return facts.view();
    }
}
