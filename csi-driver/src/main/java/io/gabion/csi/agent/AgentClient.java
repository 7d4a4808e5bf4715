package io.gabion.csi.agent;

import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.StorageNodes;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.model.VolumeId;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.v1.AgentAttachment;
import io.gabion.protocol.control.v1.AgentControlGrpc;
import io.gabion.protocol.control.v1.AgentControlGrpc.AgentControlBlockingStub;
import io.gabion.protocol.control.v1.AttachRequest;
import io.gabion.protocol.control.v1.AttachResponse;
import io.gabion.protocol.control.v1.DetachRequest;
import io.gabion.protocol.control.v1.DeviceKind;
import io.gabion.protocol.control.v1.FailRequest;
import io.gabion.protocol.control.v1.ListAttachmentsRequest;
import io.gabion.protocol.control.v1.NodeAddress;
import io.gabion.protocol.control.v1.ResizeRequest;
import io.gabion.protocol.control.v1.UpdateNodesRequest;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** The agent behind its Unix socket. */
public final class AgentClient implements NodeAgent, AutoCloseable {
    /** A failover may be under way. */
    private static final Duration ATTACH_LIMIT = Duration.ofSeconds(60);

    private static final Duration DETACH_LIMIT = Duration.ofSeconds(30);
    private static final Duration RESIZE_LIMIT = Duration.ofSeconds(60);
    private static final Duration SHORT_LIMIT = Duration.ofSeconds(5);

    private final ManagedChannel channel;
    private final String name;

    public AgentClient(Path socket) {
        this.channel = ControlChannels.unixSocket(socket);
        this.name = "the agent of this node at " + socket;
    }

    @Override
    public Path attach(Order order) {
        AttachRequest request = AttachRequest.newBuilder()
                .setVolume(order.volume().toString())
                .setExportName(order.name())
                .setGeneration(order.generation())
                .setReadOnly(order.readOnly())
                .setDevice(DeviceKind.DEVICE_KIND_FUSE_LOOP)
                .addAllNodes(order.nodes().stream().map(AgentClient::address).toList())
                .build();
        AttachResponse response = call(ATTACH_LIMIT, stub -> stub.attach(request));
        if (response.getDevicePath().isEmpty()) {
            throw CsiFailure.internal(
                    name + " gave volume \"" + order.name() + "\" no device; it is of an older version", null);
        }
        return Path.of(response.getDevicePath());
    }

    @Override
    public void detach(VolumeId volume) {
        call(
                DETACH_LIMIT,
                stub -> stub.detach(
                        DetachRequest.newBuilder().setVolume(volume.toString()).build()));
    }

    @Override
    public List<Attached> attachments() {
        return call(SHORT_LIMIT, stub -> stub.listAttachments(ListAttachmentsRequest.getDefaultInstance()))
                .getAttachmentsList()
                .stream()
                .map(AgentClient::attached)
                .toList();
    }

    private static Attached attached(AgentAttachment attachment) {
        State state =
                switch (attachment.getState()) {
                    case "fenced" -> State.FENCED;
                    case "closed" -> State.CLOSED;
                    default -> State.SERVING;
                };
        Optional<Path> device = attachment.getDevicePath().isEmpty()
                ? Optional.empty()
                : Optional.of(Path.of(attachment.getDevicePath()));
        return new Attached(VolumeId.of(attachment.getVolume()), attachment.getExportName(), device, state);
    }

    @Override
    public long resize(VolumeId volume, long atLeastBytes) {
        return call(
                        RESIZE_LIMIT,
                        stub -> stub.resize(ResizeRequest.newBuilder()
                                .setVolume(volume.toString())
                                .setAtLeastBytes(atLeastBytes)
                                .build()))
                .getSizeBytes();
    }

    @Override
    public void fail(VolumeId volume, String reason) {
        call(
                SHORT_LIMIT,
                stub -> stub.fail(FailRequest.newBuilder()
                        .setVolume(volume.toString())
                        .setReason(reason)
                        .build()));
    }

    @Override
    public void updateNodes(List<StorageNodes.Address> nodes) {
        call(
                SHORT_LIMIT,
                stub -> stub.updateNodes(UpdateNodesRequest.newBuilder()
                        .addAllNodes(nodes.stream().map(AgentClient::address).toList())
                        .build()));
    }

    private static NodeAddress address(StorageNodes.Address address) {
        return NodeAddress.newBuilder()
                .setNode(address.node().value())
                .setHost(address.host())
                .setDataPort(address.dataPort())
                .build();
    }

    private <T> T call(Duration limit, Function<AgentControlBlockingStub, T> call) {
        if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
            // The channel would wait longer after each failure, up to minutes; an agent that is replaced is back within
            // seconds.
            channel.resetConnectBackoff();
        }
        try {
            return call.apply(AgentControlGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(limit.toMillis(), TimeUnit.MILLISECONDS)
                    .withWaitForReady());
        } catch (StatusRuntimeException e) {
            throw failure(e);
        }
    }

    private RuntimeException failure(StatusRuntimeException e) {
        String text = ControlErrors.describe(name, e);
        Status.Code code = e.getStatus().getCode();
        return switch (code) {
            case FAILED_PRECONDITION -> CsiFailure.precondition(text);
            case NOT_FOUND -> CsiFailure.notFound(text);
            case INVALID_ARGUMENT, UNIMPLEMENTED, INTERNAL -> CsiFailure.internal(text, e);
            case OK,
                    CANCELLED,
                    UNKNOWN,
                    DEADLINE_EXCEEDED,
                    ALREADY_EXISTS,
                    PERMISSION_DENIED,
                    RESOURCE_EXHAUSTED,
                    ABORTED,
                    OUT_OF_RANGE,
                    UNAVAILABLE,
                    DATA_LOSS,
                    UNAUTHENTICATED -> new BackendUnavailableException(text, e);
        };
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
