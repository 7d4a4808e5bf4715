package io.gabion.csi.fake;

import io.gabion.csi.CsiOptions;
import io.gabion.csi.CsiOptions.Role;
import io.gabion.csi.CsiProcess;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.protocol.control.ControlChannels;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** The whole driver in both roles on a real socket, over a cluster in memory and an agent with loop devices. */
public final class TestDriver implements AutoCloseable {
    public static final String NODE = "test-node";

    public final InMemoryVolumes volumes;
    public final LoopAgent agent;
    public final FixedStorageNodes storageNodes = new FixedStorageNodes();
    public final ScriptedWitness witness = new ScriptedWitness();
    public final Path socket;
    public final Path registrationSocket;
    private final Path directory;
    private final CsiOptions options;
    private CsiProcess process;
    private final ManagedChannel channel;

    /** @param alpha serve what the specification marks as alpha */
    public TestDriver(Path directory, boolean alpha) throws IOException {
        this.directory = directory;
        Files.createDirectories(directory.resolve("files"));
        agent = new LoopAgent(directory.resolve("files"), this::sizeBytes);
        volumes = new InMemoryVolumes(Set.of(NODE, "other-node"), agent::wasWritten);
        socket = directory.resolve("csi.sock");
        registrationSocket = directory.resolve("reg.sock");
        options = options(alpha);
        process = start();
        channel = ControlChannels.unixSocket(socket);
    }

    private CsiOptions options(boolean alpha) {
        return options(Role.ALL, socket, registrationSocket, 0, alpha);
    }

    /** Of another process beside this one. */
    public CsiOptions nodeOptions(String name, int httpPort) {
        return options(
                Role.NODE, directory.resolve(name + ".sock"), directory.resolve(name + "-reg.sock"), httpPort, true);
    }

    private CsiOptions options(Role role, Path endpoint, Path registration, int httpPort, boolean alpha) {
        return new CsiOptions(
                role,
                endpoint,
                new NodeName(NODE),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), httpPort),
                directory.resolve("agent.sock"),
                endpoint,
                registration,
                directory.resolve("certificate"),
                alpha,
                64);
    }

    private CsiProcess start() throws IOException {
        return CsiProcess.start(options, _ -> new CsiProcess.OpenGround() {
            @Override
            public CsiProcess.Ground ground() {
                return new CsiProcess.Ground(volumes, storageNodes, witness, agent, "default", true);
            }

            @Override
            public void close() {}
        });
    }

    /** A new process in the place of the one that runs; cluster, agent and mounts stay. */
    public void restart() throws IOException {
        process.close();
        process = start();
    }

    private long sizeBytes(VolumeId id) {
        return volumes.list().stream()
                .filter(v -> v.id().equals(id))
                .mapToLong(StoredVolume::reservedBytes)
                .findFirst()
                .orElseThrow();
    }

    public ManagedChannel channel() {
        return channel;
    }

    public int httpPort() {
        return process.httpPort();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        process.close();
        agent.close();
    }
}
