package io.gabion.node;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Payload;
import io.gabion.core.message.RequestId;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import io.gabion.process.testing.Waiting;
import io.gabion.wire.Backend;
import io.gabion.wire.CloseReason;
import io.gabion.wire.Connection;
import io.gabion.wire.ConnectionHandler;
import io.gabion.wire.EventLoops;
import io.gabion.wire.Hello;
import io.gabion.wire.Role;
import io.gabion.wire.TlsEngine;
import io.gabion.wire.TlsIdentity;
import io.gabion.wire.WireClient;
import io.gabion.wire.WireOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The least that can write to a volume: one request at a time, sent again over whichever node serves. */
final class TestAgent implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 150;
    private static final long ANSWER_MILLIS = 7_000;

    private final Cluster cluster;
    private final VolumeId volume;
    private final long patienceNanos;
    private final UUID instance = UUID.randomUUID();
    private final EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 1, "test-agent");
    private final WireOptions options;
    private @Nullable Link link;
    private SessionId session = SessionId.NONE;
    private long lastRequest;
    private int nextNode;
    private long longestPauseMillis;

    TestAgent(Cluster cluster, NodeName name, VolumeId volume) throws Exception {
        this(cluster, name, volume, PATIENCE_SECONDS);
    }

    TestAgent(Cluster cluster, NodeName name, VolumeId volume, long patienceSeconds) throws Exception {
        this.patienceNanos = TimeUnit.SECONDS.toNanos(patienceSeconds);
        this.cluster = cluster;
        this.volume = volume;
        TlsIdentity tls = TlsIdentity.inDirectory(cluster.caDirectory(), Role.AGENT, name, TlsEngine.Choice.AUTO);
        Hello self = Hello.of(Role.AGENT, cluster.id(), name, UUID.randomUUID(), "test");
        this.options = WireOptions.of(loops, self, tls);
    }

    void forgetPauses() {
        longestPauseMillis = 0;
    }

    long longestPauseMillis() {
        return longestPauseMillis;
    }

    SessionId session() {
        return session;
    }

    // ---- requests
    void write(ByteRange range, byte[] bytes) throws InterruptedException {
        RequestId request = next();
        ask((s) -> new ClientMessage.Write(volume, s, request, request.number(), range, HeapPayload.of(bytes)));
    }

    byte[] read(ByteRange range) throws InterruptedException {
        RequestId request = next();
        ClientMessage.Response response =
                ask((s) -> new ClientMessage.Read(volume, s, request, request.number(), range));
        if (!(response instanceof ClientMessage.ReadDone done)) {
            throw new IllegalStateException("not read: " + response);
        }
        Payload payload = done.payload();
        ByteBuffer view = payload.bytes();
        byte[] bytes = new byte[view.remaining()];
        view.get(bytes);
        payload.release();
        return bytes;
    }

    void trim(ByteRange range) throws InterruptedException {
        RequestId request = next();
        ask((s) -> new ClientMessage.Trim(volume, s, request, request.number(), range));
    }

    void flush() throws InterruptedException {
        RequestId request = next();
        ask((s) -> new ClientMessage.Flush(volume, s, request, request.number()));
    }

    private RequestId next() {
        return new RequestId(1, ++lastRequest);
    }

    private interface Maker {
        ClientMessage.IoRequest make(SessionId session);
    }

    /** Sends until a final answer comes; the same number each time. */
    private ClientMessage.Response ask(Maker maker) throws InterruptedException {
        long begun = System.nanoTime();
        while (System.nanoTime() - begun < patienceNanos) {
            Link open = open(begun);
            ClientMessage.IoRequest message = maker.make(session);
            open.send(message);
            ClientMessage.Response response = open.await(ANSWER_MILLIS);
            if (response instanceof ClientMessage.Done done) {
                if (done.status() != ClientMessage.IoStatus.OK) {
                    throw new IllegalStateException("request failed: " + done);
                }
                return finished(begun, response);
            }
            if (response instanceof ClientMessage.ReadDone) {
                return finished(begun, response);
            }
            drop(open);
        }
        throw new IllegalStateException("no answer within " + TimeUnit.NANOSECONDS.toSeconds(patienceNanos) + " s");
    }

    private ClientMessage.Response finished(long begun, ClientMessage.Response response) {
        longestPauseMillis = Math.max(longestPauseMillis, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun));
        return response;
    }

    // ---- session
    private Link open(long begun) throws InterruptedException {
        Link standing = link;
        if (standing != null && standing.isOpen()) {
            return standing;
        }
        while (System.nanoTime() - begun < patienceNanos) {
            String node = Cluster.names().get(nextNode % Cluster.names().size());
            nextNode++;
            Link fresh = new Link(node);
            if (!fresh.connect()) {
                continue;
            }
            fresh.send(new ClientMessage.Open(volume, 1, instance, session.connection(), 0));
            ClientMessage.Response response = fresh.await(ANSWER_MILLIS);
            if (response instanceof ClientMessage.Opened opened) {
                session = opened.session();
                link = fresh;
                nextNode--;
                return fresh;
            }
            System.out.println("open at " + node + ": " + response);
            if (response instanceof ClientMessage.SessionFenced fenced) {
                throw new IllegalStateException("fenced: " + fenced);
            }
            drop(fresh);
        }
        throw new IllegalStateException("no node serves the volume");
    }

    private void drop(Link broken) {
        broken.close();
        link = null;
    }

    @Override
    public void close() {
        Link standing = link;
        if (standing != null) {
            standing.close();
        }
        loops.close();
    }

    /** One connection; an empty answer means that it is gone or silent. */
    private final class Link implements ConnectionHandler {
        private final String node;
        private final BlockingQueue<Object> inbox = new LinkedBlockingQueue<>();
        private volatile @Nullable Connection connection;

        private Link(String node) {
            this.node = node;
        }

        private boolean connect() throws InterruptedException {
            var unused = WireClient.connect(
                    options, loops.loop(0), "127.0.0.1", cluster.dataPort(node), new NodeName(node), this);
            Object first = inbox.poll(ANSWER_MILLIS, TimeUnit.MILLISECONDS);
            if (connection == null) {
                // Nothing listens yet: do not spin.
                Waiting.pass(Duration.ofMillis(20));
            }
            return first instanceof Connection;
        }

        private boolean isOpen() {
            Connection open = connection;
            return open != null && open.isOpen();
        }

        private void send(ClientMessage message) {
            Connection open = connection;
            if (open != null) {
                open.send(message);
            }
        }

        private void close() {
            Connection open = connection;
            if (open != null) {
                open.close("test");
            }
        }

        private ClientMessage.@Nullable Response await(long millis) throws InterruptedException {
            return inbox.poll(millis, TimeUnit.MILLISECONDS) instanceof ClientMessage.Response response
                    ? response
                    : null;
        }

        @Override
        public void connected(Connection made) {
            connection = made;
            inbox.add(made);
        }

        @Override
        public void received(Connection from, ClientMessage message) {
            inbox.add(message);
        }

        @Override
        public void closed(Connection gone, CloseReason reason) {
            inbox.add(reason);
        }

        @Override
        public void connectFailed(CloseReason reason) {
            inbox.add(reason);
        }
    }
}
