package io.gabion.operator.real;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.ReplicaTombstone;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StorageNodeStatus;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.model.ClusterId;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.fake.FakeNodes;
import io.gabion.operator.fake.Objects;
import io.gabion.operator.record.SwapOutcome;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlServers;
import io.gabion.protocol.control.ControlTls;
import io.gabion.protocol.control.v1.HandoverRequest;
import io.gabion.protocol.control.v1.HandoverResponse;
import io.gabion.protocol.control.v1.ListReplicasRequest;
import io.gabion.protocol.control.v1.ListReplicasResponse;
import io.gabion.protocol.control.v1.NodeControlGrpc;
import io.gabion.protocol.control.v1.ReplicaStatus;
import io.grpc.Server;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * Storage nodes without storage: each asks for its certificate as a pod would, answers the operator over TLS, writes its
 * StorageNode and does to records what real ones do.
 */
public final class LiveNodes implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final long ROUND_MILLIS = 100;

    private final KubernetesClient admin;
    private final Path directory;
    private final NodeVolumes volumes;
    private final FakeNodes behaviour;
    private final Map<String, ControlTls> identities = new ConcurrentHashMap<>();
    private final Map<String, Server> servers = new ConcurrentHashMap<>();
    private final Set<String> written = ConcurrentHashMap.newKeySet();
    private volatile List<Volume> seen = List.of();
    private final ScheduledExecutorService loop = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("live-nodes").daemon().factory());

    public LiveNodes(KubernetesClient admin, Path directory) {
        this.admin = admin;
        this.directory = directory;
        this.volumes = new NodeVolumes(admin);
        this.behaviour = new FakeNodes(volumes);
        var unused = loop.scheduleWithFixedDelay(this::round, ROUND_MILLIS, ROUND_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Starts the storage process of a machine, once the operator has told it its disk. */
    public void start(String node) throws IOException {
        StorageNode told = Await.present("a disk for the storage node " + node, PATIENCE, () -> Optional.ofNullable(
                        admin.resources(StorageNode.class).withName(node).get())
                .filter(n -> !n.getSpec().getDisks().isEmpty()));
        ControlTls tls = identities.get(node);
        if (tls == null) {
            tls = identity(node);
            identities.put(node, tls);
        }
        Server server = ControlServers.startSecure(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                tls,
                Set.of(ControlRole.OPERATOR),
                Executors.newVirtualThreadPerTaskExecutor(),
                List.of(new Service(node)));
        servers.put(node, server);
        StorageNodeStatus status = Objects.status(Instant.now());
        status.getDisks()
                .forEach(
                        d -> d.setDirectory(told.getSpec().getDisks().getFirst().getDirectory()));
        ObjectNode patch = JSON.createObjectNode();
        patch.set("address", JSON.<ObjectNode>valueToTree(status.getAddress()).put("controlPort", server.getPort()));
        patch.set("disks", JSON.valueToTree(status.getDisks()));
        merge(node, patch);
        synchronized (behaviour) {
            behaviour.revive(node);
        }
    }

    private ControlTls identity(String node) throws IOException {
        ClusterId cluster = Await.present(
                "status.clusterId", PATIENCE, () -> Optional.ofNullable(admin.resources(StorageCluster.class)
                                .withName(StorageCluster.NAME)
                                .get())
                        .map(c -> c.getStatus().getClusterId())
                        .map(ClusterId::of));
        KeyPair keys = Requests.keyPair("secp256r1");
        CertificateSigningRequest answer;
        try (KubernetesClient self = Requests.as(admin, "gabion-data-plane", node)) {
            answer = Requests.answer(
                    admin, Requests.submit(self, GabionApi.SIGNER_NAME, Requests.pem("O=node,CN=" + node, keys, keys)));
        }
        Path certificate = directory.resolve(node + ".crt");
        Path key = directory.resolve(node + ".key");
        Path ca = directory.resolve(node + "-ca.crt");
        Files.writeString(certificate, Requests.certificate(answer));
        Files.writeString(key, Requests.keyPem(keys));
        Files.writeString(
                ca,
                admin.configMaps()
                        .inNamespace(GabionApi.NAMESPACE)
                        .withName(GabionApi.CA_CONFIG_MAP)
                        .get()
                        .getData()
                        .get(GabionApi.CA_CONFIG_MAP_KEY));
        return ControlTls.load(cluster, certificate, key, ca);
    }

    /** As when the power fails. */
    public void kill(String node) {
        synchronized (behaviour) {
            behaviour.kill(node);
        }
        Server server = servers.remove(node);
        if (server != null) {
            server.shutdownNow();
        }
    }

    /** It answers, but its copies fall behind. */
    public void freeze(String node) {
        synchronized (behaviour) {
            behaviour.kill(node);
        }
    }

    /** Its copies catch up again. */
    public void thaw(String node) {
        synchronized (behaviour) {
            behaviour.revive(node);
        }
    }

    /** From now on the volume holds data. */
    public void write(String volume) {
        written.add(volume);
    }

    /** Changes a record as some component would. */
    public void change(String volume, UnaryOperator<VolumeRecord> change) {
        Await.present("a change of the record of " + volume, PATIENCE, () -> volumes.read(volume)
                .flatMap(v -> VolumeRecords.record(v)
                        .map(r -> volumes.swap(v, change.apply(r)))
                        .filter(SwapOutcome.Won.class::isInstance)));
    }

    private void merge(String node, ObjectNode status) {
        admin.resources(StorageNode.class)
                .withName(node)
                .subresource("status")
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        JSON.createObjectNode().set("status", status).toString());
    }

    private void round() {
        try {
            seen = admin.resources(Volume.class).list().getItems();
            for (Volume volume : seen) {
                synchronized (behaviour) {
                    behaviour.act(volume.getMetadata().getName());
                }
            }
            for (StorageNode node : admin.resources(StorageNode.class).list().getItems()) {
                if (servers.containsKey(node.getMetadata().getName())) {
                    obeyTombstones(node);
                }
            }
        } catch (KubernetesClientException | IllegalStateException e) {
            // A lost race; the next round decides anew.
            System.err.println("live nodes: " + e.getMessage());
        }
    }

    private void obeyTombstones(StorageNode node) {
        List<ReplicaTombstone> gone = node.getSpec().getTombstones().stream()
                .filter(t -> seen.stream()
                        .noneMatch(v -> t.getVolumeId().equals(v.getStatus().getVolumeId())))
                .toList();
        if (gone.size() != node.getStatus().getErased().size()) {
            merge(node.getMetadata().getName(), JSON.createObjectNode().set("erased", JSON.valueToTree(gone)));
        }
    }

    private final class Service extends NodeControlGrpc.NodeControlImplBase {
        private final String node;

        Service(String node) {
            this.node = node;
        }

        @Override
        public void listReplicas(ListReplicasRequest request, StreamObserver<ListReplicasResponse> answer) {
            ListReplicasResponse.Builder response = ListReplicasResponse.newBuilder();
            for (Volume volume : seen) {
                VolumeRecords.record(volume).ifPresent(record -> record.placement().stream()
                        .filter(c -> c.node().value().equals(node))
                        .forEach(c -> response.addReplicas(status(volume, record, c))));
            }
            answer.onNext(response.build());
            answer.onCompleted();
        }

        private ReplicaStatus status(Volume volume, VolumeRecord record, ReplicaPlacement copy) {
            boolean leads = record.config().primary().equals(copy.replica());
            boolean inSync = record.config().member(copy.replica()).isPresent();
            return ReplicaStatus.newBuilder()
                    .setVolume(record.id().toString())
                    .setReplica(copy.replica().toString())
                    .setNode(node)
                    .setRole(leads ? "primary" : inSync ? "in-sync" : "catching-up")
                    .setUsedBytes(4096)
                    .setEverWritten(written.contains(volume.getMetadata().getName()))
                    .build();
        }

        @Override
        public void handover(HandoverRequest request, StreamObserver<HandoverResponse> answer) {
            for (Volume volume : seen) {
                Optional<VolumeRecord> record = VolumeRecords.record(volume)
                        .filter(r -> r.id().toString().equals(request.getVolume()));
                record.ifPresent(r -> volumes.swap(
                        volume,
                        r.withConfig(r.config()
                                .withMembers(
                                        ReplicaId.of(request.getTargetReplica()),
                                        r.config().inSync(),
                                        "node/handover"))));
            }
            answer.onNext(HandoverResponse.getDefaultInstance());
            answer.onCompleted();
        }
    }

    @Override
    public void close() {
        loop.shutdownNow();
        servers.values().forEach(Server::shutdownNow);
    }
}
