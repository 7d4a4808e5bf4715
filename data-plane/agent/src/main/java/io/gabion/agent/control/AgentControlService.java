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
import io.gabion.protocol.control.v1.ListAttachmentsRequest;
import io.gabion.protocol.control.v1.ListAttachmentsResponse;
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

    @Override
    public void attach(AttachRequest request, StreamObserver<AttachResponse> observer) {
        try {
            List<NodeAddress> nodes = request.getNodesList().stream()
                    .map(node -> new NodeAddress(new NodeName(node.getNode()), node.getHost(), node.getDataPort()))
                    .toList();
            Attachment wanted = new Attachment(
                    VolumeId.of(request.getVolume()),
                    request.getExportName(),
                    request.getGeneration(),
                    request.getReadOnly(),
                    0,
                    0,
                    nodes);
            long size = attachments.attach(wanted, timeoutMillis());
            observer.onNext(AttachResponse.newBuilder()
                    .setNbdUri(attachments.nbdUri(wanted))
                    .setSizeBytes(size)
                    .build());
            observer.onCompleted();
        } catch (IllegalArgumentException e) {
            observer.onError(
                    Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException());
        } catch (AttachException e) {
            LOG.warn("attach refused: {}", e.getMessage());
            observer.onError(status(e.kind()).withDescription(e.getMessage()).asRuntimeException());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            observer.onError(Status.CANCELLED.withDescription("interrupted").asRuntimeException());
        }
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
            case TIMEOUT -> Status.UNAVAILABLE;
            case LOCAL -> Status.INTERNAL;
        };
    }

    @Override
    public void detach(DetachRequest request, StreamObserver<DetachResponse> observer) {
        try {
            attachments.detach(VolumeId.of(request.getVolume()));
            observer.onNext(DetachResponse.getDefaultInstance());
            observer.onCompleted();
        } catch (IllegalArgumentException e) {
            observer.onError(Status.INVALID_ARGUMENT
                    .withDescription("volume: " + e.getMessage())
                    .asRuntimeException());
        }
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
                    .setRequestsOutstanding(view.outstanding() + view.queued())
                    .setLongestWaitMillis(
                            waits ? Math.max(0, TimeUnit.NANOSECONDS.toMillis(now - view.oldestSinceNanos())) : 0));
        }
        observer.onNext(response.build());
        observer.onCompleted();
    }
}
