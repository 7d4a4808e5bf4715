package io.gabion.node;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Payload;
import io.gabion.core.session.AgentSession;
import io.gabion.core.session.BlockOutcome;
import io.gabion.core.session.BlockRequest;
import io.gabion.core.session.PayloadEditor;
import io.gabion.core.session.SessionEffect;
import io.gabion.core.session.SessionEvent;
import io.gabion.core.session.SessionSettings;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
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
import io.gabion.wire.WireLoop;
import io.gabion.wire.WireOptions;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Random writes of one block with many under way, over the product's own session. Every block carries the number of the write
 * that made it; {@link #check} reads all back.
 */
final class LoadAgent implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 150;
    private static final int BLOCK = BlockGeometry.BLOCK_BYTES;
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final Cluster cluster;
    private final VolumeRecord volume;
    private final EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 1, "load-agent");
    private final WireLoop loop = loops.loop(0);
    private final WireOptions options;
    private final AgentSession session;
    private final Map<NodeName, Connection> connections = new HashMap<>();
    private final Deque<SessionEvent> inbox = new ArrayDeque<>();
    private final Random random = new Random(11);
    private final Map<Long, Long> blockUnderWay = new HashMap<>();
    private final long[] newest;
    private boolean stepping;
    private long begunNanos;
    private long started;
    private long nextId;
    private long toStart;
    private long toFinish;
    private CountDownLatch finished = new CountDownLatch(1);
    private final Map<Long, Long> reads = new HashMap<>();
    private volatile String wrong = "";
    private volatile String summary = "";

    LoadAgent(Cluster cluster, NodeName name, VolumeRecord volume) throws Exception {
        this.cluster = cluster;
        this.volume = volume;
        this.newest = new long[(int) (volume.spec().sizeBytes() / BLOCK)];
        TlsIdentity tls = TlsIdentity.inDirectory(cluster.caDirectory(), Role.AGENT, name, TlsEngine.Choice.AUTO);
        this.options = WireOptions.of(loops, Hello.of(Role.AGENT, cluster.id(), name, UUID.randomUUID(), "test"), tls);
        this.session = new AgentSession(
                volume.id(),
                1,
                UUID.randomUUID(),
                Cluster.names().stream().map(NodeName::new).toList(),
                System.currentTimeMillis(),
                SessionSettings.standard(),
                new NoEdits());
        loop.execute(() -> offer(new SessionEvent.Start()));
        var unused = loop.scheduleEvery(() -> offer(new SessionEvent.Tick()), TimeUnit.MILLISECONDS.toNanos(10));
    }

    String summary() {
        return summary;
    }

    /** {@code count} writes, {@code depth} of them at a time. */
    void run(int depth, int count) throws InterruptedException {
        start(depth, count);
        finish();
    }

    void start(int depth, int count) {
        finished = new CountDownLatch(1);
        begunNanos = System.nanoTime();
        started = count;
        loop.execute(() -> {
            toStart = count;
            toFinish = count;
            for (int i = 0; i < depth; i++) {
                writeNext();
            }
        });
    }

    /** Waits for the writes that were started. */
    void finish() throws InterruptedException {
        await();
        double seconds = (System.nanoTime() - begunNanos) / (double) TimeUnit.SECONDS.toNanos(1);
        summary = Math.round(started / seconds) + " writes/s, " + Math.round(seconds * 1000) + " ms";
    }

    /** Reads every block and compares. */
    void check() throws InterruptedException {
        finished = new CountDownLatch(1);
        loop.execute(() -> {
            toFinish = newest.length;
            for (int block = 0; block < newest.length; block++) {
                long id = ++nextId;
                reads.put(id, (long) block);
                offer(new SessionEvent.Submitted(
                        new BlockRequest(id, BlockRequest.Kind.READ, ByteRange.ofBlocks(block, 1), Optional.empty())));
            }
        });
        await();
    }

    private void await() throws InterruptedException {
        if (!finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("not finished: " + session.view());
        }
        if (!wrong.isEmpty()) {
            throw new AssertionError(wrong);
        }
    }

    private void writeNext() {
        if (toStart == 0) {
            return;
        }
        long block = random.nextInt(newest.length);
        if (blockUnderWay.containsValue(block)) {
            block = freeBlock(block);
        }
        toStart--;
        long id = ++nextId;
        blockUnderWay.put(id, block);
        byte[] bytes = new byte[BLOCK];
        Arrays.fill(bytes, (byte) id);
        ByteBuffer.wrap(bytes).putLong(0, id);
        offer(new SessionEvent.Submitted(new BlockRequest(
                id, BlockRequest.Kind.WRITE, ByteRange.ofBlocks(block, 1), Optional.of(HeapPayload.of(bytes)))));
    }

    private long freeBlock(long from) {
        long block = from;
        while (blockUnderWay.containsValue(block)) {
            block = (block + 1) % newest.length;
        }
        return block;
    }

    private void completed(long id, BlockOutcome outcome) {
        Long read = reads.remove(id);
        if (read != null) {
            compare(read, outcome);
        } else {
            Long block = blockUnderWay.remove(id);
            if (block == null || !(outcome instanceof BlockOutcome.Ok)) {
                wrong = "write " + id + " ended with " + outcome;
            } else {
                newest[block.intValue()] = id;
            }
            writeNext();
        }
        if (--toFinish == 0) {
            finished.countDown();
        }
    }

    private void compare(long block, BlockOutcome outcome) {
        if (!(outcome instanceof BlockOutcome.Data(Payload payload))) {
            wrong = "read of block " + block + " ended with " + outcome;
            return;
        }
        long found = payload.bytes().getLong(0);
        if (found != newest[(int) block]) {
            wrong = "block " + block + " holds write " + found + " instead of " + newest[(int) block];
        }
        payload.release();
    }

    // ---- session
    private void offer(SessionEvent event) {
        inbox.addLast(event);
        if (stepping) {
            return;
        }
        stepping = true;
        for (SessionEvent next = inbox.pollFirst(); next != null; next = inbox.pollFirst()) {
            Deque<SessionEffect> effects = new ArrayDeque<>();
            session.step(next, System.nanoTime(), effects::addLast);
            effects.forEach(this::carryOut);
        }
        stepping = false;
    }

    private void carryOut(SessionEffect effect) {
        switch (effect) {
            case SessionEffect.Connect(NodeName node) -> connect(node);
            case SessionEffect.Send(NodeName node, ClientMessage.Request message) -> {
                Connection connection = connections.get(node);
                if (connection == null) {
                    OwnedPayloads.release(message);
                } else {
                    connection.send(message);
                }
            }
            case SessionEffect.Complete(long id, BlockOutcome outcome) -> completed(id, outcome);
            case SessionEffect.Stopped(String reason) -> wrong = reason;
            case SessionEffect.Open _, SessionEffect.Seeking _, SessionEffect.Timed _ -> {}
        }
    }

    private void connect(NodeName node) {
        if (connections.containsKey(node)) {
            offer(new SessionEvent.LinkUp(node));
            return;
        }
        var unused =
                WireClient.connect(options, loop, "127.0.0.1", cluster.dataPort(node.value()), node, new Link(node));
    }

    private final class Link implements ConnectionHandler {
        private final NodeName node;

        private Link(NodeName node) {
            this.node = node;
        }

        @Override
        public void connected(Connection connection) {
            connections.put(node, connection);
            offer(new SessionEvent.LinkUp(node));
        }

        @Override
        public void received(Connection connection, ClientMessage message) {
            if (message instanceof ClientMessage.Response response) {
                offer(new SessionEvent.Received(node, response));
            }
        }

        @Override
        public void closed(Connection connection, CloseReason reason) {
            connections.remove(node, connection);
            lost();
        }

        @Override
        public void connectFailed(CloseReason reason) {
            lost();
        }

        private void lost() {
            offer(new SessionEvent.LinkDown(node));
            var unused = loop.schedule(() -> connect(node), RETRY_NANOS);
        }
    }

    @Override
    public void close() {
        loops.close();
    }

    /** Whole blocks only: nothing is ever patched. */
    private static final class NoEdits implements PayloadEditor {
        @Override
        public Payload slice(Payload source, int offset, int length) {
            if (offset == 0 && length == source.length()) {
                return source.retain();
            }
            throw new IllegalStateException("slice of a block");
        }

        @Override
        public Payload patched(Payload block, int offset, Payload patch) {
            throw new IllegalStateException("patch of a block");
        }

        @Override
        public Payload zeroed(Payload block, int offset, int length) {
            throw new IllegalStateException("patch of a block");
        }
    }

    /** For messages to people. */
    @Override
    public String toString() {
        return "load on " + volume.spec().name();
    }
}
