package io.gabion.simulator;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.port.Notice;
import io.gabion.core.port.SnapshotOutcome;
import io.gabion.core.volume.ReplicaSettings;
import io.gabion.model.Attachment;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.RecoveryPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeOrigin;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import io.gabion.simulator.checker.AcknowledgementCheck;
import io.gabion.simulator.checker.Convergence;
import io.gabion.simulator.checker.Histories;
import io.gabion.simulator.checker.SnapshotCheck;
import io.gabion.simulator.client.ClientOperation;
import io.gabion.simulator.client.ClientOperation.Kind;
import io.gabion.simulator.client.SimulatedClient;
import io.gabion.simulator.client.SnapshotOperator;
import io.gabion.simulator.client.Workload;
import io.gabion.simulator.cluster.Observer;
import io.gabion.simulator.cluster.StorageHost;
import io.gabion.simulator.cluster.World;
import io.gabion.simulator.configuration.ConfigurationService;
import io.gabion.simulator.disk.ReplicaDisk;
import io.gabion.simulator.network.Network;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One volume on simulated nodes with real replication code, in virtual time, on one thread. The same seed and swarm give the
 * same run, to the last event. Use: {@link #start}, then any mixture of {@link #run} and faults, then {@link #settle}.
 */
public final class Simulation {
    public static final long MILLISECOND = 1_000_000L;
    public static final long SECOND = 1000 * MILLISECOND;

    /** After the last fault everything must be well again within this time. */
    private static final long SETTLE_NANOS = 600 * SECOND;
    /** Slow enough for reads to be under way whenever the epoch changes. */
    private static final int SLOW_DISK = 16;

    private static final long LOADED_NANOS = 60 * SECOND;

    private final Swarm swarm;
    /** Half of the seeds go on loading the volume while its replicas come back. */
    private final boolean loadedWhileHealing;

    private final Dice dice;
    private final Scheduler scheduler = new Scheduler();
    private final Trace trace;
    private final ConfigurationService configuration;
    private final Network network;
    private final World world;
    private final VolumeId volume;
    private final List<NodeName> names = new ArrayList<>();
    private final List<StorageHost> hosts = new ArrayList<>();
    private final List<SimulatedClient> clients = new ArrayList<>();
    private final Histories histories;
    private final AcknowledgementCheck acknowledgements;
    private final SnapshotOperator snapshots;
    private final SnapshotCheck snapshotCheck;
    private final Dice snapshotDice;
    private final List<Long> hotBlocks;
    private final TreeMap<Long, Long> digests = new TreeMap<>();
    private @Nullable Workload workload;
    private int newestOpened = -1;
    private long newestOpenedAtNanos;
    private SessionId highestOpened = SessionId.NONE;
    private long highestOpenedEpoch;
    private long serial;
    private long completed;
    private long resyncedBytes;
    private int faults;
    private String clientMachine = "c1";
    private long generation = 1;

    /** @param print where the trace goes, null for nowhere */
    public Simulation(long seed, Swarm swarm, @Nullable PrintStream print) {
        this(seed, swarm, print, Optional.empty(), List.of());
    }

    /** A cluster of its own in which {@code source} rests on the disks; the load goes to the same blocks as that of {@code parent}. */
    public static Simulation ofClone(long seed, Swarm swarm, Simulation parent, CloneSource source) {
        return new Simulation(seed, swarm, null, Optional.of(source), parent.hotBlocks);
    }

    private Simulation(
            long seed, Swarm swarm, @Nullable PrintStream print, Optional<CloneSource> source, List<Long> inherited) {
        this.swarm = swarm;
        loadedWhileHealing = (seed & 1) == 1;
        dice = new Dice(seed);
        trace = new Trace(scheduler, print);
        volume = new VolumeId(dice.uuid());
        VolumeRecord record = firstRecord(source);
        configuration = new ConfigurationService(scheduler, dice.split(), trace, record);
        network = new Network(scheduler, dice.split(), swarm.delayNanos());
        world = new World(
                scheduler, dice.split(), trace, network, configuration, ReplicaSettings.standard(), new Watcher());
        for (NodeName name : names) {
            List<NodeName> peers = names.stream().filter(n -> !n.equals(name)).toList();
            StorageHost host = new StorageHost(
                    name, world, peers, new ReplicaDisk.Settings(swarm.syncNanos(), swarm.maxChanges()));
            hosts.add(host);
            source.map(from -> from.replicas().get(name.value()))
                    .ifPresent(image -> host.disk().keepBeside(image));
        }
        histories = new Histories(trace);
        acknowledgements = new AcknowledgementCheck(trace, configuration, hosts, histories);
        List<Long> drawn = Workload.drawHotBlocks(dice.split(), swarm);
        hotBlocks = source.isPresent() ? inherited : drawn;
        source.ifPresent(from -> histories.begin(touchedBlocks(), from.content()::stamp));
        snapshotCheck = new SnapshotCheck(trace, scheduler, configuration, hosts, histories, touchedBlocks());
        snapshots = new SnapshotOperator(
                scheduler, trace, configuration, event -> primary().request(event), snapshotCheck);
        // Not drawn from the dice of everything else: a run without snapshots stays what it was.
        snapshotDice = new Dice(Long.reverse(seed));
    }

    private VolumeRecord firstRecord(Optional<CloneSource> source) {
        List<ReplicaPlacement> placement = new ArrayList<>();
        List<InSyncMember> members = new ArrayList<>();
        for (int i = 1; i <= swarm.nodes(); i++) {
            NodeName name = new NodeName("n" + i);
            ReplicaId replica = new ReplicaId(dice.uuid());
            names.add(name);
            placement.add(new ReplicaPlacement(replica, name));
            if (source.map(from -> from.founders().contains(name.value())).orElse(true)) {
                members.add(new InSyncMember(replica, 0));
            }
        }
        for (int i = 1; i <= swarm.spares(); i++) {
            names.add(new NodeName("n" + (swarm.nodes() + i)));
        }
        long sizeBytes = swarm.volumeBlocks() * BlockGeometry.BLOCK_BYTES;
        VolumeSpec spec = new VolumeSpec(
                "simulated",
                sizeBytes,
                swarm.nodes(),
                swarm.minInSync(),
                "pool",
                PoolFullPolicy.STALL,
                RecoveryPolicy.ANY);
        Optional<VolumeOrigin> origin = source.map(CloneSource::origin);
        VolumeConfig config = new VolumeConfig(
                1,
                origin.map(from -> from.at().epoch() + 1).orElse(1L),
                members.getFirst().replica(),
                members,
                0,
                sizeBytes,
                0,
                List.of(new Attachment(new NodeName(clientMachine), generation, false)),
                0,
                "creator/1");
        return new VolumeRecord(volume, spec, placement, List.of(), false, config, origin);
    }

    // ---- course of a run
    /** Starts all nodes and the first client with its workload. */
    public void start() {
        hosts.forEach(StorageHost::start);
        startClient();
        if (swarm.snapshots()) {
            snapshots.startRandomly(snapshotDice);
        }
    }

    /** Faults meet snapshots and deletions at every step of theirs more often than chance would have it. */
    void changeSnapshotsBeforeAFault() {
        if (swarm.snapshots() && snapshotDice.chance(0.5)) {
            snapshots.changeSomething(snapshotDice);
            run(snapshotDice.between(0, 4 * (swarm.syncNanos() + swarm.delayNanos())));
        }
    }

    private List<Long> touchedBlocks() {
        TreeSet<Long> touched = new TreeSet<>();
        for (long first : hotBlocks) {
            for (int i = 0; i < swarm.maxBlocks(); i++) {
                touched.add(first + i);
            }
        }
        return List.copyOf(touched);
    }

    /** Lets virtual time pass. */
    public void run(long nanos) {
        scheduler.runUntil(scheduler.nowNanos() + nanos);
    }

    /** Draws faults for the swarm's duration. */
    public void runFaults() {
        FaultInjector injector = new FaultInjector(this, dice.split());
        injector.run();
        faults += injector.injected();
    }

    /** Ends all faults and the workload, waits until everything is in sync, and checks what must hold then. */
    public void settle() {
        heal();
        Convergence convergence = new Convergence(trace, configuration, hosts, clients);
        if (loadedWhileHealing) {
            runUntilInSync(convergence);
        }
        stopLoad();
        snapshots.stop();
        if (client().isStopped()) {
            startIdleClient();
        }
        long deadline = scheduler.nowNanos() + SETTLE_NANOS;
        while (scheduler.nowNanos() < deadline
                && (!convergence.reached() || snapshots.pending() > 0)
                && !trace.failed()) {
            run(SECOND);
        }
        trace.line("check", "settled: " + convergence.reached());
        if (!trace.failed()) {
            readEverything();
            run(10 * SECOND);
        }
        if (!trace.failed()) {
            convergence.check();
        }
        if (!trace.failed()) {
            if (snapshots.pending() > 0) {
                trace.violation("check", snapshots.pending() + " calls for snapshots have no answer");
            }
            snapshotCheck.check(snapshots);
        }
        histories.check();
    }

    /** No further requests; those under way go on. */
    public void stopLoad() {
        Workload current = workload;
        if (current != null) {
            current.stop();
        }
    }

    /** What the last change of the epoch overtook must not need later requests to be answered. */
    private void runUntilInSync(Convergence convergence) {
        hosts.forEach(host -> host.disk().slowDown(SLOW_DISK));
        long deadline = scheduler.nowNanos() + LOADED_NANOS;
        while (scheduler.nowNanos() < deadline && !convergence.allInSync() && !trace.failed()) {
            run(20 * MILLISECOND);
        }
        hosts.forEach(host -> host.disk().slowDown(1));
    }

    private void readEverything() {
        for (long first : hotBlocks) {
            for (int i = 0; i < swarm.maxBlocks(); i++) {
                client().issue(Kind.READ, ByteRange.ofBlocks(first + i, 1));
            }
            long deadline = scheduler.nowNanos() + SECOND;
            do {
                run(5 * MILLISECOND);
            } while (client().outstandingCount() > 0 && scheduler.nowNanos() < deadline);
            if (client().outstandingCount() > client().maxOutstanding() / 2) {
                // Something hangs, and the checks will say so.
                return;
            }
        }
    }

    /** All faults end; whatever is down starts. */
    public void heal() {
        trace.line("check", "=== all faults end");
        network.mendAll();
        configuration.heal();
        for (StorageHost host : hosts) {
            host.disk().slowDown(1);
            host.disk().resume();
            host.resume();
            if (host.disk().isFaulted()) {
                host.kill();
            }
            host.start();
        }
    }

    // ---- clients
    private void startIdleClient() {
        int index = clients.size();
        // Nobody can tell which of two instances that never had a session is the newer one: there is only one at a
        // time.
        clients.stream().filter(earlier -> earlier.opens() == 0).forEach(SimulatedClient::stop);
        SimulatedClient client = new SimulatedClient(
                clientMachine + "." + (index + 1),
                volume,
                generation,
                index + 1,
                names,
                world,
                new ClientListener(index));
        clients.add(client);
        client.start();
    }

    /** A further client of the present generation and machine, with the workload; the one before it is not told. */
    public void startClient() {
        Workload before = workload;
        if (before != null) {
            before.stop();
        }
        startIdleClient();
        Workload next = new Workload(scheduler, dice.split(), swarm, client(), hotBlocks);
        workload = next;
        next.start();
    }

    /** Attaches the volume to another machine under the next generation and starts a client there. */
    public void moveClient(boolean force) {
        generation++;
        clientMachine = "c" + generation;
        Attachment next = new Attachment(new NodeName(clientMachine), generation, false);
        configuration.administer(record -> {
            List<Attachment> attachments =
                    new ArrayList<>(force ? List.of() : record.config().attachments());
            attachments.add(next);
            long floor = force ? generation : record.config().sessionFloor();
            return record.withConfig(record.config().withAttachments(attachments, floor, "operator/" + generation));
        });
        startClient();
    }

    private final class ClientListener implements SimulatedClient.Listener {
        private final int index;

        ClientListener(int index) {
            this.index = index;
        }

        @Override
        public long nextSerial() {
            return ++serial;
        }

        @Override
        public void invoked(SimulatedClient client, ClientOperation operation) {
            if (index >= newestOpened || operation.kind() == Kind.READ) {
                histories.invoked(operation, scheduler.nowNanos());
            }
        }

        @Override
        public void returned(SimulatedClient client, ClientOperation operation, IoStatus status, long[] stamps) {
            trace.line(client.name(), "<- " + operation + " " + status + text(stamps));
            if (index >= newestOpened) {
                completed++;
                histories.returned(client.name(), operation, status, stamps, scheduler.nowNanos());
            } else {
                returnedLate(client, operation, status, stamps);
            }
        }

        /** A later client is open: nothing new of this one may succeed, and what it reads must still be true. */
        private void returnedLate(SimulatedClient client, ClientOperation operation, IoStatus status, long[] stamps) {
            if (operation.changes() && status == IoStatus.OK && operation.invokedAtNanos() > newestOpenedAtNanos) {
                trace.violation(client.name(), operation + " was acknowledged after a later client was open");
            }
            // Without the configuration store a sole session may read on: nobody can tell that another one exists.
            boolean alone = configuration.lastUnavailableNanos() >= operation.invokedAtNanos();
            if (operation.kind() == Kind.READ && status == IoStatus.OK && !alone) {
                histories.returned(client.name(), operation, status, stamps, scheduler.nowNanos());
            }
        }

        @Override
        public void opened(SimulatedClient client) {
            trace.line(client.name(), "<- opened");
            if (index > newestOpened) {
                newestOpened = index;
                newestOpenedAtNanos = scheduler.nowNanos();
            }
            for (SimulatedClient earlier : clients.subList(0, index)) {
                histories.abandon(
                        earlier.outstanding().stream()
                                .filter(ClientOperation::changes)
                                .toList(),
                        scheduler.nowNanos());
            }
        }

        @Override
        public void fenced(SimulatedClient client) {
            trace.line(client.name(), "<- fenced");
            if (index == clients.size() - 1) {
                trace.violation(client.name(), "was fenced although no later client exists");
            }
        }

        @Override
        public boolean isReachable(String client, String node) {
            return hosts.stream().anyMatch(h -> h.name().value().equals(node) && h.isResponsive())
                    && !network.isCut(client, node)
                    && !network.isCut(node, client);
        }
    }

    private static String text(long[] stamps) {
        return stamps.length == 0 ? "" : " " + Long.toHexString(stamps[0]);
    }

    // ---- what is looked at
    private final class Watcher implements Observer {
        @Override
        public void answered(String node, ClientMessage.Response response) {
            acknowledgements.answered(node, response);
            if (response instanceof ClientMessage.Opened opened) {
                opened(node, opened);
            }
        }

        /** A primary that was paused may still say what its own, earlier epoch had committed. */
        private void opened(String node, ClientMessage.Opened opened) {
            if (opened.epoch() >= highestOpenedEpoch) {
                if (opened.session().isLowerThan(highestOpened)) {
                    trace.violation(node, "opens " + opened.session() + " after " + highestOpened);
                }
                highestOpened = opened.session();
                highestOpenedEpoch = opened.epoch();
            }
        }

        @Override
        public void noticed(String node, Notice notice) {
            if (notice instanceof Notice.ResyncFinished finished) {
                resyncedBytes += finished.bytesCopied();
            }
            if (notice instanceof Notice.Activated activated && !configuration.knowsEpoch(activated.epoch())) {
                trace.violation(node, "activates epoch " + activated.epoch() + ", which was never agreed");
            }
        }

        @Override
        public void snapshotAnswered(String node, long call, SnapshotOutcome outcome) {
            snapshots.answered(node, call, outcome);
        }

        @Override
        public void digested(String node, long id, long digest) {
            boolean inSync = configuration
                    .current()
                    .replicaOn(new NodeName(node))
                    .flatMap(replica -> configuration.current().config().member(replica))
                    .isPresent();
            if (inSync) {
                Long other = digests.putIfAbsent(id, digest);
                if (other != null && other != digest) {
                    trace.violation(node, "differs at verification point " + id);
                }
            }
        }
    }

    public Swarm swarm() {
        return swarm;
    }

    public Scheduler scheduler() {
        return scheduler;
    }

    public Trace trace() {
        return trace;
    }

    public Network network() {
        return network;
    }

    public ConfigurationService configuration() {
        return configuration;
    }

    public List<StorageHost> hosts() {
        return List.copyOf(hosts);
    }

    /** The newest client. */
    public SimulatedClient client() {
        return clients.getLast();
    }

    public List<SimulatedClient> clients() {
        return List.copyOf(clients);
    }

    /** The node that the configuration names as primary. */
    public StorageHost primary() {
        NodeName name = configuration.current().primaryNode().orElseThrow();
        return hosts.stream().filter(h -> h.name().equals(name)).findFirst().orElseThrow();
    }

    /** Any node but the primary. */
    public StorageHost secondary() {
        StorageHost primary = primary();
        return hosts.stream().filter(h -> h != primary).findFirst().orElseThrow();
    }

    /** Blocks that the workload touches (first block of each place). */
    public List<Long> hotBlocks() {
        return List.copyOf(hotBlocks);
    }

    public SnapshotOperator snapshots() {
        return snapshots;
    }

    /** Bytes that replicas received to become equal, once they were. */
    public long resyncedBytes() {
        return resyncedBytes;
    }

    /** Requests that were answered. */
    public long completed() {
        return completed;
    }

    public int faults() {
        return faults;
    }

    /** Everything that is wrong so far. */
    public List<String> violations() {
        return trace.violations();
    }
}
