package io.gabion.agent.control;

import static java.util.Objects.requireNonNull;

import io.gabion.agent.session.AttachException;
import io.gabion.agent.session.Attachment;
import io.gabion.agent.session.Attachments;
import io.gabion.agent.session.NodeAddress;
import io.gabion.core.session.SessionView;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.protocol.control.v1.AgentAttachment;
import io.gabion.protocol.control.v1.AgentControlGrpc;
import io.gabion.protocol.control.v1.AttachRequest;
import io.gabion.protocol.control.v1.AttachResponse;
import io.gabion.protocol.control.v1.DetachRequest;
import io.gabion.protocol.control.v1.DetachResponse;
import io.gabion.protocol.control.v1.DeviceKind;
import io.gabion.protocol.control.v1.FailRequest;
import io.gabion.protocol.control.v1.FailResponse;
import io.gabion.protocol.control.v1.ListAttachmentsRequest;
import io.gabion.protocol.control.v1.ListAttachmentsResponse;
import io.gabion.protocol.control.v1.ResizeRequest;
import io.gabion.protocol.control.v1.ResizeResponse;
import io.gabion.protocol.control.v1.UpdateNodesRequest;
import io.gabion.protocol.control.v1.UpdateNodesResponse;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The agent's control interface; calls block, so it runs on virtual threads. */
public final class AgentControlService extends AgentControlGrpc.AgentControlImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(AgentControlService.class);
    /** A failover under way ends long before. */
    private static final long OPEN_TIMEOUT_MILLIS = 30_000;
    /** Left of the caller's deadline for telling it the reason. */
    private static final long ANSWER_MILLIS = 500;

    private final Attachments attachments;

    public AgentControlService(Attachments attachments) {
        this.attachments = requireNonNull(attachments, "attachments is null");
    }

    /** A call that may be refused. */
    @FunctionalInterface
    private interface Call<T> {
        T answer() throws AttachException, InterruptedException;
    }

    private static <T> void answer(String name, StreamObserver<T> observer, Call<T> call) {
        try {
            observer.onNext(call.answer());
            observer.onCompleted();
        } catch (IllegalArgumentException e) {
            observer.onError(
                    Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException());
        } catch (AttachException e) {
            LOG.warn("{} refused: {}", name, e.getMessage());
            observer.onError(status(e.kind()).withDescription(e.getMessage()).asRuntimeException());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            observer.onError(Status.CANCELLED.withDescription("interrupted").asRuntimeException());
        }
    }

    private static List<NodeAddress> nodes(List<io.gabion.protocol.control.v1.NodeAddress> nodes) {
        return nodes.stream()
                .map(node -> new NodeAddress(new NodeName(node.getNode()), node.getHost(), node.getDataPort()))
                .toList();
    }

    private static VolumeId volume(String text) {
        try {
            return VolumeId.of(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("volume: " + e.getMessage(), e);
        }
    }

    @Override
    public void attach(AttachRequest request, StreamObserver<AttachResponse> observer) {
        answer("attach", observer, () -> {
            Attachment wanted = Attachment.wanted(
                    volume(request.getVolume()),
                    request.getExportName(),
                    request.getGeneration(),
                    request.getReadOnly(),
                    nodes(request.getNodesList()),
                    kind(request.getDevice()));
            Attachments.Attached attached = attachments.attach(wanted, timeoutMillis());
            return AttachResponse.newBuilder()
                    .setNbdUri(attachments.nbdUri(wanted))
                    .setSizeBytes(attached.sizeBytes())
                    .setDevicePath(attached.devicePath())
                    .build();
        });
    }

    private static Attachment.DeviceKind kind(DeviceKind kind) {
        return switch (kind) {
            case DEVICE_KIND_NBD -> Attachment.DeviceKind.NBD;
            case DEVICE_KIND_FUSE_LOOP -> Attachment.DeviceKind.FUSE_LOOP;
            case UNRECOGNIZED -> throw new IllegalArgumentException("device is none that this agent knows");
        };
    }

    private static long timeoutMillis() {
        @Nullable Deadline deadline = Context.current().getDeadline();
        long left =
                deadline == null ? OPEN_TIMEOUT_MILLIS : deadline.timeRemaining(TimeUnit.MILLISECONDS) - ANSWER_MILLIS;
        return Math.max(1, Math.min(OPEN_TIMEOUT_MILLIS, left));
    }

    private static Status status(AttachException.Kind kind) {
        return switch (kind) {
            case CONFLICT, FENCED -> Status.FAILED_PRECONDITION;
            case ABSENT -> Status.NOT_FOUND;
            case TIMEOUT -> Status.UNAVAILABLE;
            case LOCAL -> Status.INTERNAL;
        };
    }

    @Override
    public void detach(DetachRequest request, StreamObserver<DetachResponse> observer) {
        answer("detach", observer, () -> {
            attachments.detach(volume(request.getVolume()), request.getForce());
            return DetachResponse.getDefaultInstance();
        });
    }

    @Override
    public void updateNodes(UpdateNodesRequest request, StreamObserver<UpdateNodesResponse> observer) {
        answer("updateNodes", observer, () -> {
            attachments.updateNodes(nodes(request.getNodesList()));
            return UpdateNodesResponse.getDefaultInstance();
        });
    }

    @Override
    public void resize(ResizeRequest request, StreamObserver<ResizeResponse> observer) {
        answer("resize", observer, () -> ResizeResponse.newBuilder()
                .setSizeBytes(
                        attachments.resize(volume(request.getVolume()), request.getAtLeastBytes(), timeoutMillis()))
                .build());
    }

    @Override
    public void fail(FailRequest request, StreamObserver<FailResponse> observer) {
        answer("fail", observer, () -> {
            String reason = request.getReason();
            attachments.fail(volume(request.getVolume()), reason.isBlank() ? "failed on demand" : reason);
            return FailResponse.getDefaultInstance();
        });
    }

    @Override
    public void listAttachments(ListAttachmentsRequest request, StreamObserver<ListAttachmentsResponse> observer) {
        ListAttachmentsResponse.Builder response = ListAttachmentsResponse.newBuilder();
        long now = System.nanoTime();
        for (Attachments.Listed listed : attachments.list()) {
            SessionView view = listed.view();
            boolean waits = view.oldestSinceNanos() != Long.MAX_VALUE;
            response.addAttachments(AgentAttachment.newBuilder()
                    .setVolume(listed.attachment().volume().toString())
                    .setExportName(listed.attachment().exportName())
                    .setNbdUri(listed.nbdUri())
                    .setSession(view.session().map(Object::toString).orElse(""))
                    .setPrimaryNode(view.primary().map(NodeName::value).orElse(""))
                    .setState(view.state())
                    .setReason(view.reason())
                    .setDevicePath(listed.devicePath())
                    .setDevice(kind(listed.attachment().device()))
                    .setGeneration(listed.attachment().generation())
                    .setReadOnly(listed.attachment().readOnly())
                    .setSizeBytes(listed.attachment().sizeBytes())
                    .setRequestsOutstanding(view.outstanding() + view.queued())
                    .setLongestWaitMillis(
                            waits ? Math.max(0, TimeUnit.NANOSECONDS.toMillis(now - view.oldestSinceNanos())) : 0));
        }
        observer.onNext(response.build());
        observer.onCompleted();
    }

    private static DeviceKind kind(Attachment.DeviceKind kind) {
        return switch (kind) {
            case NBD -> DeviceKind.DEVICE_KIND_NBD;
            case FUSE_LOOP -> DeviceKind.DEVICE_KIND_FUSE_LOOP;
        };
    }
}
