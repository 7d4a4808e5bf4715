package io.gabion.simulator.client;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.message.RequestId;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import io.gabion.simulator.client.ClientOperation.Kind;
import io.gabion.simulator.cluster.World;
import io.gabion.simulator.disk.PayloadLedger;
import io.gabion.simulator.disk.StampPayload;
import io.gabion.simulator.network.Connection;
import io.gabion.simulator.network.Messages;
import io.gabion.simulator.network.Network;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One agent process, in the shortest form that follows the protocol: opens at one node after the other, sends what is
 * outstanding again after every re-open, holds reads that overlap what it sent again.
 */
public final class SimulatedClient {
    private static final long RETRY_NANOS = 100_000_000;
    private static final long CHECK_NANOS = 500_000_000;
    private static final long UNRESPONSIVE_NANOS = 3_000_000_000L;
    private static final long OPEN_TIMEOUT_NANOS = 6_000_000_000L;

    private final String name;
    private final VolumeId volume;
    private final long generation;
    private final UUID instance;
    private final long firstNumber;
    private final List<NodeName> nodes;
    private final World world;
    private final Listener listener;
    private final PayloadLedger ledger = new PayloadLedger();
    private final TreeMap<Long, ClientOperation> outstanding = new TreeMap<>();
    private @Nullable Link link;
    private @Nullable SessionId session;
    private long knownConnection;
    private long knownEpoch;
    private long issued;
    private int nextNode;
    private boolean stopped;
    private long unresponsiveSinceNanos = -1;
    private int maxOutstanding = 1;
    private int opens;

    /** What the workload and the checkers hear. */
    public interface Listener {
        /** Unique over all clients, from 1. */
        long nextSerial();

        void invoked(SimulatedClient client, ClientOperation operation);

        /** @param stamps what a read returned, empty otherwise */
        void returned(SimulatedClient client, ClientOperation operation, IoStatus status, long[] stamps);

        void opened(SimulatedClient client);

        /** Another session took over; this client never does anything again. */
        void fenced(SimulatedClient client);

        boolean isReachable(String client, String node);
    }

    /** @param index of this instance among all, from 1: upper part of its request numbers */
    public SimulatedClient(
            String name,
            VolumeId volume,
            long generation,
            int index,
            List<NodeName> nodes,
            World world,
            Listener listener) {
        this.name = name;
        this.volume = volume;
        this.generation = generation;
        this.instance = world.dice().uuid();
        this.firstNumber = ((long) index << 32) + 1;
        this.nodes = List.copyOf(nodes);
        this.world = world;
        this.listener = listener;
        nextNode = world.dice().below(nodes.size());
    }

    public String name() {
        return name;
    }

    public int outstandingCount() {
        return outstanding.size();
    }

    public List<ClientOperation> outstanding() {
        return List.copyOf(outstanding.values());
    }

    public boolean isOpen() {
        return session != null;
    }

    public boolean isStopped() {
        return stopped;
    }

    public int opens() {
        return opens;
    }

    /** Requests that may be under way, as the primary said. */
    public int maxOutstanding() {
        return maxOutstanding;
    }

    public long livePayloads() {
        return ledger.live();
    }

    public void start() {
        world.trace().line(name, "=== client starts, generation " + generation);
        connect();
        check();
    }

    /** The process ends without a word. */
    public void stop() {
        if (!stopped) {
            world.trace().line(name, "=== client ends");
            stopped = true;
            dropLink();
        }
    }

    // ---- requests
    public void issue(Kind kind, ByteRange range) {
        long number = firstNumber + issued++;
        ClientOperation operation = new ClientOperation(
                new RequestId(generation, number),
                kind,
                range,
                listener.nextSerial(),
                world.scheduler().nowNanos());
        outstanding.put(number, operation);
        listener.invoked(this, operation);
        sendWhatMayGo(false);
    }

    private void sendWhatMayGo(boolean afterOpen) {
        if (session == null) {
            return;
        }
        for (ClientOperation operation : List.copyOf(outstanding.values())) {
            if (!operation.isSent() && !isHeld(operation)) {
                operation.markSent(afterOpen && operation.changes());
                send(operation);
            }
        }
    }

    /** Reads wait for changes of the same blocks that were sent again, and for those that must go before them. */
    private boolean isHeld(ClientOperation operation) {
        if (operation.kind() != Kind.READ && operation.kind() != Kind.BLOCK_STATUS) {
            return false;
        }
        return outstanding.values().stream()
                .anyMatch(other ->
                        other.changes() && other.wasResent() && other.range().overlaps(operation.range()));
    }

    private void send(ClientOperation operation) {
        SessionId current = Objects.requireNonNull(session);
        RequestId request = operation.request();
        ByteRange range = operation.range();
        long lowest = outstanding.firstKey();
        ClientMessage message =
                switch (operation.kind()) {
                    case WRITE ->
                        new ClientMessage.Write(
                                volume, current, request, lowest, range, new StampPayload(operation.stamps(), ledger));
                    case READ -> new ClientMessage.Read(volume, current, request, lowest, range);
                    case TRIM -> new ClientMessage.Trim(volume, current, request, lowest, range);
                    case FLUSH -> new ClientMessage.Flush(volume, current, request, lowest);
                    case BLOCK_STATUS -> new ClientMessage.BlockStatus(volume, current, request, lowest, range);
                };
        transmit(message);
    }

    private void transmit(ClientMessage message) {
        Link current = link;
        ClientMessage detached = Messages.detach(message);
        if (current != null && current.connection != null) {
            world.trace().line(name, "-> " + current.node + " " + Messages.describe(detached));
            current.connection.send(current, detached);
        }
    }

    // ---- connection
    private final class Link implements Connection.End, Network.Attempt {
        private final String node;
        private final long madeAtNanos = world.scheduler().nowNanos();
        private @Nullable Connection connection;

        Link(String node) {
            this.node = node;
        }

        @Override
        public void connected(Connection made) {
            connection = made;
            if (link != this) {
                made.close(this);
                return;
            }
            transmit(new ClientMessage.Open(volume, generation, instance, knownConnection, knownEpoch));
        }

        @Override
        public void refused() {
            lost();
        }

        @Override
        public void timedOut() {
            lost();
        }

        @Override
        public void received(Object message) {
            if (link == this) {
                answered((ClientMessage) message);
            }
        }

        @Override
        public void lost() {
            if (link == this) {
                reconnect("link lost");
            }
        }
    }

    private void connect() {
        if (stopped || link != null) {
            return;
        }
        Link next = new Link(nodes.get(nextNode).value());
        nextNode = (nextNode + 1) % nodes.size();
        link = next;
        world.network().connect(name, next.node, next, next);
    }

    private void reconnect(String why) {
        world.trace().line(name, "leaves its node: " + why);
        dropLink();
        world.scheduler().after(world.dice().around(RETRY_NANOS), this::connect);
    }

    private void dropLink() {
        Link old = link;
        link = null;
        session = null;
        outstanding.values().forEach(ClientOperation::unsend);
        if (old != null && old.connection != null) {
            old.connection.close(old);
        }
    }

    /** Stands for the pings of a real connection. */
    private void check() {
        if (stopped) {
            return;
        }
        long now = world.scheduler().nowNanos();
        Link current = link;
        Connection made = current == null ? null : current.connection;
        if (current != null && made != null) {
            if (listener.isReachable(name, current.node)) {
                unresponsiveSinceNanos = -1;
            } else if (unresponsiveSinceNanos < 0) {
                unresponsiveSinceNanos = now;
            }
            boolean unresponsive = unresponsiveSinceNanos >= 0 && now - unresponsiveSinceNanos > UNRESPONSIVE_NANOS;
            boolean notOpened = session == null && now - current.madeAtNanos > OPEN_TIMEOUT_NANOS;
            if (unresponsive || notOpened) {
                unresponsiveSinceNanos = -1;
                // A request that stays unanswered on a sound connection is no reason: it would hide that it was
                // forgotten.
                reconnect(unresponsive ? "unresponsive" : "open is not answered");
            } else if (isWaitingLong(now)) {
                made.ping(current);
            }
        }
        world.scheduler().after(CHECK_NANOS, this::check);
    }

    private boolean isWaitingLong(long now) {
        return !outstanding.isEmpty()
                && now - outstanding.firstEntry().getValue().invokedAtNanos() > UNRESPONSIVE_NANOS;
    }

    // ---- answers
    private void answered(ClientMessage wire) {
        ClientMessage message = Messages.adopt(wire, ledger);
        switch (message) {
            case ClientMessage.Opened opened -> {
                session = opened.session();
                knownConnection = opened.session().connection();
                if (opened.epoch() < knownEpoch) {
                    world.trace().violation(name, "opened in epoch " + opened.epoch() + " after " + knownEpoch);
                }
                knownEpoch = opened.epoch();
                maxOutstanding = opened.maxOutstandingRequests();
                opens++;
                listener.opened(this);
                sendWhatMayGo(true);
            }
            case ClientMessage.NotPrimary not -> {
                knownEpoch = Math.max(knownEpoch, not.epoch());
                not.hint().map(nodes::indexOf).filter(i -> i >= 0).ifPresent(hint -> nextNode = hint);
                reconnect("not primary: " + not.reason());
            }
            case ClientMessage.SessionFenced fenced -> {
                if (fenced.highest().instance().equals(instance)) {
                    knownConnection = Math.max(knownConnection, fenced.highest().connection());
                    reconnect("own later session is open");
                } else {
                    stop();
                    listener.fenced(this);
                }
            }
            case ClientMessage.NotAttached not -> reconnect("not attached: " + not.reason());
            case ClientMessage.UnknownVolume _ -> reconnect("unknown volume");
            case ClientMessage.Done done -> finish(done.request(), done.epoch(), done.status(), new long[0]);
            case ClientMessage.ReadDone done -> {
                long[] stamps = StampPayload.stampsOf(done.payload()).clone();
                done.payload().release();
                finish(done.request(), done.epoch(), IoStatus.OK, stamps);
            }
            case ClientMessage.BlockStatusDone done -> finish(done.request(), done.epoch(), IoStatus.OK, new long[0]);
            case ClientMessage.Request request -> throw new IllegalArgumentException("a node asks: " + request);
        }
    }

    private void finish(RequestId request, long epoch, IoStatus status, long[] stamps) {
        ClientOperation operation = outstanding.get(request.number());
        if (operation == null || !operation.isSent()) {
            world.trace().violation(name, "answer to a request that is not under way: " + request);
            return;
        }
        if (epoch < knownEpoch) {
            world.trace().violation(name, "answer of epoch " + epoch + " after epoch " + knownEpoch);
        }
        knownEpoch = Math.max(knownEpoch, epoch);
        outstanding.remove(request.number());
        listener.returned(this, operation, status, stamps);
        sendWhatMayGo(false);
    }

    /** For reports about requests that never came back. */
    public List<String> stuck() {
        List<String> stuck = new ArrayList<>();
        outstanding.values().forEach(operation -> stuck.add(operation + (operation.isSent() ? " (sent)" : "")));
        return stuck;
    }
}
