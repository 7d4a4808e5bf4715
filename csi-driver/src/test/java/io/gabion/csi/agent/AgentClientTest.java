package io.gabion.csi.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.csi.agent.NodeAgent.Attached;
import io.gabion.csi.agent.NodeAgent.State;
import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.StorageNodes.Address;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.protocol.control.ControlServers;
import io.gabion.protocol.control.v1.AgentAttachment;
import io.gabion.protocol.control.v1.AgentControlGrpc;
import io.gabion.protocol.control.v1.AttachRequest;
import io.gabion.protocol.control.v1.AttachResponse;
import io.gabion.protocol.control.v1.DeviceKind;
import io.gabion.protocol.control.v1.FailRequest;
import io.gabion.protocol.control.v1.FailResponse;
import io.gabion.protocol.control.v1.ListAttachmentsRequest;
import io.gabion.protocol.control.v1.ListAttachmentsResponse;
import io.gabion.protocol.control.v1.ResizeRequest;
import io.gabion.protocol.control.v1.ResizeResponse;
import io.gabion.protocol.control.v1.UpdateNodesRequest;
import io.gabion.protocol.control.v1.UpdateNodesResponse;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is asked of an agent over its socket, and what its answers become. */
final class AgentClientTest {
    private static final VolumeId VOLUME = new VolumeId(UUID.randomUUID());
    private static final Address NODE = new Address(new NodeName("storage-1"), "192.0.2.1", 7400, 7401);

    @TempDir
    private Path directory = Path.of("");

    private final ScriptedAgent agent = new ScriptedAgent();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private Server server;
    private AgentClient client;

    private static final class ScriptedAgent extends AgentControlGrpc.AgentControlImplBase {
        private final AtomicReference<AttachRequest> attached = new AtomicReference<>();
        private final AtomicReference<UpdateNodesRequest> updated = new AtomicReference<>();
        private volatile Status failure = Status.OK;
        private volatile String device = "/dev/loop7";

        private <T> void answer(StreamObserver<T> observer, T response) {
            if (failure.isOk()) {
                observer.onNext(response);
                observer.onCompleted();
            } else {
                observer.onError(failure.asRuntimeException());
            }
        }

        @Override
        public void attach(AttachRequest request, StreamObserver<AttachResponse> observer) {
            attached.set(request);
            answer(observer, AttachResponse.newBuilder().setDevicePath(device).build());
        }

        @Override
        public void listAttachments(ListAttachmentsRequest request, StreamObserver<ListAttachmentsResponse> observer) {
            ListAttachmentsResponse.Builder response = ListAttachmentsResponse.newBuilder();
            for (String state : List.of("open", "reopening", "fenced", "closed")) {
                response.addAttachments(AgentAttachment.newBuilder()
                        .setVolume(VOLUME.toString())
                        .setExportName("pvc-1")
                        .setState(state)
                        .setDevicePath(state.equals("closed") ? "" : device));
            }
            answer(observer, response.build());
        }

        @Override
        public void updateNodes(UpdateNodesRequest request, StreamObserver<UpdateNodesResponse> observer) {
            updated.set(request);
            answer(observer, UpdateNodesResponse.getDefaultInstance());
        }

        @Override
        public void resize(ResizeRequest request, StreamObserver<ResizeResponse> observer) {
            answer(
                    observer,
                    ResizeResponse.newBuilder()
                            .setSizeBytes(request.getAtLeastBytes())
                            .build());
        }

        @Override
        public void fail(FailRequest request, StreamObserver<FailResponse> observer) {
            answer(observer, FailResponse.getDefaultInstance());
        }
    }

    @BeforeEach
    void start() throws IOException {
        Path socket = directory.resolve("agent.sock");
        server = ControlServers.startOnUnixSocket(socket, threads, List.of(agent));
        client = new AgentClient(socket);
    }

    @AfterEach
    void stop() {
        client.close();
        server.shutdownNow();
        threads.close();
    }

    private Path attach() {
        return client.attach(new NodeAgent.Order(VOLUME, "pvc-1", 7, true, List.of(NODE)));
    }

    @Test
    void anOrderCarriesTheSessionAndWhereToLook() {
        assertThat(attach()).isEqualTo(Path.of("/dev/loop7"));

        AttachRequest request = agent.attached.get();
        assertThat(request.getVolume()).isEqualTo(VOLUME.toString());
        assertThat(request.getExportName()).isEqualTo("pvc-1");
        assertThat(request.getGeneration()).isEqualTo(7);
        assertThat(request.getReadOnly()).isTrue();
        assertThat(request.getDevice()).isEqualTo(DeviceKind.DEVICE_KIND_FUSE_LOOP);
        assertThat(request.getNodes(0).getNode()).isEqualTo("storage-1");
        assertThat(request.getNodes(0).getHost()).isEqualTo("192.0.2.1");
        assertThat(request.getNodes(0).getDataPort()).isEqualTo(7400);
        client.updateNodes(List.of(NODE));
        assertThat(agent.updated.get().getNodesList()).isEqualTo(request.getNodesList());
        assertThat(client.resize(VOLUME, 4096)).isEqualTo(4096);
        client.fail(VOLUME, "test");
    }

    @Test
    void aSessionThatIsBeingReopenedIsStillServed() {
        assertThat(client.attachments())
                .containsExactly(
                        new Attached(VOLUME, "pvc-1", Optional.of(Path.of("/dev/loop7")), State.SERVING),
                        new Attached(VOLUME, "pvc-1", Optional.of(Path.of("/dev/loop7")), State.SERVING),
                        new Attached(VOLUME, "pvc-1", Optional.of(Path.of("/dev/loop7")), State.FENCED),
                        new Attached(VOLUME, "pvc-1", Optional.empty(), State.CLOSED));
    }

    @Test
    void anAgentThatWasAwayForLongIsFoundWithTheNextCall() throws Exception {
        server.shutdownNow().awaitTermination();
        try (ExecutorService asking = Executors.newVirtualThreadPerTaskExecutor()) {
            // Long enough for the channel to wait seconds until it tries again by itself.
            assertThatThrownBy(() -> client.attachments()).isInstanceOf(BackendUnavailableException.class);
            server = ControlServers.startOnUnixSocket(directory.resolve("agent.sock"), threads, List.of(agent));
            long startedNanos = System.nanoTime();
            assertThat(asking.submit(() -> client.attachments()).get(10, TimeUnit.SECONDS))
                    .hasSize(4);
            assertThat(Duration.ofNanos(System.nanoTime() - startedNanos)).isLessThan(Duration.ofSeconds(2));
        }
    }

    @Test
    void refusalsAreTheCallersBusinessAndSilenceIsNot() {
        agent.failure = Status.FAILED_PRECONDITION.withDescription("generation 7 is fenced");
        assertThatThrownBy(this::attach)
                .hasMessageContaining("generation 7 is fenced")
                .isInstanceOfSatisfying(
                        CsiFailure.class, e -> assertThat(e.code()).isEqualTo(Status.Code.FAILED_PRECONDITION));
        agent.failure = Status.UNAVAILABLE.withDescription("no primary answers");
        assertThatThrownBy(this::attach)
                .isInstanceOf(BackendUnavailableException.class)
                .hasMessageContaining("no primary answers");
        agent.failure = Status.OK;
        agent.device = "";
        assertThatThrownBy(this::attach).hasMessageContaining("gave volume \"pvc-1\" no device");
    }
}
