package io.gabion.csi.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import csi.v1.ControllerGrpc;
import csi.v1.ControllerGrpc.ControllerBlockingStub;
import csi.v1.ControllerPublishVolumeRequest;
import csi.v1.ControllerUnpublishVolumeRequest;
import csi.v1.VolumeCapability;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.storage.VolumeAttachment;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.record.RecordPatch;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.testing.RealApiServer;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.csi.CsiOptions;
import io.gabion.csi.CsiOptions.Role;
import io.gabion.csi.CsiProcess;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.fake.FixedStorageNodes;
import io.gabion.csi.fake.LoopAgent;
import io.gabion.csi.fake.Requests;
import io.gabion.csi.fake.ScriptedWitness;
import io.gabion.model.Attachment;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlChannels;
import io.grpc.ManagedChannel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * How a volume leaves a node that is lost: the real attach-detach controller and the real csi-attacher with the real driver, on
 * nodes that are nothing but objects. What the kubelet of the lost node would have to say ("no longer in use") is said for it,
 * after its session was fenced; the decision record on attachment builds on the times measured here.
 */
@Tag("kubernetes")
@Tag("long")
@ExtendWith(RealApiServer.class)
class LostNodeIT {
    private static final PatchContext JSON_PATCH = PatchContext.of(PatchType.JSON);
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long PAUSE_MILLIS = 20;
    private static final String DRIVER = "csi.gabion.io";
    private static final String VOLUME = "pvc-lost";
    private static final long SIZE_BYTES = 8 << 20;
    /** Without help the controller waits six minutes. */
    private static final Duration GOAL = Duration.ofSeconds(10);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private Path directory = Path.of("");

    private final KubernetesClient client;
    private final List<Process> processes = new ArrayList<>();
    private final ScriptedWitness witness = new ScriptedWitness();

    LostNodeIT(KubernetesClient client) {
        this.client = client;
    }

    @AfterEach
    void stop() throws InterruptedException {
        for (Process process : processes) {
            process.destroy();
            assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
        }
    }

    private static Path binary(String name) {
        String given = System.getenv("GABION_KUBERNETES_BIN");
        Path folder = given == null || given.isBlank()
                ? Path.of(System.getProperty("user.home"), ".cache", "gabion", "kubernetes", "bin")
                : Path.of(given);
        assumeTrue(Files.isExecutable(folder.resolve(name)), "skipped: no " + folder.resolve(name));
        return folder.resolve(name);
    }

    private void run(String name, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(binary(name).toString()));
        command.addAll(List.of(arguments));
        processes.add(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve(name + ".log").toFile())
                .start());
    }

    private Path kubeconfig() throws IOException {
        Config config = client.getConfiguration();
        return Files.writeString(directory.resolve("kubeconfig"), """
                apiVersion: v1
                kind: Config
                clusters: [{name: c, cluster: {server: "%s", %s}}]
                contexts: [{name: c, context: {cluster: c, user: u}}]
                current-context: c
                users: [{name: u, user: {%s, %s}}]
                """.formatted(
                        config.getMasterUrl(),
                        entry("certificate-authority", config.getCaCertFile(), config.getCaCertData()),
                        entry("client-certificate", config.getClientCertFile(), config.getClientCertData()),
                        entry("client-key", config.getClientKeyFile(), config.getClientKeyData())));
    }

    private static String entry(String name, String file, String data) {
        return data != null ? name + "-data: " + data : name + ": " + file;
    }

    private CsiProcess driver() throws IOException {
        Path socket = directory.resolve("csi.sock");
        CsiOptions options = new CsiOptions(
                Role.CONTROLLER,
                socket,
                new NodeName("controller"),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                directory.resolve("agent.sock"),
                socket,
                directory.resolve("reg.sock"),
                directory.resolve("certificate"),
                false,
                64);
        CsiProcess.Ground ground = new CsiProcess.Ground(
                new KubernetesVolumes(client, "lost-node"),
                new FixedStorageNodes(),
                witness,
                new LoopAgent(directory, _ -> SIZE_BYTES),
                "default",
                false);
        return CsiProcess.start(options, _ -> new CsiProcess.OpenGround() {
            @Override
            public CsiProcess.Ground ground() {
                return ground;
            }

            @Override
            public void close() {}
        });
    }

    private void apply(String yaml) {
        client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                .create();
    }

    private void cluster() {
        apply("""
                apiVersion: storage.k8s.io/v1
                kind: CSIDriver
                metadata: {name: csi.gabion.io}
                spec: {attachRequired: true}
                ---
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: default, namespace: default}
                ---
                apiVersion: v1
                kind: PersistentVolume
                metadata: {name: %1$s}
                spec:
                  capacity: {storage: 8Mi}
                  accessModes: [ReadWriteOnce]
                  persistentVolumeReclaimPolicy: Retain
                  csi: {driver: csi.gabion.io, volumeHandle: %1$s}
                  claimRef: {namespace: default, name: data}
                ---
                apiVersion: v1
                kind: PersistentVolumeClaim
                metadata:
                  name: data
                  namespace: default
                  annotations: {pv.kubernetes.io/bind-completed: "yes"}
                spec:
                  accessModes: [ReadWriteOnce]
                  resources: {requests: {storage: 8Mi}}
                  volumeName: %1$s
                ---
                apiVersion: gabion.io/v1alpha1
                kind: Volume
                metadata: {name: %1$s}
                spec: {size: 8Mi, pool: default, replicas: 1}
                """.formatted(VOLUME));
        bind();
        place(VOLUME);
        nodes();
    }

    /** What the controller of claims would do. */
    private void bind() {
        String claim = client.persistentVolumeClaims()
                .inNamespace("default")
                .withName("data")
                .get()
                .getMetadata()
                .getUid();
        client.persistentVolumes()
                .withName(VOLUME)
                .patch(JSON_PATCH, "[{\"op\":\"add\",\"path\":\"/spec/claimRef/uid\",\"value\":\"" + claim + "\"}]");
        client.persistentVolumes()
                .withName(VOLUME)
                .subresource("status")
                .patch(JSON_PATCH, "[{\"op\":\"add\",\"path\":\"/status/phase\",\"value\":\"Bound\"}]");
        client.persistentVolumeClaims()
                .inNamespace("default")
                .withName("data")
                .subresource("status")
                .patch(JSON_PATCH, "[{\"op\":\"add\",\"path\":\"/status/phase\",\"value\":\"Bound\"}]");
    }

    private void nodes() {
        for (String name : List.of("node-a", "node-b")) {
            apply("""
                    apiVersion: v1
                    kind: Node
                    metadata:
                      name: %1$s
                      annotations: {volumes.kubernetes.io/controller-managed-attach-detach: "true"}
                    ---
                    apiVersion: storage.k8s.io/v1
                    kind: CSINode
                    metadata: {name: %1$s}
                    spec: {drivers: [{name: csi.gabion.io, nodeID: %1$s}]}
                    """.formatted(name));
        }
    }

    private void place(String volume) {
        Volume fresh = client.resources(Volume.class).withName(volume).get();
        ReplicaId replica = new ReplicaId(UUID.randomUUID());
        RecordPatch patch = RecordPatch.first(
                fresh,
                new VolumeRecord(
                        VolumeRecords.volumeId(fresh),
                        VolumeRecords.spec(fresh),
                        List.of(new ReplicaPlacement(replica, new NodeName("storage-1"))),
                        List.of(),
                        false,
                        new VolumeConfig(
                                1,
                                2,
                                replica,
                                List.of(new InSyncMember(replica, 1)),
                                1,
                                SIZE_BYTES,
                                1,
                                List.of(),
                                0,
                                "operator/1")));
        client.resource(fresh).subresource("status").patch(JSON_PATCH, patch.text());
    }

    private void pod(String name, String node) {
        apply("""
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: default}
                spec:
                  nodeName: %s
                  automountServiceAccountToken: false
                  terminationGracePeriodSeconds: 0
                  containers: [{name: c, image: none, volumeMounts: [{name: data, mountPath: /data}]}]
                  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
                """.formatted(name, node));
    }

    private boolean isAttached(String node) {
        return client.storage().v1().volumeAttachments().list().getItems().stream()
                .filter(a -> node.equals(a.getSpec().getNodeName()))
                .map(VolumeAttachment::getStatus)
                .anyMatch(status -> status != null && Boolean.TRUE.equals(status.getAttached()));
    }

    /** What the kubelet says while a pod uses the volume, and says no more once it is unmounted. */
    private void sayInUse(String node, List<String> volumes) {
        Node current = client.nodes().withName(node).get();
        client.resource(current)
                .subresource("status")
                .patch(
                        JSON_PATCH,
                        "[{\"op\":\"add\",\"path\":\"/status/volumesInUse\",\"value\":"
                                + client.getKubernetesSerialization().asJson(volumes) + "}]");
    }

    private Duration until(BooleanSupplier condition) throws InterruptedException {
        long startedNanos = System.nanoTime();
        while (!condition.getAsBoolean()) {
            Duration waited = Duration.ofNanos(System.nanoTime() - startedNanos);
            assertThat(waited).as("see the logs in " + directory).isLessThan(LIMIT);
            new CountDownLatch(1).await(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        }
        return Duration.ofNanos(System.nanoTime() - startedNanos);
    }

    private Optional<Attachment> session() {
        return new KubernetesVolumes(client, "reader")
                .find(VOLUME)
                .flatMap(StoredVolume::config)
                .flatMap(config -> config.attachments().stream().findFirst());
    }

    /** What a driver without attachment objects would do itself when a pod starts at another node. */
    @Test
    void aSessionIsTakenOverWithinASecond() throws Exception {
        String volume = "pvc-taken-over";
        apply("""
                apiVersion: gabion.io/v1alpha1
                kind: Volume
                metadata: {name: pvc-taken-over}
                spec: {size: 8Mi, pool: default, replicas: 1}
                ---
                apiVersion: v1
                kind: Node
                metadata: {name: node-c}
                ---
                apiVersion: v1
                kind: Node
                metadata: {name: node-d}
                """);
        place(volume);
        try (CsiProcess driver = driver()) {
            assertThat(driver.httpPort()).isPositive();
            ManagedChannel channel = ControlChannels.unixSocket(directory.resolve("csi.sock"));
            ControllerBlockingStub controller = ControllerGrpc.newBlockingStub(channel);
            publish(controller, volume, "node-c");
            long startedNanos = System.nanoTime();
            var unused = controller.controllerUnpublishVolume(ControllerUnpublishVolumeRequest.newBuilder()
                    .setVolumeId(volume)
                    .build());
            publish(controller, volume, "node-d");
            Duration taken = Duration.ofNanos(System.nanoTime() - startedNanos);
            System.out.println("session taken over in " + taken.toMillis() + " ms");
            channel.shutdownNow();

            assertThat(taken).isLessThan(GOAL);
        }
    }

    private static void publish(ControllerBlockingStub controller, String volume, String node) {
        var unused = controller.controllerPublishVolume(ControllerPublishVolumeRequest.newBuilder()
                .setVolumeId(volume)
                .setNodeId(node)
                .setVolumeCapability(Requests.mount(VolumeCapability.AccessMode.Mode.SINGLE_NODE_MULTI_WRITER, ""))
                .build());
    }

    @Test
    void aVolumeMovesAtOnceWhenTheLostNodeNoLongerClaimsToUseIt() throws Exception {
        String kubeconfig = kubeconfig().toString();
        cluster();
        try (CsiProcess driver = driver()) {
            assertThat(driver.httpPort()).isPositive();
            run(
                    "kube-controller-manager",
                    "--kubeconfig=" + kubeconfig,
                    "--authentication-kubeconfig=" + kubeconfig,
                    "--authorization-kubeconfig=" + kubeconfig,
                    "--controllers=persistentvolume-attach-detach-controller",
                    "--leader-elect=false",
                    "--bind-address=127.0.0.1",
                    "--secure-port=0");
            run(
                    "csi-attacher",
                    "--kubeconfig=" + kubeconfig,
                    "--csi-address=" + directory.resolve("csi.sock"),
                    "--timeout=60s");
            pod("pod-a", "node-a");
            until(() -> isAttached("node-a"));
            sayInUse("node-a", List.of("kubernetes.io/csi/" + DRIVER + "^" + VOLUME));
            assertThat(session().orElseThrow().node()).isEqualTo(new NodeName("node-a"));

            // The node is lost: its pod is deleted by force and another one starts elsewhere.
            client.pods()
                    .inNamespace("default")
                    .withName("pod-a")
                    .withGracePeriod(0)
                    .delete();
            pod("pod-b", "node-b");
            new CountDownLatch(1).await(GOAL.toSeconds(), TimeUnit.SECONDS);
            assertThat(isAttached("node-b"))
                    .as("the controller waits for the kubelet")
                    .isFalse();

            sayInUse("node-a", List.of());
            Duration moved = until(() -> isAttached("node-b"));
            System.out.println(
                    "attached at the other node " + moved.toMillis() + " ms after the lost one was spoken for");

            assertThat(moved).isLessThan(GOAL);
            assertThat(session().orElseThrow().node()).isEqualTo(new NodeName("node-b"));
            assertThat(session().orElseThrow().generation()).isGreaterThan(1);
            // Not before the primary confirmed that the old session is refused.
            assertThat(witness.asked()).isNotEmpty();
        }
    }
}
