package io.gabion.cli;

import com.google.protobuf.ByteString;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlCodec;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlServers;
import io.gabion.protocol.control.ControlTls;
import io.gabion.protocol.control.v1.ConfigurationStoreGrpc;
import io.gabion.protocol.control.v1.DiskStatus;
import io.gabion.protocol.control.v1.GetNodeStatusRequest;
import io.gabion.protocol.control.v1.GetVerifyRequest;
import io.gabion.protocol.control.v1.GetVerifyResponse;
import io.gabion.protocol.control.v1.GetVolumeRequest;
import io.gabion.protocol.control.v1.HandoverRequest;
import io.gabion.protocol.control.v1.HandoverResponse;
import io.gabion.protocol.control.v1.ListReplicasRequest;
import io.gabion.protocol.control.v1.ListReplicasResponse;
import io.gabion.protocol.control.v1.NodeControlGrpc;
import io.gabion.protocol.control.v1.NodeStatus;
import io.gabion.protocol.control.v1.PutNodeRequest;
import io.gabion.protocol.control.v1.ReplicaStatus;
import io.gabion.protocol.control.v1.StartVerifyRequest;
import io.gabion.protocol.control.v1.StartVerifyResponse;
import io.gabion.protocol.control.v1.SwapVolumeRequest;
import io.gabion.protocol.control.v1.VolumeChange;
import io.gabion.protocol.control.v1.WatchVolumesRequest;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;

/**
 * A storage node without storage: registers itself, says of its replicas what their records say, grows, hands over and erases
 * when a record asks for it.
 */
final class FakeNode extends NodeControlGrpc.NodeControlImplBase implements AutoCloseable {
    /** Of which a verification reports the digest; change it to make a replica differ. */
    volatile byte content = 7;

    volatile String stallReason = "";

    /** What it holds and how it answers about snapshots. */
    final FakeSnapshots snapshots = new FakeSnapshots();

    private final NodeName name;
    private final Server server;
    private final ManagedChannel channel;

    FakeNode(String name, ControlTls tls, int storePort) throws IOException {
        this.name = new NodeName(name);
        this.channel = ControlChannels.secure("127.0.0.1", storePort, tls, Set.of(ControlRole.CONFIGURATION_STORE));
        this.server = ControlServers.startSecure(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                tls,
                Set.of(ControlRole.OPERATOR),
                Executors.newVirtualThreadPerTaskExecutor(),
                List.of(this, snapshots));
        var unused = store().putNode(PutNodeRequest.newBuilder()
                .setRecord(
                        ControlCodec.toProto(new NodeRecord(this.name, "127.0.0.1", 1, server.getPort(), 2, "fake", 0)))
                .build());
        Thread.ofVirtual().start(this::watch);
    }

    private ConfigurationStoreGrpc.ConfigurationStoreBlockingStub store() {
        return ConfigurationStoreGrpc.newBlockingStub(channel);
    }

    private void watch() {
        try {
            Iterator<VolumeChange> changes = store().watchVolumes(WatchVolumesRequest.newBuilder()
                    .setNode(name.value())
                    .build());
            while (changes.hasNext()) {
                VolumeChange change = changes.next();
                if (change.hasRecord() && !change.getRemoved()) {
                    settle(ControlCodec.fromProto(change.getRecord()));
                }
            }
        } catch (StatusRuntimeException e) {
            // Closed.
            return;
        }
    }

    private void settle(VolumeRecord record) {
        if (record.deleting() && record.replicaOn(name).isPresent()) {
            List<ReplicaPlacement> left = record.placement().stream()
                    .filter(p -> !p.node().equals(name))
                    .toList();
            swap(record, record.withPlacement(left, record.removed(), writer()));
        } else if (leads(record) && record.spec().sizeBytes() > record.config().sizeBytes()) {
            swap(
                    record,
                    record.withConfig(
                            record.config().withSizeBytes(record.spec().sizeBytes(), writer())));
        }
    }

    private void swap(VolumeRecord current, VolumeRecord next) {
        var answer = store().swapVolume(SwapVolumeRequest.newBuilder()
                .setExpectedVersion(current.config().version())
                .setNext(ControlCodec.toProto(next))
                .build());
        if (answer.hasRecord() && !ControlCodec.fromProto(answer.getRecord()).equals(next)) {
            settle(ControlCodec.fromProto(answer.getRecord()));
        }
    }

    private String writer() {
        return name + "/" + UUID.randomUUID();
    }

    private boolean leads(VolumeRecord record) {
        return record.primaryNode().filter(name::equals).isPresent();
    }

    private VolumeRecord record(String id) {
        return ControlCodec.fromProto(
                store().getVolume(GetVolumeRequest.newBuilder().setId(id).build())
                        .getRecord());
    }

    @Override
    public void getNodeStatus(GetNodeStatusRequest request, StreamObserver<NodeStatus> observer) {
        observer.onNext(NodeStatus.newBuilder()
                .setName(name.value())
                .setConfigurationStoreReachable(true)
                .addDisks(DiskStatus.newBuilder()
                        .setId("disk-" + name)
                        .setPool("default")
                        .setSizeBytes(1L << 32)
                        .setFreeBytes(1L << 31)
                        .setState("serving"))
                .build());
        observer.onCompleted();
    }

    @Override
    public void listReplicas(ListReplicasRequest request, StreamObserver<ListReplicasResponse> observer) {
        VolumeRecord record = record(request.getVolume());
        ListReplicasResponse.Builder response = ListReplicasResponse.newBuilder();
        record.replicaOn(name).ifPresent(replica -> {
            ReplicaStatus.Builder status = ReplicaStatus.newBuilder()
                    .setVolume(request.getVolume())
                    .setReplica(replica.toString())
                    .setNode(name.value())
                    .setRole(leads(record) ? "primary" : "in-sync")
                    .setPhase(leads(record) ? "serving" : "following")
                    .setLastLsn("1.0");
            if (leads(record) && !stallReason.isEmpty()) {
                status.setStallReason(stallReason)
                        .setStallWaitsFor("n2")
                        .setStalledSinceMillis(System.currentTimeMillis() - 5000);
            }
            response.addReplicas(status);
        });
        observer.onNext(response.build());
        observer.onCompleted();
    }

    @Override
    public void startVerify(StartVerifyRequest request, StreamObserver<StartVerifyResponse> observer) {
        observer.onNext(StartVerifyResponse.newBuilder().setId(1).setEpoch(1).build());
        observer.onCompleted();
    }

    @Override
    public void getVerify(GetVerifyRequest request, StreamObserver<GetVerifyResponse> observer) {
        byte[] digests = new byte[32];
        digests[0] = content;
        observer.onNext(GetVerifyResponse.newBuilder()
                .setState("done")
                .setLsn("1.0")
                .setSha256("digest-" + content)
                .setBytesRead(4096)
                .setBytesTotal(4096)
                .setRegionDigests(ByteString.copyFrom(digests))
                .build());
        observer.onCompleted();
    }

    @Override
    public void handover(HandoverRequest request, StreamObserver<HandoverResponse> observer) {
        VolumeRecord record = record(request.getVolume());
        swap(
                record,
                record.withConfig(record.config()
                        .withMembers(
                                ReplicaId.of(request.getTargetReplica()),
                                record.config().inSync(),
                                writer())));
        observer.onNext(HandoverResponse.getDefaultInstance());
        observer.onCompleted();
    }

    @Override
    public void close() {
        server.shutdownNow();
        channel.shutdownNow();
    }
}
