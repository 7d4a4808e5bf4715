package io.gabion.node;

import io.gabion.configstore.ConfigurationStoreServer;
import io.gabion.model.Attachment;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlCodec;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import io.gabion.protocol.control.v1.ConfigurationStoreGrpc;
import io.gabion.protocol.control.v1.GetVolumeRequest;
import io.gabion.protocol.control.v1.GetVolumeResponse;
import io.gabion.protocol.control.v1.ListReplicasRequest;
import io.gabion.protocol.control.v1.NodeControlGrpc;
import io.gabion.protocol.control.v1.ReplicaStatus;
import io.gabion.protocol.control.v1.SnapshotControlGrpc;
import io.gabion.protocol.control.v1.SwapResult;
import io.gabion.protocol.control.v1.SwapVolumeRequest;
import io.gabion.protocol.control.v1.SwapVolumeResponse;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A configuration store in this process and storage nodes in processes of their own, with certificates of a development CA. */
final class Cluster implements AutoCloseable {
    private static final int NODE_COUNT = 3;
    private static final int NOBODY_LISTENS = 1;
    /** The channel's own back-off after an outage grows to several seconds. */
    private static final int STORE_DEADLINE_SECONDS = 60;

    private static final String HOST = "127.0.0.1";

    private final Path directory;
    private final ClusterId id = new ClusterId(UUID.randomUUID());
    private final Map<String, NodeProcess> nodes = new HashMap<>();
    private final Map<String, StorageNode> insiders = new HashMap<>();
    private final int storePort = freePort();
    private final ControlTls operator;
    private ConfigurationStoreServer store;
    private final ManagedChannel storeChannel;
    private String bootId = UUID.randomUUID().toString();

    private record NodeProcess(Process process, int dataPort, int controlPort, int metricsPort) {}

    Cluster(Path directory) throws Exception {
        this.directory = directory;
        List<String> command = new ArrayList<>(List.of(
                repository().resolve("tools/development-ca").toString(),
                directory.resolve("ca").toString(),
                id.toString(),
                "configuration-store/config",
                "operator/test",
                "agent/a1"));
        for (String node : names()) {
            command.add("node/" + node);
        }
        int exit = new ProcessBuilder(command).inheritIO().start().waitFor();
        if (exit != 0) {
            throw new IOException("development-ca failed: " + exit);
        }
        this.operator = ControlTls.load(id, ca("operator-test.pem"), ca("operator-test.key"), ca("ca.pem"));
        this.store = startStore();
        this.storeChannel = ControlChannels.secure(HOST, storePort, operator, Set.of(ControlRole.CONFIGURATION_STORE));
    }

    static List<String> names() {
        List<String> names = new ArrayList<>();
        for (int i = 1; i <= NODE_COUNT; i++) {
            names.add("n" + i);
        }
        return names;
    }

    private static Path repository() {
        Path path = Path.of("").toAbsolutePath();
        while (path != null && !Files.exists(path.resolve("tools/development-ca"))) {
            path = path.getParent();
        }
        if (path == null) {
            throw new IllegalStateException(
                    "tools/development-ca is not above " + Path.of("").toAbsolutePath());
        }
        return path;
    }

    static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    int storePort() {
        return storePort;
    }

    ClusterId id() {
        return id;
    }

    Path caDirectory() {
        return directory.resolve("ca");
    }

    Path ca(String file) {
        return directory.resolve("ca").resolve(file);
    }

    // ---- configuration store
    private ConfigurationStoreServer startStore() throws IOException {
        ControlTls tls = ControlTls.load(
                id, ca("configuration-store-config.pem"), ca("configuration-store-config.key"), ca("ca.pem"));
        return ConfigurationStoreServer.start(
                directory.resolve("config"),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), storePort),
                Optional.empty(),
                tls,
                () -> {});
    }

    void stopStore() {
        store.close();
    }

    void restartStore() throws IOException {
        store = startStore();
    }

    ConfigurationStoreGrpc.ConfigurationStoreBlockingStub storeStub() {
        return ConfigurationStoreGrpc.newBlockingStub(storeChannel)
                .withWaitForReady()
                .withDeadlineAfter(STORE_DEADLINE_SECONDS, TimeUnit.SECONDS);
    }

    VolumeRecord createVolume(long sizeBytes, NodeName agent) {
        VolumeRecord plain =
                Records.volume(sizeBytes, names().stream().map(NodeName::new).toArray(NodeName[]::new));
        VolumeConfig c = plain.config();
        VolumeRecord record = plain.withConfig(new VolumeConfig(
                1,
                1,
                c.primary(),
                c.inSync(),
                c.verifier(),
                sizeBytes,
                0,
                List.of(new Attachment(agent, 1, false)),
                0,
                c.writer()));
        SwapVolumeResponse response = storeStub()
                .swapVolume(SwapVolumeRequest.newBuilder()
                        .setExpectedVersion(0)
                        .setNext(ControlCodec.toProto(record))
                        .build());
        if (response.getResult() != SwapResult.SWAP_RESULT_WON) {
            throw new IllegalStateException("not created: " + response);
        }
        return record;
    }

    Optional<VolumeRecord> record(VolumeId volume) {
        GetVolumeResponse response = storeStub()
                .getVolume(
                        GetVolumeRequest.newBuilder().setId(volume.toString()).build());
        return response.hasRecord() ? Optional.of(ControlCodec.fromProto(response.getRecord())) : Optional.empty();
    }

    void delete(VolumeId volume) {
        while (true) {
            VolumeRecord current = record(volume).orElseThrow();
            SwapVolumeResponse response = storeStub()
                    .swapVolume(SwapVolumeRequest.newBuilder()
                            .setExpectedVersion(current.config().version())
                            .setNext(ControlCodec.toProto(current.withDeleting("test/" + UUID.randomUUID())))
                            .build());
            if (response.getResult() == SwapResult.SWAP_RESULT_WON) {
                return;
            }
        }
    }

    // ---- nodes
    /** Starts a node again with the data and ports that it had. */
    void startNode(String name) throws IOException {
        NodeProcess before = nodes.get(name);
        int dataPort = before == null ? freePort() : before.dataPort();
        int controlPort = before == null ? freePort() : before.controlPort();
        int metricsPort = before == null ? freePort() : before.metricsPort();
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xmx256m",
                // Every payload that somebody forgets to release is named in the log.
                "-Dio.netty.leakDetection.level=paranoid",
                "-cp",
                System.getProperty("java.class.path"),
                StorageNode.class.getName()));
        command.addAll(arguments(name, dataPort, controlPort, metricsPort));
        File log = directory.resolve(name + ".log").toFile();
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
                .start();
        nodes.put(name, new NodeProcess(process, dataPort, controlPort, metricsPort));
    }

    List<String> arguments(String name, int dataPort, int controlPort, int metricsPort) {
        return List.of(
                "--name",
                name,
                "--data",
                directory.resolve(name).toString(),
                "--capacity",
                "256MiB",
                "--cluster",
                id.toString(),
                "--certificate",
                ca("node-" + name + ".pem").toString(),
                "--key",
                ca("node-" + name + ".key").toString(),
                "--ca",
                ca("ca.pem").toString(),
                "--data-listen",
                HOST + ":" + dataPort,
                "--control-listen",
                HOST + ":" + controlPort,
                "--metrics-listen",
                HOST + ":" + metricsPort,
                "--configuration-store",
                HOST + ":" + storePort,
                "--boot-id",
                bootId);
    }

    void startAll() throws IOException {
        for (String name : names()) {
            startNode(name);
        }
    }

    /** From now on nodes start on a machine that lost its memory. */
    void newBoot() {
        bootId = UUID.randomUUID().toString();
    }

    void kill(String name) throws InterruptedException {
        Process process = process(name);
        process.destroyForcibly();
        process.waitFor();
    }

    void signal(String name, String signal) throws Exception {
        Process kill = new ProcessBuilder(
                        "kill", "-" + signal, Long.toString(process(name).pid()))
                .inheritIO()
                .start();
        if (kill.waitFor() != 0) {
            throw new IllegalStateException("kill -" + signal + " of " + name + " failed");
        }
    }

    /** Exit code after SIGTERM. */
    int stop(String name) throws InterruptedException {
        Process process = process(name);
        process.destroy();
        if (!process.waitFor(20, TimeUnit.SECONDS)) {
            throw new IllegalStateException(name + " does not end");
        }
        return process.exitValue();
    }

    private Process process(String name) {
        return node(name).process();
    }

    private NodeProcess node(String name) {
        NodeProcess node = nodes.get(name);
        if (node == null) {
            throw new IllegalStateException(name + " was not started");
        }
        return node;
    }

    int dataPort(String name) {
        StorageNode inside = insiders.get(name);
        if (inside != null) {
            return inside.dataPort();
        }
        NodeProcess node = nodes.get(name);
        return node == null ? NOBODY_LISTENS : node.dataPort();
    }

    /** Starts a node within this process, on a disk of the test's. */
    void startInside(String name, int loops, DiskOpening disk) throws Exception {
        List<String> arguments = new ArrayList<>(arguments(name, 0, 0, 0));
        arguments.addAll(List.of("--loops", Integer.toString(loops)));
        insiders.put(name, StorageNode.start(NodeOptions.parse(arguments), disk));
    }

    void stopInside(String name) {
        StorageNode inside = insiders.remove(name);
        if (inside != null) {
            inside.close();
        }
    }

    StorageNode inside(String name) {
        StorageNode inside = insiders.get(name);
        if (inside == null) {
            throw new IllegalStateException(name + " does not run in this process");
        }
        return inside;
    }

    int metricsPort(String name) {
        return node(name).metricsPort();
    }

    String log(String name) throws IOException {
        return Files.readString(directory.resolve(name + ".log"));
    }

    /** Replicas of this node, as its control interface answers the operator. */
    int replicas(StorageNode inside) throws IOException {
        return control(inside.controlPort(), stub -> stub.listReplicas(ListReplicasRequest.getDefaultInstance()))
                .getReplicasCount();
    }

    <T> T snapshots(String name, Function<SnapshotControlGrpc.SnapshotControlBlockingStub, T> call) throws IOException {
        ManagedChannel channel =
                ControlChannels.secure(HOST, node(name).controlPort(), operator, Set.of(ControlRole.NODE));
        try {
            return call.apply(SnapshotControlGrpc.newBlockingStub(channel).withDeadlineAfter(12, TimeUnit.SECONDS));
        } finally {
            channel.shutdownNow();
        }
    }

    <T> T control(String name, Function<NodeControlGrpc.NodeControlBlockingStub, T> call) throws IOException {
        return control(node(name).controlPort(), call);
    }

    private <T> T control(int port, Function<NodeControlGrpc.NodeControlBlockingStub, T> call) throws IOException {
        ManagedChannel channel = ControlChannels.secure(HOST, port, operator, Set.of(ControlRole.NODE));
        try {
            return call.apply(NodeControlGrpc.newBlockingStub(channel).withDeadlineAfter(5, TimeUnit.SECONDS));
        } finally {
            channel.shutdownNow();
        }
    }

    /** Empty while the node cannot be asked or has no such replica. */
    Optional<ReplicaStatus> replica(String name, VolumeId volume) {
        ListReplicasRequest request =
                ListReplicasRequest.newBuilder().setVolume(volume.toString()).build();
        try {
            return control(name, stub -> stub.listReplicas(request)).getReplicasList().stream()
                    .findFirst();
        } catch (IOException | StatusRuntimeException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        insiders.values().forEach(StorageNode::close);
        for (NodeProcess node : nodes.values()) {
            node.process().destroyForcibly().onExit().join();
        }
        storeChannel.shutdownNow();
        store.close();
    }
}
