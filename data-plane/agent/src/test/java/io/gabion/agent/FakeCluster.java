package io.gabion.agent;

import io.gabion.agent.nbd.TestAuthority;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.ClientMessage.Extent;
import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.message.ClientMessage.PhaseTimes;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.RequestId;
import io.gabion.model.ByteRange;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import io.gabion.wire.Admission;
import io.gabion.wire.Backend;
import io.gabion.wire.CloseReason;
import io.gabion.wire.Connection;
import io.gabion.wire.ConnectionHandler;
import io.gabion.wire.EventLoops;
import io.gabion.wire.Hello;
import io.gabion.wire.Role;
import io.gabion.wire.TlsEngine;
import io.gabion.wire.TlsIdentity;
import io.gabion.wire.WireOptions;
import io.gabion.wire.WireServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Storage nodes that speak the real wire protocol but share one volume in memory: the primary's role is moved by the test.
 * Everything runs on one event loop.
 */
final class FakeCluster implements AutoCloseable {
    static final int SIZE = 64 * 1024 * 1024;
    private static final int BLOCK = 4096;

    final VolumeId volume = new VolumeId(UUID.randomUUID());
    private final EventLoops loops = EventLoops.start(Backend.Choice.NIO, 1, "fake");
    private final List<FakeNode> nodes = new ArrayList<>();
    private byte[] content = new byte[SIZE];
    private final Set<RequestId> done = new HashSet<>();
    private SessionId highest = SessionId.NONE;
    private long epoch = 1;
    private int primary;
    /** Answers are withheld while true: what is applied then must not be applied twice after a failover. */
    private volatile boolean mute;

    private volatile boolean attached = true;
    final AtomicInteger repetitions = new AtomicInteger();

    FakeCluster(TestAuthority authority, ClusterId cluster, int size) throws IOException, InterruptedException {
        for (int i = 0; i < size; i++) {
            String name = "node-" + (i + 1);
            authority.issue(name, "spiffe://" + cluster + "/node/" + name);
            nodes.add(new FakeNode(i, new NodeName(name), authority, cluster));
        }
    }

    List<InetSocketAddress> addresses() {
        return nodes.stream().map(node -> node.server.address()).toList();
    }

    void grantAttachment(boolean granted) {
        attached = granted;
    }

    /** The volume is so large now; its sessions are not told. */
    void grow(int newSize) {
        onLoop(() -> content = Arrays.copyOf(content, newSize));
    }

    /** From now on the primary applies requests, but its answers get lost. */
    void loseAnswers() {
        mute = true;
    }

    /** Cuts all connections; the next node is primary in a new epoch. */
    void failOver() {
        onLoop(() -> {
            epoch++;
            primary = (primary + 1) % nodes.size();
            for (FakeNode node : nodes) {
                node.cutConnections();
            }
            mute = false;
        });
    }

    /** The next node is primary in a new epoch, but no connection tells: the old primary was stopped, not killed. */
    void failOverSilently() {
        onLoop(() -> {
            epoch++;
            primary = (primary + 1) % nodes.size();
            mute = false;
        });
    }

    /** As if another agent had opened the volume. */
    void fence() {
        onLoop(() -> highest = new SessionId(highest.generation(), highest.connection() + 1, UUID.randomUUID()));
    }

    private void onLoop(Runnable task) {
        java.util.concurrent.CompletableFuture.runAsync(task, loops.loop(0)).join();
    }

    @Override
    public void close() {
        for (FakeNode node : nodes) {
            node.server.close();
        }
        loops.close();
    }

    /** One node. */
    private final class FakeNode implements ConnectionHandler {
        private final int index;
        private final NodeName name;
        private final WireServer server;
        private final Set<Connection> connections = new HashSet<>();

        FakeNode(int index, NodeName name, TestAuthority authority, ClusterId cluster) throws IOException {
            this.index = index;
            this.name = name;
            TlsIdentity tls = TlsIdentity.load(
                    authority.authorities(),
                    authority.certificate(name.value()),
                    authority.key(name.value()),
                    TlsEngine.Choice.AUTO);
            Hello self = Hello.of(Role.NODE, cluster, name, UUID.randomUUID(), "test");
            server = WireServer.bind(
                    WireOptions.of(loops, self, tls),
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                    peer -> new Admission.Accepted(this));
        }

        void cutConnections() {
            for (Connection connection : List.copyOf(connections)) {
                connection.close("cut by the test");
            }
        }

        @Override
        public void connected(Connection connection) {
            connections.add(connection);
        }

        @Override
        public void closed(Connection connection, CloseReason reason) {
            connections.remove(connection);
        }

        @Override
        public void received(Connection from, ClientMessage message) {
            switch (message) {
                case ClientMessage.Open open -> open(from, open);
                case ClientMessage.IoRequest request -> io(from, request);
                case ClientMessage.Close _ -> {}
                case ClientMessage.Response _ -> throw new IllegalStateException("a response from an agent");
            }
        }

        private void open(Connection from, ClientMessage.Open open) {
            if (!open.volume().equals(volume)) {
                from.send(new ClientMessage.UnknownVolume(open.volume()));
            } else if (index != primary) {
                Optional<NodeName> hint = Optional.of(nodes.get(primary).name);
                from.send(new ClientMessage.NotPrimary(volume, epoch, hint, "not the primary"));
            } else if (!attached) {
                from.send(new ClientMessage.NotAttached(volume, "no attachment of this node in the record"));
            } else if (open.knownConnection() > 0
                    && highest.connection() > open.knownConnection()
                    && !highest.instance().equals(open.instance())) {
                from.send(new ClientMessage.SessionFenced(volume, highest, "a newer session exists"));
            } else {
                highest = new SessionId(open.generation(), highest.connection() + 1, open.instance());
                from.send(new ClientMessage.Opened(volume, epoch, highest, content.length, 64, 8 * 1024 * 1024));
            }
        }

        private void io(Connection from, ClientMessage.IoRequest request) {
            boolean current = index == primary && request.session().equals(highest);
            if (current) {
                ClientMessage.Response answer = answer(request);
                if (!mute) {
                    from.send(answer);
                }
            } else {
                if (request instanceof ClientMessage.Write write) {
                    write.payload().release();
                }
                from.send(new ClientMessage.SessionFenced(volume, highest, "not the current session"));
            }
        }

        private ClientMessage.Response answer(ClientMessage.IoRequest request) {
            int at = Math.toIntExact(request.range().offset());
            int length = Math.toIntExact(request.range().length());
            PhaseTimes times = new PhaseTimes(1, 2, 3);
            switch (request) {
                case ClientMessage.Write write -> {
                    if (done.add(request.request())) {
                        write.payload().bytes().get(content, at, length);
                    } else {
                        repetitions.incrementAndGet();
                    }
                    write.payload().release();
                }
                case ClientMessage.Trim _ -> {
                    if (done.add(request.request())) {
                        Arrays.fill(content, at, at + length, (byte) 0);
                    }
                }
                case ClientMessage.Flush _ -> {}
                case ClientMessage.Read _ -> {
                    HeapPayload found = HeapPayload.of(Arrays.copyOfRange(content, at, at + length));
                    return new ClientMessage.ReadDone(volume, request.request(), epoch, found, times);
                }
                case ClientMessage.BlockStatus _ -> {
                    return new ClientMessage.BlockStatusDone(
                            volume, request.request(), epoch, extents(request.range()));
                }
            }
            return new ClientMessage.Done(volume, request.request(), epoch, IoStatus.OK, times);
        }

        private List<Extent> extents(ByteRange range) {
            List<Extent> result = new ArrayList<>();
            for (long at = range.offset(); at < range.end(); at += BLOCK) {
                boolean hole = true;
                for (int i = 0; i < BLOCK && hole; i++) {
                    hole = content[(int) at + i] == 0;
                }
                Extent last = result.isEmpty() ? null : result.getLast();
                if (last != null && last.hole() == hole) {
                    result.set(result.size() - 1, new Extent(last.lengthBytes() + BLOCK, hole));
                } else {
                    result.add(new Extent(BLOCK, hole));
                }
            }
            return result;
        }
    }
}
