package io.gabion.node;

import io.gabion.core.port.Event;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.core.volume.ReplicaSettings;
import io.gabion.core.volume.VolumeReplica;
import io.gabion.model.DiskRecord;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import io.gabion.node.configstore.ConfigurationStore;
import io.gabion.node.configstore.DiskRegistration;
import io.gabion.node.configstore.NodeDirectory;
import io.gabion.node.configstore.RecordUpkeep;
import io.gabion.node.control.NodeControlService;
import io.gabion.node.control.SnapshotControlService;
import io.gabion.node.control.VerifyIds;
import io.gabion.node.control.VerifyOutcome;
import io.gabion.node.control.VerifyResults;
import io.gabion.node.metrics.NodeMetrics;
import io.gabion.process.BuildVersion;
import io.gabion.process.HealthServer;
import io.gabion.process.Probe;
import io.gabion.process.Program;
import io.gabion.process.Readiness;
import io.gabion.wire.Admission;
import io.gabion.wire.Hello;
import io.gabion.wire.Refusal;
import io.gabion.wire.WireOptions;
import io.gabion.wire.WireServer;
import io.grpc.BindableService;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The storage process: puts event loops, disk, replicas, links, configuration store, control interface and metrics together.
 *
 * <p>Order of the start: everything that can be wrong with this machine is found out first (certificate, directory, disk,
 * ports). Replicas and links begin only when the disk's record in the configuration store was compared, because a disk that was
 * rolled back must not say a word; until then connections are refused as busy. The configuration store may be away for as long
 * as it likes.
 */
public final class StorageNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StorageNode.class);
    /** How long the start waits for the configuration store before it says that it is ready all the same. */
    private static final long READY_WAIT_SECONDS = 3;
    /** Longer than a hand-over takes; the peers' failover is as good. */
    private static final long STOP_WAIT_SECONDS = 5;

    /** Records that a dead node left behind disturb nobody; one list a minute finds them. */
    private static final long SWEEP_SECONDS = 60;

    /** How much is on the disk changes slowly, seen from the days that a pass takes. */
    private static final long SCRUB_PACE_SECONDS = 60;

    private static final long GOOD_BYE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long PROBE_INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final NodeOptions options;
    private final String version;
    private final WireOptions wire;
    private final List<Shard> shards;
    private final Loop linksLoop;
    private final PublishedLeases published = new PublishedLeases();
    private final ReplicaSettings settings = ReplicaSettings.standard();
    private final ScheduledExecutorService timer;
    private final ConfigurationStore configurations;
    private final NodeMetrics metrics;
    private final Readiness readiness;
    private final VerifyResults verifyResults = new VerifyResults();
    private final StopCount stopping = new StopCount();
    private final NodeSurroundings surroundings;
    private final ReplicaRegistry replicas;
    private final ClientLinks clients;
    private final PeerLinks links;
    private final ReplicaDisk disk;
    private final RecordUpkeep upkeep;
    private final NodeReport report;
    private final WireServer dataServer;
    private final ControlEndpoint control;
    private final HealthServer metricsServer;
    private final CompletableFuture<Void> serving = new CompletableFuture<>();
    private final List<Runnable> closeToo = new CopyOnWriteArrayList<>();
    private volatile boolean admitting;

    private StorageNode(NodeOptions options, NodeGround ground, NodeFoundation started)
            throws StartException, IOException {
        this.options = options;
        this.metrics = ground.metrics();
        this.readiness = ground.readiness();
        this.metricsServer = ground.metricsServer();
        this.version = BuildVersion.text();
        this.wire = started.wire();
        List<Shard> made = new ArrayList<>();
        wire.loops()
                .all()
                .forEach(loop -> made.add(new Shard(loop.index(), new WireShardLoop(loop), System::nanoTime)));
        this.shards = List.copyOf(made);
        this.linksLoop = new WireShardLoop(wire.loops().loop(0));
        this.timer = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("gabion-control").daemon(true).factory());
        started.closeOnFailure(timer::shutdownNow);
        this.configurations = ground.store().open(options, started.control(), timer);
        started.closeOnFailure(configurations::close);
        SnapshotCalls snapshotCalls = new SnapshotCalls();
        this.surroundings = new NodeSurroundings(configurations, verifyResults, metrics, stopping, snapshotCalls);
        this.replicas = new ReplicaRegistry(shards, this::makeReplica);
        this.clients = new ClientLinks(replicas);
        this.links = new PeerLinks(
                options.name(),
                options.bootId(),
                settings,
                linksLoop,
                new WireDialer(wire, wire.loops().loop(0)),
                replicas,
                published);
        this.upkeep = new RecordUpkeep(configurations, options.name(), timer, replicas);
        this.disk = ground.disk().open(options, linksLoop, new DiskListener());
        started.closeOnFailure(disk::close);
        NodeSurroundings.Plugged parts = new NodeSurroundings.Plugged(disk, links, clients, this::forgotten);
        surroundings.plug(parts);
        this.report = new NodeReport(
                options, version, wire.loops().backend().text(), replicas, parts, configurations, wire.counters());
        this.dataServer = WireServer.bind(wire, options.dataListen(), this::admit);
        started.closeOnFailure(dataServer::close);
        this.control = new ControlEndpoint(options, started.control(), services(snapshotCalls));
        started.closeOnFailure(control::close);
        metrics.describe(
                options.name().value(), disk.backend(), wire.loops().backend().text());
        metrics.sample(report::sample);
    }

    private List<BindableService> services(SnapshotCalls snapshotCalls) {
        VerifyIds ids = new VerifyIds();
        NodeSnapshots snapshots = new NodeSnapshots(replicas, disk, snapshotCalls);
        return List.of(
                new NodeControlService(report, verifyResults, ids),
                new SnapshotControlService(report, snapshots, verifyResults, ids));
    }

    // ---- start
    /** Starts a node; returns when it serves, or after a short time when the configuration store is away. */
    public static StorageNode start(NodeOptions options) throws StartException {
        return start(options, StoreDisk::open);
    }

    static StorageNode start(NodeOptions options, DiskOpening opening) throws StartException {
        NodeMetrics metrics = new NodeMetrics();
        Readiness readiness = new Readiness();
        HealthServer server;
        try {
            server = HealthServer.start(options.metricsListen(), metrics.registry(), Probe.FINE, readiness);
        } catch (IOException e) {
            throw new StartException(String.valueOf(e.getMessage()), e);
        }
        return start(options, new NodeGround(metrics, readiness, server, NodeGround::standAlone, opening));
    }

    /** Takes over the server of {@code ground}. */
    static StorageNode start(NodeOptions options, NodeGround ground) throws StartException {
        try {
            NodeFoundation started = NodeFoundation.lay(options);
            try {
                StorageNode node = new StorageNode(options, ground, started);
                node.begin();
                return node;
            } catch (StartException e) {
                started.undoAll();
                throw e;
            } catch (IOException | IllegalStateException | IllegalArgumentException e) {
                started.undoAll();
                throw new StartException(String.valueOf(e.getMessage()), e);
            }
        } catch (StartException e) {
            ground.metricsServer().close();
            throw e;
        }
    }

    private void begin() {
        DiskRecord opened =
                new DiskRecord(disk.id(), options.cluster(), options.name(), options.pool(), disk.openCount(), 0);
        new DiskRegistration(configurations, timer, opened, this::judged).start();
        boolean served = true;
        try {
            serving.get(READY_WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            served = false;
        }
        LOG.info(
                "ready: node {} cluster {} data {} control {} metrics {} network {} disk {}{}",
                options.name(),
                options.cluster(),
                shown(options.dataListen(), dataPort()),
                shown(options.controlListen(), controlPort()),
                shown(options.metricsListen(), metricsPort()),
                wire.loops().backend().text(),
                disk.backend(),
                served ? "" : " (not serving yet: see above)");
    }

    private static String shown(InetSocketAddress listen, int port) {
        return listen.getHostString() + ":" + port;
    }

    private void judged(DiskRegistration.Verdict verdict) {
        switch (verdict) {
            case DiskRegistration.Verdict.Refused(String reason) -> {
                LOG.error("this node serves nothing: {}", reason);
                report.diskRefused(reason);
                readiness.notReady(reason);
                serving.completeExceptionally(new IllegalStateException(reason));
            }
            case DiskRegistration.Verdict.Good() -> serve();
        }
    }

    private void serve() {
        List<CompletableFuture<Void>> begun = new ArrayList<>();
        for (RecoveredReplica recovered : disk.replicas()) {
            begun.add(replicas.started(recovered));
        }
        var unused = CompletableFuture.allOf(begun.toArray(new CompletableFuture<?>[0]))
                .thenRunAsync(() -> connect(begun.size()), timer)
                .exceptionally(failure -> {
                    LOG.error("the replicas could not be started", failure);
                    serving.completeExceptionally(failure);
                    return null;
                });
    }

    private void connect(int found) {
        report.diskServes();
        admitting = true;
        new NodeDirectory(
                        configurations, self(), options.data(), timer, nodes -> links.run(() -> links.addresses(nodes)))
                .start();
        configurations.watch(upkeep::changed);
        var unused = timer.scheduleWithFixedDelay(
                () -> configurations.listDeleting(upkeep::leftovers, reason -> {}),
                SWEEP_SECONDS + ThreadLocalRandom.current().nextLong(SWEEP_SECONDS),
                SWEEP_SECONDS,
                TimeUnit.SECONDS);
        linksLoop.execute(this::probeDisk);
        startScrub();
        LOG.info("{} replicas found on disk {}", found, disk.id());
        readiness.ready();
        serving.complete(null);
    }

    /** As the disk fills, the scrub has to read faster to be done in the time given. */
    private void startScrub() {
        if (options.scrub().isOn()) {
            var unused = timer.scheduleWithFixedDelay(
                    () -> disk.scrub(options.scrub()), 0, SCRUB_PACE_SECONDS, TimeUnit.SECONDS);
        }
    }

    private NodeRecord self() {
        InetSocketAddress listen = options.dataListen();
        String host = options.host()
                .orElseGet(() ->
                        listen.getAddress().isAnyLocalAddress() ? options.name().value() : listen.getHostString());
        return new NodeRecord(options.name(), host, dataPort(), controlPort(), metricsPort(), version, 0);
    }

    private HostedReplica makeReplica(VolumeId volume, ReplicaId replica, Shard shard) {
        VolumeReplica core = new VolumeReplica(
                volume,
                options.name(),
                settings,
                shards.size() == 1 ? links.leases() : published,
                ThreadLocalRandom.current().nextLong());
        return new HostedReplica(
                volume,
                replica,
                options.name(),
                ReplicaMachine.of(core),
                shard,
                surroundings,
                new ReplicaMeter(metrics.io()));
    }

    private void forgotten(HostedReplica hosted) {
        replicas.forget(hosted);
        links.run(() -> links.forget(hosted.volume()));
        upkeep.forgotten(hosted.volume());
    }

    /** One timer per node, however many replicas: the age of what the disk owes goes into the heartbeats. */
    private void probeDisk() {
        for (Shard shard : shards) {
            shard.run(() -> {
                long age = TimeUnit.NANOSECONDS.toMillis(shard.appends().oldestAgeNanos(shard.nowNanos()));
                links.run(() -> links.probed(shard.index(), age));
            });
        }
        disk.look();
        var unused = linksLoop.schedule(this::probeDisk, PROBE_INTERVAL_NANOS);
    }

    private Admission admit(Hello peer) {
        if (!admitting) {
            return new Admission.Refused(Refusal.BUSY, "node " + options.name() + " is starting or stopping");
        }
        return switch (peer.role()) {
            case NODE -> admitNode(peer.node());
            case AGENT ->
                clients.isFull()
                        ? new Admission.Refused(Refusal.BUSY, "node " + options.name() + " has too many connections")
                        : new Admission.Accepted(clients.accept(peer.node()));
            case CONFIGURATION_STORE, OPERATOR ->
                new Admission.Refused(Refusal.ROLE_NOT_SERVED, "node " + options.name() + " serves nodes and agents");
        };
    }

    private Admission admitNode(NodeName peer) {
        if (!links.accepts(peer)) {
            return new Admission.Refused(
                    Refusal.DUPLICATE, "node " + options.name() + " dials node " + peer + ", not the other way round");
        }
        return new Admission.Accepted(links.inbound(peer));
    }

    private final class DiskListener implements DiskOpening.Listener {
        @Override
        public void accept(VolumeId volume, Event event) {
            if (event instanceof Event.ReadFailed(long ticket, String reason)) {
                metrics.readFailed();
                LOG.error("read {} of volume {} failed: {}", ticket, volume, reason);
            }
            replicas.storeEvent(volume, event);
        }

        @Override
        public void verified(VolumeId volume, long id, VerifyOutcome outcome) {
            verifyResults.put(volume, id, outcome);
        }

        @Override
        public void damaged(VolumeId volume, String damage) {
            LOG.error("damage in the replica of volume {} here: {}", volume, damage);
        }

        @Override
        public void faulted(String reason) {
            metrics.diskError();
            LOG.error("the disk failed and serves no more, its volumes go on elsewhere: {}", reason);
            NodeReport told = report;
            if (told != null) {
                told.diskFaulted(reason);
            }
        }

        @Override
        public void batchDurable(long nanos) {
            metrics.io().batchDurable(nanos / (double) TimeUnit.SECONDS.toNanos(1));
        }
    }

    // ---- facts and end
    public int dataPort() {
        return dataServer.address().getPort();
    }

    public int controlPort() {
        return control.port();
    }

    public int metricsPort() {
        return metricsServer.port();
    }

    NodeReport report() {
        return report;
    }

    /** Hands volumes over, lets what is in flight end, and closes the disk in good order. Blocks for some seconds at most. */
    @Override
    public void close() {
        LOG.info("stopping: {} replicas", replicas.all().size());
        stopping.await(replicas.all().stream().map(HostedReplica::volume).toList());
        for (HostedReplica hosted : replicas.all()) {
            hosted.shard().run(() -> hosted.offer(new Event.ShutdownRequested()));
        }
        try {
            int late = stopping.waitAtMost(TimeUnit.SECONDS.toNanos(STOP_WAIT_SECONDS));
            if (late > 0) {
                LOG.warn("{} replicas were not ready to stop in time; their peers take over", late);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        admitting = false;
        readiness.notReady("stopping");
        dataServer.close();
        clients.closeAll("node " + options.name() + " stops");
        links.run(() -> links.close("node " + options.name() + " stops"));
        timer.shutdownNow();
        control.close();
        metricsServer.close();
        configurations.close();
        disk.close();
        awaitClosedConnections();
        wire.loops().close();
        closeToo.reversed().forEach(Runnable::run);
        LOG.info("stopped");
    }

    /** Good-byes take a moment to be written. */
    private void awaitClosedConnections() {
        long deadline = System.nanoTime() + GOOD_BYE_NANOS;
        while (wire.counters().connectionsOpen() > 0 && System.nanoTime() < deadline) {
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** Runs at the end of this node. */
    void closeWithIt(Runnable step) {
        closeToo.add(step);
    }

    /** The certificate files were replaced: they are used for connections from now on. */
    void reloadCertificates() throws IOException, InterruptedException {
        wire.tls().reload();
        control.reload();
    }

    ReplicaRegistry replicas() {
        return replicas;
    }

    /** Entry point of the process. */
    public static void main(String... arguments) {
        boolean kubernetes = List.of(arguments).contains(KubernetesOptions.SWITCH);
        new Program("gabion-node", kubernetes ? KubernetesOptions.USAGE : NodeOptions.USAGE, "logback.xml")
                .run(
                        arguments,
                        words -> Optional.of(
                                kubernetes
                                        ? KubernetesStart.run(KubernetesOptions.parse(words))
                                        : start(NodeOptions.parse(words))));
    }
}
