package io.gabion.cli;

import io.gabion.protocol.control.v1.AgentAttachment;
import io.gabion.protocol.control.v1.AgentControlGrpc;
import io.gabion.protocol.control.v1.AttachRequest;
import io.gabion.protocol.control.v1.AttachResponse;
import io.gabion.protocol.control.v1.DetachRequest;
import io.gabion.protocol.control.v1.DetachResponse;
import io.gabion.protocol.control.v1.ListAttachmentsRequest;
import io.gabion.protocol.control.v1.ListAttachmentsResponse;
import io.grpc.stub.StreamObserver;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** An agent that remembers what it was asked. */
final class FakeAgent extends AgentControlGrpc.AgentControlImplBase {
    final Map<String, AttachRequest> attached = new ConcurrentHashMap<>();
    /** Under which every volume can be reached. */
    volatile String socket = "/nowhere";

    private String uri(AttachRequest request) {
        return "nbd+unix:///" + request.getExportName() + "?socket=" + socket;
    }

    @Override
    public void attach(AttachRequest request, StreamObserver<AttachResponse> observer) {
        attached.put(request.getVolume(), request);
        observer.onNext(AttachResponse.newBuilder()
                .setNbdUri(uri(request))
                .setSizeBytes(1 << 20)
                .build());
        observer.onCompleted();
    }

    @Override
    public void detach(DetachRequest request, StreamObserver<DetachResponse> observer) {
        attached.remove(request.getVolume());
        observer.onNext(DetachResponse.getDefaultInstance());
        observer.onCompleted();
    }

    @Override
    public void listAttachments(ListAttachmentsRequest request, StreamObserver<ListAttachmentsResponse> observer) {
        ListAttachmentsResponse.Builder response = ListAttachmentsResponse.newBuilder();
        attached.values()
                .forEach(a -> response.addAttachments(AgentAttachment.newBuilder()
                        .setVolume(a.getVolume())
                        .setExportName(a.getExportName())
                        .setNbdUri(uri(a))));
        observer.onNext(response.build());
        observer.onCompleted();
    }
}
