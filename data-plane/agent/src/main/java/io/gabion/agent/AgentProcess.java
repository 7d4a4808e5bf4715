package io.gabion.agent;

import io.gabion.agent.control.AgentControlService;
import io.gabion.agent.fuse.DescriptorKeeper;
import io.gabion.agent.fuse.SupervisorKeeper;
import io.gabion.agent.fuse.VolumeDevices;
import io.gabion.agent.metrics.AgentMetrics;
import io.gabion.agent.nbd.ExportTable;
import io.gabion.agent.nbd.NbdServer;
import io.gabion.agent.nbd.NbdTls;
import io.gabion.agent.session.AttachmentFiles;
import io.gabion.agent.session.Attachments;
import io.gabion.agent.session.NodeBook;
import io.gabion.model.ClusterId;
import io.gabion.process.BuildVersion;
import io.gabion.process.HealthServer;
import io.gabion.process.Probe;
import io.gabion.process.Readiness;
import io.gabion.process.Shutdown;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlServers;
import io.gabion.protocol.control.ControlTls;
import io.gabion.wire.EventLoops;
import io.gabion.wire.Hello;
import io.gabion.wire.PeerIdentity;
import io.gabion.wire.Role;
import io.gabion.wire.TlsIdentity;
import io.gabion.wire.WireLimits;
import io.gabion.wire.WireOptions;
import io.grpc.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running agent: everything that {@link Agent} starts, in order, and stops in reverse. */
public final class AgentProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AgentProcess.class);
    private static final Path KERNEL_BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    /**
     * A node that says nothing for so long is gone, or its address is: nodes give a sign of life every 500 ms. Longer than a
     * pause of a busy process, shorter than what people notice.
     */
    private static final int SILENCE_MILLIS = 2_500;
    /** Name of the NBD socket in the agent's directory. */
    public static final String SOCKET_NAME = "nbd.sock";

    private final Deque<AutoCloseable> started = new ArrayDeque<>();
    private final Attachments attachments;
    private final Path socket;
    private final int controlPort;
    private final int metricsPort;
    private final @Nullable InetSocketAddress nbdTcp;

    /**
     * What is there before an agent is: it answers probes while the agent waits for its certificate or its predecessor.
     *
     * @param scrapes answers on the metrics port; ends with the process
     */
    record Ground(AgentMetrics metrics, Readiness readiness, HealthServer scrapes) {
        static Ground lay(AgentOptions options) throws IOException {
            AgentMetrics metrics = new AgentMetrics(options.name().value());
            Readiness readiness = new Readiness();
            return new Ground(
                    metrics,
                    readiness,
                    HealthServer.start(options.metricsListen(), metrics.registry(), Probe.FINE, readiness));
        }
    }

    /**
     * Starts everything; on failure stops what was started.
     *
     * @throws IOException with one line that names the file, address or identity that is not right
     */
    public static AgentProcess start(AgentOptions options) throws IOException {
        AgentOptions.Credentials files = options.credentials()
                .orElseThrow(() -> new IllegalArgumentException("the files of the certificate are not named"));
        TlsIdentity tls = TlsIdentity.load(files.ca(), files.certificate(), files.key(), options.tlsEngine());
        PeerIdentity wanted = new PeerIdentity(files.cluster(), Role.AGENT, options.name());
        if (!tls.identity().equals(wanted)) {
            throw new IOException("certificate " + files.certificate() + " is for " + tls.identity()
                    + ", but --cluster and --name say " + wanted);
        }
        return start(options, tls, Ground.lay(options));
    }

    /** As {@link #start(AgentOptions)}, as whom {@code tls} says; takes over the server of {@code ground}. */
    static AgentProcess start(AgentOptions options, TlsIdentity tls, Ground ground) throws IOException {
        Deque<AutoCloseable> started = new ArrayDeque<>();
        started.push(ground.scrapes());
        try {
            return new AgentProcess(options, tls, ground, started);
        } catch (IOException | RuntimeException e) {
            Shutdown.of(started);
            throw e;
        }
    }

    private AgentProcess(AgentOptions options, TlsIdentity tls, Ground ground, Deque<AutoCloseable> started)
            throws IOException {
        Path directory = directory(options.socketDirectory());
        ReadyFile ready = null;
        if (options.readyFile().isPresent()) {
            ready = new ReadyFile(options.readyFile().get());
        }
        // Waits until a predecessor that served the same devices has stopped; then the directory is free, too.
        ground.readiness().notReady("taking the devices over");
        DescriptorKeeper keeper = SupervisorKeeper.ofThisProcess();
        VolumeDevices devices = new VolumeDevices(
                options.devicesDirectory().toAbsolutePath(), options.name().value(), keeper, options.fuseResend());
        started.push(devices);
        // These end after the devices: what those read last is still carried out, and nobody else serves meanwhile.
        FileChannel lock = lock(directory);
        started.addLast(lock);
        EventLoops loops = EventLoops.start(options.networkBackend(), options.loops(), "agent");
        started.removeLast();
        started.addLast(loops);
        started.addLast(lock);
        ClusterId cluster = tls.identity().cluster();
        Hello self = Hello.of(Role.AGENT, cluster, options.name(), bootId(), BuildVersion.text());
        WireOptions wire =
                WireOptions.of(loops, self, tls).withLimits(WireLimits.DEFAULT.withSilenceMillis(SILENCE_MILLIS));
        ExportTable exports = new ExportTable();
        socket = directory.resolve(SOCKET_NAME);
        AttachmentFiles files = new AttachmentFiles(directory.resolve("attachments"));
        attachments = new Attachments(
                wire, exports, files, new NodeBook(files), devices, socket, attachment -> ground.metrics()
                        .observer(attachment.exportName()));
        // Before the first client can connect: it must find what it had.
        attachments.restore();
        NbdServer nbd = new NbdServer(loops, exports, options.nbdList());
        started.push(nbd);
        attachments.serveWith(nbd);
        nbd.listenUnix(socket);
        nbdTcp = listenTcp(options, nbd, tls);
        ground.metrics()
                .sample(
                        attachments,
                        devices,
                        nbd::connectionCount,
                        wire.counters(),
                        loops.backend().text());
        metricsPort = ground.scrapes().port();
        controlPort = listenForControl(options, tls, started);
        if (ready != null) {
            started.push(ready);
            ready.appear();
        }
        started.push(SignsOfLife.start(keeper, loops));
        started.push(() -> ground.readiness().notReady("stopping"));
        ground.readiness().ready();
        this.started.addAll(started);
        LOG.info(
                "agent {} {} of cluster {} serves on {}, control on {}, metrics on {}, {} with {} loops",
                options.name(),
                BuildVersion.text(),
                cluster,
                socket,
                options.controlSocket().map(Path::toString).orElse(Integer.toString(controlPort)),
                metricsPort,
                loops.backend().text(),
                options.loops());
    }

    /** Returns the port of the one with TLS, 0 without it. */
    private int listenForControl(AgentOptions options, TlsIdentity identity, Deque<AutoCloseable> started)
            throws IOException {
        ExecutorService blocking = Executors.newVirtualThreadPerTaskExecutor();
        started.push(blocking::shutdownNow);
        List<AgentControlService> services = List.of(new AgentControlService(attachments));
        if (options.controlSocket().isPresent()) {
            Server local =
                    ControlServers.startOnUnixSocket(options.controlSocket().get(), blocking, services);
            started.push(local::shutdownNow);
        }
        if (options.controlListen().isEmpty()) {
            return 0;
        }
        ControlTls tls = ControlTls.load(
                identity.identity().cluster(), identity.certificateFile(), identity.keyFile(), identity.rootsFile());
        Server server = ControlServers.startSecure(
                options.controlListen().get(), tls, EnumSet.of(ControlRole.OPERATOR), blocking, services);
        started.push(server::shutdownNow);
        return server.getPort();
    }

    private static @Nullable InetSocketAddress listenTcp(AgentOptions options, NbdServer nbd, TlsIdentity tls)
            throws IOException {
        InetSocketAddress address = options.nbdTcpListen().orElse(null);
        return address == null
                ? null
                : nbd.listenTcp(address, NbdTls.serverContext(tls.certificateFile(), tls.keyFile(), tls.rootsFile()));
    }

    private static Path directory(Path wanted) throws IOException {
        Path directory = wanted.toAbsolutePath();
        try {
            return Files.isDirectory(directory)
                    ? directory
                    : Files.createDirectories(
                            directory,
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new IOException("--socket-directory " + directory + " cannot be made: " + e.getMessage(), e);
        }
    }

    private static FileChannel lock(Path directory) throws IOException {
        Path file = directory.resolve("agent.lock");
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            channel.close();
            throw new IOException("--socket-directory " + directory
                    + " is in use by another agent: stop it, or choose another directory");
        }
        return channel;
    }

    private static UUID bootId() throws IOException {
        return UUID.fromString(Files.readString(KERNEL_BOOT_ID).strip());
    }

    public Attachments attachments() {
        return attachments;
    }

    /** The NBD socket. */
    public Path socket() {
        return socket;
    }

    public int controlPort() {
        return controlPort;
    }

    public int metricsPort() {
        return metricsPort;
    }

    /** Where NBD is served over TCP, null where it is not. */
    public @Nullable InetSocketAddress nbdTcp() {
        return nbdTcp;
    }

    /** Ends with this process, before everything else. */
    void closeWithIt(AutoCloseable step) {
        started.addFirst(step);
    }

    /** Stops serving. Attachments stay: the next process opens them again. */
    @Override
    public void close() {
        Shutdown.of(started);
    }
}
