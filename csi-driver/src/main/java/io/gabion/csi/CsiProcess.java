package io.gabion.csi;

import csi.v1.GetPluginInfoRequest;
import csi.v1.IdentityGrpc;
import io.gabion.csi.agent.NodeAgent;
import io.gabion.csi.backend.FenceWitness;
import io.gabion.csi.backend.StorageNodes;
import io.gabion.csi.backend.VolumeBackend;
import io.gabion.csi.controller.ControllerService;
import io.gabion.csi.controller.ObjectNames;
import io.gabion.csi.health.BoundedProbe;
import io.gabion.csi.host.HostCommands;
import io.gabion.csi.identity.IdentityService;
import io.gabion.csi.node.FenceWatch;
import io.gabion.csi.node.NodeIdentity;
import io.gabion.csi.node.NodePush;
import io.gabion.csi.node.NodeService;
import io.gabion.csi.registration.KubeletRegistration;
import io.gabion.csi.rpc.CallMeters;
import io.gabion.csi.rpc.OperationLocks;
import io.gabion.process.BuildVersion;
import io.gabion.process.HealthServer;
import io.gabion.process.Probe;
import io.gabion.process.ProcessMetrics;
import io.gabion.process.Readiness;
import io.gabion.process.Shutdown;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlServers;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.StatusRuntimeException;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running driver: everything that {@link CsiDriver} starts, in order, and stops in reverse. */
public final class CsiProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CsiProcess.class);

    private static final int FIRST_ANSWER_SECONDS = 60;

    private final Deque<AutoCloseable> started = new ArrayDeque<>();
    private final int httpPort;

    /**
     * What the driver stands on. In the controller's role the agent is not asked, in the node's role the witness is not.
     *
     * @param domain failure domain of this machine
     * @param register introduce the driver to the kubelet of this machine
     */
    public record Ground(
            VolumeBackend backend,
            StorageNodes storageNodes,
            FenceWitness witness,
            NodeAgent agent,
            String domain,
            boolean register) {}

    /** The ground while the process stands on it. */
    public interface OpenGround extends AutoCloseable {
        Ground ground();

        @Override
        void close();
    }

    /** Gets the ground, however long that takes; health is served meanwhile. */
    @FunctionalInterface
    public interface Opening {
        /** @param waitingFor to be told what it waits for, for people */
        OpenGround open(Consumer<String> waitingFor) throws IOException;
    }

    /** Starts everything; on failure stops what was started. */
    public static CsiProcess start(CsiOptions options, Opening opening) throws IOException {
        Deque<AutoCloseable> started = new ArrayDeque<>();
        try {
            return new CsiProcess(options, opening, started);
        } catch (IOException | RuntimeException e) {
            Shutdown.of(started);
            throw e;
        }
    }

    private CsiProcess(CsiOptions options, Opening opening, Deque<AutoCloseable> started) throws IOException {
        PrometheusRegistry registry = new PrometheusRegistry();
        String role = options.role().name().toLowerCase(Locale.ROOT);
        ProcessMetrics.register(registry, "csi-" + role, options.node().value());
        // Health first: whoever probes shall not take a late API server for a process that hangs. A controller waits
        // for nothing, and its sidecars, which start when it is healthy, give up when they are not answered within a
        // second.
        AtomicBoolean answered = new AtomicBoolean(!options.role().isController());
        List<Probe> alive = new CopyOnWriteArrayList<>();
        alive.add(() -> answered.get() ? Optional.empty() : Optional.of("starting"));
        Readiness starting = new Readiness();
        AtomicReference<Probe> ready = new AtomicReference<>(starting);
        HealthServer health =
                HealthServer.start(options.httpListen(), registry, () -> firstObstacle(alive), () -> ready.get()
                        .obstacle());
        started.push(health);
        httpPort = health.port();
        OpenGround open = opening.open(reason -> starting.notReady("starting: " + reason));
        started.push(open);
        Ground ground = open.ground();
        Probe grounded = readiness(options, ground);
        OperationLocks locks = new OperationLocks();
        List<BindableService> services = new ArrayList<>();
        services.add(new IdentityService(BuildVersion.text(), grounded));
        if (options.role().isController()) {
            services.add(new ControllerService(
                    ground.backend(), ground.witness(), new OperationLocks(), options.maxVolumes(), options.alpha()));
        }
        if (options.role().isNode()) {
            HostCommands commands = new HostCommands(registry);
            services.add(nodeService(options, ground, commands, locks));
            started.push(NodePush.start(ground.agent(), ground.storageNodes()));
            started.push(FenceWatch.start(ground.agent(), commands));
        }
        ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
        started.push(calls::shutdownNow);
        CallMeters meters = new CallMeters(registry);
        List<BindableService> metered = new ArrayList<>();
        services.forEach(service -> metered.add(() -> ServerInterceptors.intercept(service, meters)));
        Server server = ControlServers.startOnUnixSocket(options.endpoint(), calls, metered);
        started.push(server::shutdownNow);
        alive.add(socketThere(options.endpoint()));
        askItself(options.endpoint());
        answered.set(true);
        if (ground.register() && options.role().isNode()) {
            KubeletRegistration registration =
                    new KubeletRegistration(options.kubeletEndpoint().toString());
            Server registrar =
                    ControlServers.startOnUnixSocket(options.registrationSocket(), calls, List.of(registration));
            started.push(() -> Files.deleteIfExists(options.registrationSocket()));
            started.push(registrar::shutdownNow);
            alive.add(socketThere(options.registrationSocket()));
            alive.add(registration);
        }
        ready.set(grounded);
        this.started.addAll(started);
        LOG.info(
                "{} {} serves {} on {}, health and metrics on {}",
                IdentityService.NAME,
                BuildVersion.text(),
                role,
                options.endpoint(),
                httpPort);
    }

    /** The first answer takes the longest, and nobody shall wait for it. */
    private static void askItself(Path endpoint) {
        ManagedChannel channel = ControlChannels.unixSocket(endpoint);
        try {
            var unused = IdentityGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(FIRST_ANSWER_SECONDS, TimeUnit.SECONDS)
                    .getPluginInfo(GetPluginInfoRequest.getDefaultInstance());
        } catch (StatusRuntimeException e) {
            LOG.warn("the driver does not answer itself on {}: {}", endpoint, e.getStatus());
        } finally {
            channel.shutdownNow();
        }
    }

    private static NodeService nodeService(
            CsiOptions options, Ground ground, HostCommands commands, OperationLocks locks) {
        return new NodeService(
                new NodeIdentity(options.node(), ground.domain(), options.maxVolumes()),
                ground.agent(),
                name -> ObjectNames.isObjectName(name) ? ground.backend().find(name) : Optional.empty(),
                ground.storageNodes(),
                commands,
                locks,
                options.alpha());
    }

    private static Probe readiness(CsiOptions options, Ground ground) {
        List<Probe> needed = new ArrayList<>();
        if (options.role().isController()) {
            needed.add(new BoundedProbe("the API server", ground.backend()::probe));
        }
        if (options.role().isNode()) {
            needed.add(new BoundedProbe("the agent", ground.agent()::attachments));
        }
        return () -> firstObstacle(needed);
    }

    private static Optional<String> firstObstacle(List<Probe> all) {
        return all.stream().flatMap(each -> each.obstacle().stream()).findFirst();
    }

    /** Somebody who empties the directory of plug-ins leaves us deaf; only a restart makes the socket again. */
    private static Probe socketThere(Path socket) {
        return () -> Files.exists(socket) ? Optional.empty() : Optional.of("the socket " + socket + " was removed");
    }

    public int httpPort() {
        return httpPort;
    }

    @Override
    public void close() {
        Shutdown.of(started);
    }
}
