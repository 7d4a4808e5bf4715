package io.gabion.protocol.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.gabion.model.ClusterId;
import io.gabion.protocol.control.v1.ConfigurationStoreGrpc;
import io.gabion.protocol.control.v1.ListPoolsRequest;
import io.gabion.protocol.control.v1.ListPoolsResponse;
import io.gabion.protocol.control.v1.NodeControlGrpc;
import io.gabion.protocol.control.v1.PoolRecord;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlTlsIT {
    private static final Set<ControlRole> STORE = Set.of(ControlRole.CONFIGURATION_STORE);

    @TempDir
    Path directory;

    private TestCertificates certificates;
    private Server server;

    @BeforeEach
    void startServer() throws IOException {
        certificates = TestCertificates.create(directory.resolve("ca"), new ClusterId(UUID.randomUUID()));
        server = ControlServers.startSecure(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                certificates.issue(ControlRole.CONFIGURATION_STORE, "store"),
                Set.of(ControlRole.NODE, ControlRole.OPERATOR),
                Executors.newVirtualThreadPerTaskExecutor(),
                List.of(new WhoAmI()));
    }

    @AfterEach
    void stopServer() {
        server.shutdownNow();
    }

    @Test
    void theCallersIdentityReachesTheService() throws IOException {
        assertThat(call(certificates.issue(ControlRole.NODE, "n1"), STORE))
                .isEqualTo("spiffe://" + certificates.cluster() + "/node/n1");
    }

    @Test
    void aRoleThatIsNotAcceptedIsRefusedByName() throws IOException {
        ControlTls agent = certificates.issue(ControlRole.AGENT, "consumer");
        assertThatThrownBy(() -> call(agent, STORE))
                .hasMessageContaining("PERMISSION_DENIED")
                .hasMessageContaining("/agent/consumer");
    }

    @Test
    void theControllerOfTheDriverMayAskAStorageNodeForItsReplicasAndNothingElse() throws IOException {
        Server node = ControlServers.startSecure(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                certificates.issue(ControlRole.NODE, "n1"),
                Callers.OF_STORAGE_NODES,
                Executors.newVirtualThreadPerTaskExecutor(),
                List.of(new NodeControlGrpc.NodeControlImplBase() {}));
        try {
            // The service does nothing: whoever gets that far is told so.
            assertThat(answers(node, certificates.issue(ControlRole.CSI_CONTROLLER, "driver")))
                    .containsOnly(
                            entry("GetNodeStatus", Status.Code.PERMISSION_DENIED),
                            entry("ListReplicas", Status.Code.UNIMPLEMENTED),
                            entry("StartVerify", Status.Code.PERMISSION_DENIED),
                            entry("GetVerify", Status.Code.PERMISSION_DENIED),
                            entry("Handover", Status.Code.PERMISSION_DENIED));
            assertThat(answers(node, certificates.issue(ControlRole.OPERATOR, "ops"))
                            .values())
                    .containsOnly(Status.Code.UNIMPLEMENTED);
            assertThat(answers(node, certificates.issue(ControlRole.AGENT, "consumer"))
                            .values())
                    .containsOnly(Status.Code.PERMISSION_DENIED);
        } finally {
            node.shutdownNow();
        }
        ControlTls driver = certificates.issue(ControlRole.CSI_CONTROLLER, "driver");
        assertThatThrownBy(() -> call(driver, STORE)).hasMessageContaining("PERMISSION_DENIED");
    }

    /** What a caller is told by every method of the control interface of a storage node. */
    private static Map<String, Status.Code> answers(Server node, ControlTls tls) throws IOException {
        ManagedChannel channel = ControlChannels.secure("127.0.0.1", node.getPort(), tls, Set.of(ControlRole.NODE));
        try {
            return NodeControlGrpc.getServiceDescriptor().getMethods().stream()
                    .collect(Collectors.toMap(
                            method -> String.valueOf(method.getBareMethodName()), method -> answer(channel, method)));
        } finally {
            channel.shutdownNow();
        }
    }

    private static <Q, A> Status.Code answer(ManagedChannel channel, MethodDescriptor<Q, A> method) {
        Q empty = method.parseRequest(InputStream.nullInputStream());
        try {
            A answer = ClientCalls.blockingUnaryCall(
                    channel, method, CallOptions.DEFAULT.withDeadlineAfter(10, TimeUnit.SECONDS), empty);
            throw new AssertionError("answered: " + answer);
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode();
        }
    }

    @Test
    void aServerOfAnotherRoleIsRefused() throws IOException {
        ControlTls node = certificates.issue(ControlRole.NODE, "n1");
        assertThatThrownBy(() -> call(node, Set.of(ControlRole.NODE)))
                .isInstanceOf(StatusRuntimeException.class)
                .satisfies(e -> assertThat(ControlErrors.describe("store", e)).contains("another role"));
    }

    @Test
    void anotherClusterIsRefusedOnBothSides() throws IOException {
        ClusterId other = new ClusterId(UUID.randomUUID());
        // The same CA, but a certificate that names another cluster.
        certificates.issue("stranger", new PeerIdentity(other, ControlRole.OPERATOR, "stranger").toString());
        ControlTls stranger = ControlTls.load(
                other, certificates.certificate("stranger"), certificates.key("stranger"), certificates.ca());
        assertThatThrownBy(() -> call(stranger, STORE))
                .satisfies(e -> assertThat(ControlErrors.describe("store", e)).contains("another cluster"));
        assertThatThrownBy(() -> ControlTls.load(
                        certificates.cluster(),
                        certificates.certificate("stranger"),
                        certificates.key("stranger"),
                        certificates.ca()))
                .hasMessageContaining("another cluster");
        // Another CA altogether.
        ControlTls foreign =
                TestCertificates.create(directory.resolve("other"), other).issue(ControlRole.OPERATOR, "ops");
        assertThatThrownBy(() -> call(foreign, STORE))
                .satisfies(e -> assertThat(Status.fromThrowable(e).getCode()).isEqualTo(Status.Code.UNAVAILABLE));
    }

    @Test
    void aMalformedIdentityIsRefused() throws IOException {
        certificates.issue("odd", "spiffe://" + certificates.cluster() + "/king/odd");
        assertThatThrownBy(() -> ControlTls.load(
                        certificates.cluster(),
                        certificates.certificate("odd"),
                        certificates.key("odd"),
                        certificates.ca()))
                .hasMessageContaining("unknown role \"king\"");
        assertThatThrownBy(() -> ControlTls.load(
                        certificates.cluster(), directory.resolve("none"), certificates.key("odd"), certificates.ca()))
                .hasMessageContaining("none");
    }

    @Test
    void aPortInUseIsNamed() {
        assertThatThrownBy(() -> ControlServers.startSecure(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort()),
                        certificates.issue(ControlRole.CONFIGURATION_STORE, "store"),
                        Set.of(ControlRole.NODE),
                        Runnable::run,
                        List.of()))
                .hasMessageContaining("127.0.0.1:" + server.getPort())
                .hasMessageContaining("in use");
    }

    @Test
    void aUnixSocketIsForItsUserOnlyAndServes() throws Exception {
        Path socket = directory.resolve("a.sock");
        Files.createFile(socket);
        Server unix = ControlServers.startOnUnixSocket(
                socket, Executors.newVirtualThreadPerTaskExecutor(), List.of(new WhoAmI()));
        try {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                    .isEqualTo("rw-------");
            ManagedChannel channel = ControlChannels.unixSocket(socket);
            try {
                assertThat(ask(channel)).isEqualTo("nobody");
            } finally {
                channel.shutdownNow();
            }
        } finally {
            unix.shutdownNow();
        }
    }

    private String call(ControlTls tls, Set<ControlRole> serverRoles) throws IOException {
        ManagedChannel channel = ControlChannels.secure("127.0.0.1", server.getPort(), tls, serverRoles);
        try {
            return ask(channel);
        } finally {
            channel.shutdownNow();
        }
    }

    private static String ask(ManagedChannel channel) {
        return ConfigurationStoreGrpc.newBlockingStub(channel)
                .withDeadlineAfter(10, TimeUnit.SECONDS)
                .listPools(ListPoolsRequest.getDefaultInstance())
                .getRecords(0)
                .getName();
    }

    private static final class WhoAmI extends ConfigurationStoreGrpc.ConfigurationStoreImplBase {
        @Override
        public void listPools(ListPoolsRequest request, StreamObserver<ListPoolsResponse> observer) {
            PeerIdentity peer = ControlTls.PEER.get();
            observer.onNext(ListPoolsResponse.newBuilder()
                    .addRecords(PoolRecord.newBuilder().setName(peer == null ? "nobody" : peer.toString()))
                    .build());
            observer.onCompleted();
        }
    }
}
