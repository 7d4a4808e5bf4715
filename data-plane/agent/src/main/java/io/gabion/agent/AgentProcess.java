package io.gabion.agent;

import io.gabion.agent.control.AgentControlService;
import io.gabion.agent.metrics.AgentMetrics;
import io.gabion.agent.nbd.ExportTable;
import io.gabion.agent.nbd.NbdServer;
import io.gabion.agent.nbd.NbdTls;
import io.gabion.agent.session.AttachmentFiles;
import io.gabion.agent.session.Attachments;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlServers;
import io.gabion.protocol.control.ControlTls;
import io.gabion.wire.EventLoops;
import io.gabion.wire.Hello;
import io.gabion.wire.PeerIdentity;
import io.gabion.wire.Role;
import io.gabion.wire.TlsIdentity;
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
    /** Name of the NBD socket in the agent's directory. */
    public static final String SOCKET_NAME = "nbd.sock";

    private final Deque<AutoCloseable> started = new ArrayDeque<>();
    private final Attachments attachments;
    private final Path socket;
    private final int controlPort;
    private final int metricsPort;
    private final @Nullable InetSocketAddress nbdTcp;

    /**
     * Starts everything; on failure stops what was started.
     *
     * @throws IOException with one line that names the file, address or identity that is not right
     */
    public static AgentProcess start(AgentOptions options) throws IOException {
        Deque<AutoCloseable> started = new ArrayDeque<>();
        try {
            return new AgentProcess(options, started);
        } catch (IOException | RuntimeException e) {
            stop(started);
            throw e;
        }
    }

    private AgentProcess(AgentOptions options, Deque<AutoCloseable> started) throws IOException {
        TlsIdentity tls = TlsIdentity.load(options.ca(), options.certificate(), options.key(), options.tlsEngine());
        checkIdentity(options, tls);
        ControlTls controlTls = ControlTls.load(options.cluster(), options.certificate(), options.key(), options.ca());
        Path directory = directory(options.socketDirectory());
        started.push(lock(directory));
        EventLoops loops = EventLoops.start(options.networkBackend(), options.loops(), "agent");
        started.push(loops);
        AgentMetrics metrics = new AgentMetrics(
                version(), options.name().value(), loops.backend().text());
        Hello self = Hello.of(Role.AGENT, options.cluster(), options.name(), bootId(), version());
        WireOptions wire = WireOptions.of(loops, self, tls);
        ExportTable exports = new ExportTable();
        socket = directory.resolve(SOCKET_NAME);
        attachments = new Attachments(
                wire,
                exports,
                new AttachmentFiles(directory.resolve("attachments")),
                socket,
                attachment -> metrics.observer(attachment.exportName()));
        // Before the first client can connect: it must find what it had.
        attachments.restore();
        NbdServer nbd = new NbdServer(loops, exports, options.nbdList());
        started.push(nbd);
        attachments.serveWith(nbd);
        nbd.listenUnix(socket);
        nbdTcp = listenTcp(options, nbd);
        metrics.sample(attachments, nbd::connectionCount, wire.counters());
        var scrapes = metrics.listen(options.metricsListen());
        started.push(scrapes);
        metricsPort = scrapes.getPort();
        ExecutorService blocking = Executors.newVirtualThreadPerTaskExecutor();
        started.push(blocking::shutdownNow);
        Server control = ControlServers.startSecure(
                options.controlListen(),
                controlTls,
                EnumSet.of(ControlRole.OPERATOR),
                blocking,
                List.of(new AgentControlService(attachments)));
        started.push(control::shutdownNow);
        controlPort = control.getPort();
        this.started.addAll(started);
        LOG.info(
                "agent {} {} of cluster {} serves on {}, control on {}, metrics on {}, {} with {} loops",
                options.name(),
                version(),
                options.cluster(),
                socket,
                controlPort,
                metricsPort,
                loops.backend().text(),
                options.loops());
    }

    private static @Nullable InetSocketAddress listenTcp(AgentOptions options, NbdServer nbd) throws IOException {
        InetSocketAddress address = options.nbdTcpListen().orElse(null);
        return address == null
                ? null
                : nbd.listenTcp(address, NbdTls.serverContext(options.certificate(), options.key(), options.ca()));
    }

    private static void checkIdentity(AgentOptions options, TlsIdentity tls) throws IOException {
        PeerIdentity wanted = new PeerIdentity(options.cluster(), Role.AGENT, options.name());
        if (!tls.identity().equals(wanted)) {
            throw new IOException("certificate " + options.certificate() + " is for " + tls.identity()
                    + ", but --cluster and --name say " + wanted);
        }
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

    private static String version() {
        String version = AgentProcess.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
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

    /** Stops serving. Attachments stay: the next process opens them again. */
    @Override
    public void close() {
        stop(started);
    }

    private static void stop(Deque<AutoCloseable> started) {
        for (AutoCloseable each = started.poll(); each != null; each = started.poll()) {
            try {
                each.close();
            } catch (Exception e) {
                LOG.warn("stopping {}: {}", each, e.toString());
            }
        }
    }
}
