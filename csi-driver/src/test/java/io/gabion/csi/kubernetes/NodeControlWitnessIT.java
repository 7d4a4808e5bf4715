package io.gabion.csi.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.FenceWitness.Testimony;
import io.gabion.csi.backend.NewVolume;
import io.gabion.csi.backend.StorageNodes.Address;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.VolumeSettings;
import io.gabion.csi.backend.VolumeSettings.Limits;
import io.gabion.csi.fake.FixedStorageNodes;
import io.gabion.csi.fake.InMemoryVolumes;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.protocol.control.Callers;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlServers;
import io.gabion.protocol.control.TestCertificates;
import io.gabion.protocol.control.v1.ListReplicasRequest;
import io.gabion.protocol.control.v1.ListReplicasResponse;
import io.gabion.protocol.control.v1.NodeControlGrpc;
import io.gabion.protocol.control.v1.ReplicaStatus;
import io.grpc.Server;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A storage node asked under mutual TLS, as the controller does before it gives a volume away. */
class NodeControlWitnessIT {
    private static final NodeName NODE = new NodeName("storage-1");
    private static final Duration LIMIT = Duration.ofSeconds(10);

    @TempDir
    private Path directory = Path.of("");

    private final InMemoryVolumes volumes = new InMemoryVolumes(Set.of(), _ -> false);
    private final FixedStorageNodes nodes = new FixedStorageNodes();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private TestCertificates certificates;
    private StoredVolume volume;
    private Server server;

    @BeforeEach
    void start() throws IOException {
        certificates = TestCertificates.create(directory, new ClusterId(UUID.randomUUID()));
        volume = volumes.create(new NewVolume(
                "pvc-1",
                new VolumeSettings(1 << 20, "default", 1, OptionalInt.empty(), PoolFullPolicy.STALL, true, Limits.NONE),
                new StoredVolume.Origin("pvc-1", ""),
                Optional.empty()));
        server = ControlServers.startSecure(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                certificates.issue(ControlRole.NODE, NODE.value()),
                Callers.OF_STORAGE_NODES,
                threads,
                List.of(new NodeControlGrpc.NodeControlImplBase() {
                    @Override
                    public void listReplicas(
                            ListReplicasRequest request, StreamObserver<ListReplicasResponse> observer) {
                        observer.onNext(ListReplicasResponse.newBuilder()
                                .addReplicas(ReplicaStatus.newBuilder()
                                        .setVolume(request.getVolume())
                                        .setRole("primary")
                                        .setEpoch(4)
                                        .setPromisedEpoch(5)
                                        .setRecordVersion(17)
                                        .addSessions("7/2@a-node from a-node")
                                        .addSessions("nonsense"))
                                .build());
                        observer.onCompleted();
                    }
                }));
        nodes.move(List.of(new Address(NODE, InetAddress.getLoopbackAddress().getHostAddress(), 1, server.getPort())));
    }

    @AfterEach
    void stop() {
        server.shutdownNow();
        threads.close();
    }

    @Test
    void whatThePrimarySaysIsTakenWordByWordAndWhatCannotBeReadCountsAgainstIt() throws IOException {
        var tls = certificates.issue(ControlRole.CSI_CONTROLLER, "gabion-csi-controller");
        NodeControlWitness witness = new NodeControlWitness(nodes, () -> tls);

        assertThat(witness.ask(NODE, volume, LIMIT)).isEqualTo(new Testimony(true, 5, 17, List.of(7L, 0L)));
    }

    @Test
    void anotherNodeAtTheAddressOrNoneAtAllConfirmsNothing() throws IOException {
        var agentTls = certificates.issue(ControlRole.AGENT, "not-a-controller");
        assertThatThrownBy(() -> new NodeControlWitness(nodes, () -> agentTls).ask(NODE, volume, LIMIT))
                .isInstanceOf(BackendUnavailableException.class);
        assertThatThrownBy(() -> new NodeControlWitness(nodes, () -> {
                            throw new IOException("the operator has not signed the certificate yet");
                        })
                        .ask(NODE, volume, LIMIT))
                .isInstanceOf(BackendUnavailableException.class)
                .hasMessageContaining("the operator has not signed the certificate yet");
        assertThatThrownBy(() ->
                        new NodeControlWitness(nodes, () -> agentTls).ask(new NodeName("storage-9"), volume, LIMIT))
                .hasMessageContaining("the address of storage node \"storage-9\" is not known");
    }
}
