package io.gabion.simulator.cluster;

import io.gabion.core.membership.PeerMonitor;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.volume.ReplicaView;
import io.gabion.core.volume.VolumeReplica;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.simulator.disk.PayloadLedger;
import io.gabion.simulator.network.Connection;
import io.gabion.simulator.network.Messages;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One run of the node's process: carries the events to the replica and its effects to the simulated world. Paused, it hears
 * everything late; dead, nothing any more. A throw of the core is a violation and ends the process.
 */
final class NodeProcess {
    private static final long MIN_TICK_NANOS = 1_000;
    /** Bytes that are free on every simulated disk: space is not what is tried here. */
    private static final long FREE_BYTES = 1L << 40;

    private final StorageHost host;
    private final World world;
    private final PayloadLedger ledger = new PayloadLedger();
    private final PeerMonitor monitor;
    private final Map<NodeName, PeerLink> peers = new LinkedHashMap<>();
    private final TreeMap<Long, ClientLink> clients = new TreeMap<>();
    private final TreeMap<Long, ReplicaRecord> promises = new TreeMap<>();
    private final ArrayDeque<Runnable> backlog = new ArrayDeque<>();
    private @Nullable VolumeReplica replica;
    private boolean alive = true;
    private boolean paused;
    private boolean stopping;
    private long nextLink = 1;
    private long tickAtNanos = Long.MAX_VALUE;

    NodeProcess(StorageHost host, World world, List<NodeName> peerNames) {
        this.host = host;
        this.world = world;
        monitor = new PeerMonitor(host.name(), host.bootId(), world.settings(), new MonitorListener());
        LinkListener listener = new LinkListener();
        for (NodeName peer : peerNames) {
            peers.put(
                    peer,
                    new PeerLink(
                            host.name(), peer, world.scheduler(), world.dice().split(), world.network(), listener));
        }
    }

    private String place() {
        return host.name().value();
    }

    // ---- life
    void start(boolean unclean) {
        world.network().listen(place(), this::accept);
        host.disk()
                .open(unclean, ledger, event -> whenRunning(() -> stored(event)), (id, digest) -> {
                    if (alive) {
                        world.observer().digested(place(), id, digest);
                    }
                })
                .ifPresent(recovered -> {
                    trace("recovered " + recovered.record().status() + " incarnation "
                            + recovered.record().incarnation() + " promised "
                            + recovered.record().promisedEpoch() + " last " + recovered.lastLsn() + " committed "
                            + recovered.committed() + " tail "
                            + recovered.tail().size()
                            + (recovered.unclean() ? " unclean" : "") + (recovered.intact() ? "" : " damaged"));
                    VolumeReplica created = newReplica(recovered.record().volume());
                    replica = created;
                    monitor.promised(
                            recovered.record().volume(), recovered.record().promisedEpoch());
                    step(new Event.Started(recovered));
                    step(new Event.SpaceAvailable(FREE_BYTES));
                });
        peers.values().forEach(PeerLink::start);
        world.configuration().watch(place(), record -> whenRunning(() -> hinted(record)));
        // Whatever the watch says: now and then somebody looks.
        scheduleTick();
    }

    private VolumeReplica newReplica(VolumeId volume) {
        return new VolumeReplica(
                volume, host.name(), world.settings(), monitor, world.dice().nextLong());
    }

    private void hinted(VolumeRecord record) {
        if (replica == null) {
            if (host.disk().record().isEmpty() && placedHere(record).isPresent()) {
                createFrom();
            }
            return;
        }
        step(new Event.ConfigHint(record));
    }

    private Optional<ReplicaId> placedHere(VolumeRecord record) {
        return record.placement().stream()
                .filter(placed -> placed.node().equals(host.name()))
                // A lost copy that still counts as in sync has to come back empty and say so, even if it is to go.
                .filter(placed -> !record.removed().contains(placed)
                        || record.config().member(placed.replica()).isPresent())
                .map(ReplicaPlacement::replica)
                .findFirst();
    }

    /** As the node does it: only a quorum read creates a replica. */
    private void createFrom() {
        world.configuration()
                .read(
                        place(),
                        outcome -> whenRunning(() -> {
                            if (replica == null && outcome instanceof Event.ReadOutcome.Found found) {
                                placedHere(found.record()).ifPresent(id -> {
                                    trace("creates its replica");
                                    replica = newReplica(found.record().id());
                                    step(new Event.Create(found.record(), id));
                                    step(new Event.SpaceAvailable(FREE_BYTES));
                                    peers.keySet().stream()
                                            .filter(monitor::isUp)
                                            .forEach(peer -> step(new Event.PeerUp(peer)));
                                });
                            } else if (replica == null) {
                                world.scheduler().after(500_000_000, () -> whenRunning(this::createFrom));
                            }
                        }));
    }

    void end(boolean powerLost) {
        if (!alive) {
            return;
        }
        alive = false;
        backlog.clear();
        world.configuration().unwatch(place());
        world.network().stopListening(place());
        peers.values().forEach(link -> link.end(powerLost));
        List.copyOf(clients.values()).forEach(link -> link.end(powerLost));
        clients.clear();
    }

    boolean isPaused() {
        return paused;
    }

    void pause() {
        paused = true;
    }

    /** What arrived meanwhile comes in its order, behind a timer that fires first. */
    void resume() {
        paused = false;
        tick();
        while (alive && !paused && !backlog.isEmpty()) {
            backlog.removeFirst().run();
        }
    }

    private void whenRunning(Runnable action) {
        if (!alive) {
            return;
        }
        if (paused) {
            backlog.add(action);
        } else {
            action.run();
            scheduleTick();
        }
    }

    /** Leave in good order; the host is told when that is done. */
    void shutDown() {
        whenRunning(() -> {
            stopping = true;
            if (replica == null) {
                host.stopped();
            } else {
                step(new Event.ShutdownRequested());
            }
        });
    }

    void request(Event event) {
        whenRunning(() -> step(event));
    }

    PayloadLedger payloads() {
        return ledger;
    }

    Optional<ReplicaView> view() {
        return Optional.ofNullable(replica).map(VolumeReplica::view);
    }

    // ---- time
    private long localNanos() {
        return world.scheduler().nowNanos() + host.clockOffsetNanos();
    }

    private void scheduleTick() {
        long wantedLocal = monitor.nextDeadlineNanos();
        if (replica != null) {
            wantedLocal = Math.min(wantedLocal, replica.nextDeadlineNanos());
        }
        if (!alive || wantedLocal == Long.MAX_VALUE) {
            return;
        }
        long wanted = Math.max(
                wantedLocal - host.clockOffsetNanos(), world.scheduler().nowNanos() + MIN_TICK_NANOS);
        if (wanted < tickAtNanos) {
            tickAtNanos = wanted;
            world.scheduler().at(wanted, () -> {
                if (tickAtNanos == wanted) {
                    tickAtNanos = Long.MAX_VALUE;
                    if (alive && !paused) {
                        tick();
                    }
                }
            });
        }
    }

    private void tick() {
        guarded("tick", () -> monitor.tick(localNanos()));
        VolumeReplica current = replica;
        if (alive && current != null && current.nextDeadlineNanos() <= localNanos()) {
            step(new Event.Tick());
        }
        scheduleTick();
    }

    // ---- the replica
    private void step(Event event) {
        VolumeReplica current = replica;
        if (current == null) {
            // Answers to a replica that is forgotten: what they carry is given back.
            Messages.release(event);
        }
        if (!alive || current == null) {
            return;
        }
        guarded(event.getClass().getSimpleName(), () -> current.step(event, localNanos(), this::execute));
        if (alive) {
            scheduleTick();
        }
    }

    private void guarded(String what, Runnable action) {
        try {
            action.run();
        } catch (RuntimeException thrown) {
            StackTraceElement[] frames = thrown.getStackTrace();
            StringBuilder text = new StringBuilder("the core threw at " + what + ": " + thrown);
            for (int i = 0; i < Math.min(8, frames.length); i++) {
                text.append("\n        at ").append(frames[i]);
            }
            world.trace().violation(place(), text.toString());
            host.kill();
        }
    }

    private void stored(Event event) {
        if (event instanceof Event.Appended appended) {
            var durable = promises.headMap(appended.throughTicket(), true);
            durable.values().forEach(record -> monitor.promised(record.volume(), record.promisedEpoch()));
            durable.clear();
        }
        step(event);
    }

    private void execute(Effect effect) {
        if (!alive) {
            return;
        }
        switch (effect) {
            case Effect.SendPeer send -> {
                PeerMessage detached = Messages.detach(send.message());
                PeerLink link = peers.get(send.node());
                if (link == null) {
                    world.trace().violation(place(), "sends to a node that is not its peer: " + send.node());
                } else {
                    trace("-> " + send.node() + " " + Messages.describe(detached));
                    link.send(detached);
                }
            }
            case Effect.SendClient send -> {
                world.observer().answered(place(), send.message());
                ClientLink link = clients.get(send.link());
                Object detached = Messages.detach(send.message());
                trace("-> " + (link == null ? "closed link" : link.agent) + " " + Messages.describe(detached));
                if (link != null) {
                    link.connection.send(link, detached);
                }
            }
            case Effect.CloseClient close -> {
                trace("closes link " + close.link() + ": " + close.reason());
                ClientLink link = clients.remove(close.link());
                if (link != null) {
                    link.end(false);
                }
            }
            case Effect.ReadConfig read ->
                world.configuration()
                        .read(
                                place(),
                                outcome -> whenRunning(() -> step(new Event.ConfigRead(read.ticket(), outcome))));
            case Effect.SwapConfig swap ->
                world.configuration()
                        .swap(
                                place(),
                                swap.next(),
                                outcome -> whenRunning(() -> {
                                    trace("swap: " + world.configuration().describe(outcome));
                                    step(new Event.ConfigSwapped(swap.ticket(), outcome));
                                }));
            case Effect.StoreEffect store -> {
                if (store instanceof Effect.Append append
                        && append.record() instanceof LogRecord.ReplicaChanged changed) {
                    promises.put(append.ticket(), changed.record());
                }
                host.disk().execute(store);
            }
            case Effect.Notify notify -> {
                trace("* " + notify.notice());
                world.observer().noticed(place(), notify.notice());
            }
            case Effect.SnapshotAnswered answered -> {
                trace(answered.toString());
                world.observer().snapshotAnswered(place(), answered.call(), answered.outcome());
            }
            case Effect.Forget _ -> replica = null;
            case Effect.ReadyToStop _ -> {
                if (stopping) {
                    world.scheduler().after(0, host::stopped);
                }
            }
        }
    }

    private void trace(String text) {
        world.trace().line(place(), text);
    }

    // ---- links
    private final class MonitorListener implements PeerMonitor.Listener {
        @Override
        public void send(NodeName peer, NodeMessage message) {
            PeerLink link = peers.get(peer);
            if (link != null) {
                link.send(message);
            }
        }

        @Override
        public void peerUp(NodeName peer) {
            trace("peer " + peer + " up");
            step(new Event.PeerUp(peer));
        }

        @Override
        public void peerDown(NodeName peer, DownReason reason) {
            trace("peer " + peer + " down: " + reason);
            step(new Event.PeerDown(peer, reason));
            PeerLink link = peers.get(peer);
            if (reason == DownReason.SILENT && link != null) {
                world.scheduler().after(0, () -> whenRunning(link::giveUp));
            }
        }

        @Override
        public void peerPromised(NodeName peer, VolumeId volume, long epoch) {
            step(new Event.PeerPromised(peer, epoch));
        }
    }

    private final class LinkListener implements PeerLink.Listener {
        @Override
        public boolean isAlive() {
            return alive;
        }

        @Override
        public void whenRunning(Runnable action) {
            NodeProcess.this.whenRunning(action);
        }

        @Override
        public void up(NodeName peer) {
            guarded("linkUp", () -> monitor.linkUp(peer, localNanos()));
        }

        @Override
        public void down(NodeName peer, DownReason reason) {
            guarded("linkDown", () -> monitor.linkDown(peer, reason, localNanos()));
        }

        @Override
        public void received(NodeName peer, Object message) {
            switch (message) {
                case NodeMessage heartbeat ->
                    guarded("heartbeat", () -> monitor.received(peer, heartbeat, localNanos()));
                case PeerMessage said -> {
                    if (replica != null) {
                        world.trace().detail(place(), () -> "<- " + peer + " " + Messages.describe(said));
                        step(new Event.FromPeer(peer, Messages.adopt(said, ledger)));
                    }
                }
                default -> throw new IllegalArgumentException("unknown message " + message);
            }
        }
    }

    private Connection.@Nullable End accept(String from, Connection connection) {
        if (!alive || paused) {
            return null;
        }
        for (Map.Entry<NodeName, PeerLink> peer : peers.entrySet()) {
            if (peer.getKey().value().equals(from)) {
                return peer.getValue().accept(connection);
            }
        }
        ClientLink link = new ClientLink(nextLink++, from, connection);
        clients.put(link.number, link);
        return link;
    }

    /** A client's connection, seen from the node. */
    private final class ClientLink implements Connection.End {
        private final long number;
        private final String agent;
        private final Connection connection;

        ClientLink(long number, String from, Connection connection) {
            this.number = number;
            this.agent = from;
            this.connection = connection;
        }

        @Override
        public void received(Object message) {
            whenRunning(() -> {
                if (clients.get(number) != this) {
                    return;
                }
                world.trace().detail(place(), () -> "<- " + agent + " " + Messages.describe(message));
                ClientMessage adopted = Messages.adopt((ClientMessage) message, ledger);
                if (replica == null) {
                    if (adopted instanceof ClientMessage.Write write) {
                        write.payload().release();
                    }
                    connection.send(this, new ClientMessage.UnknownVolume(adopted.volume()));
                } else {
                    // Agents are named after their machine; several instances may run on one.
                    NodeName machine = new NodeName(world.machineOf(agent));
                    step(new Event.FromClient(number, machine, (ClientMessage.Request) adopted));
                }
            });
        }

        @Override
        public void lost() {
            whenRunning(() -> {
                if (clients.remove(number) != null) {
                    step(new Event.ClientGone(number));
                }
            });
        }

        void end(boolean powerLost) {
            if (powerLost) {
                connection.vanish(this);
            } else {
                connection.close(this);
            }
        }
    }
}
