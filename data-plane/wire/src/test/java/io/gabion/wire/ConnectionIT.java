package io.gabion.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.Payload;
import io.gabion.core.message.PeerMessage;
import io.gabion.model.BlockGeometry;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

class ConnectionIT {
    @TempDir
    static Path certificates;

    private static final ListAppender<ILoggingEvent> LEAKS = new ListAppender<>();
    private static ResourceLeakDetector.Level levelBefore = ResourceLeakDetector.getLevel();

    @BeforeAll
    static void makeCertificatesAndWatchForLeaks() throws IOException {
        Certificates.make(certificates, TestPeers.CLUSTER, "node/node-1", "node/node-2", "agent/host-1");
        levelBefore = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        LEAKS.start();
        ((Logger) LoggerFactory.getLogger(ResourceLeakDetector.class)).addAppender(LEAKS);
    }

    @AfterAll
    static void nothingLeaked() {
        // Leaks are found when a leaked buffer was collected and another one is allocated.
        for (int i = 0; i < 10; i++) {
            System.gc();
            PooledByteBufAllocator.DEFAULT.directBuffer(64).release();
            LockSupport.parkNanos(10_000_000);
        }
        ResourceLeakDetector.setLevel(levelBefore);
        ((Logger) LoggerFactory.getLogger(ResourceLeakDetector.class)).detachAppender(LEAKS);
        // TLS contexts live as long as the process; the tests make many and drop them.
        assertThat(LEAKS.list)
                .map(ILoggingEvent::getFormattedMessage)
                .filteredOn(leak -> !leak.contains("OpenSslContext"))
                .isEmpty();
    }

    private static WireOptions node(EventLoops loops, int number, TlsEngine.Choice engine) throws IOException {
        return TestPeers.options(loops, certificates, Role.NODE, "node-" + number, engine);
    }

    private static WireOptions node(EventLoops loops) throws IOException {
        return node(loops, 1, TlsEngine.Choice.AUTO);
    }

    private static WireOptions agent(EventLoops loops) throws IOException {
        return TestPeers.options(loops, certificates, Role.AGENT, "host-1", TlsEngine.Choice.AUTO);
    }

    private static void awaitTrue(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited in vain").isLessThan(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @ParameterizedTest
    @CsvSource({"IO_URING,BORINGSSL", "EPOLL,BORINGSSL", "NIO,BORINGSSL", "IO_URING,JDK", "EPOLL,JDK", "NIO,JDK"})
    void messagesOfAllKindsArriveOnEveryBackEndAndEngine(Backend.Choice backend, TlsEngine.Choice engine)
            throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        try (EventLoops loops = EventLoops.start(backend, 2, "all")) {
            RecordingHandler served = new RecordingHandler();
            WireOptions node = node(loops, 1, engine);
            WireOptions agent = TestPeers.options(loops, certificates, Role.AGENT, "host-1", engine);
            try (WireServer server = TestPeers.serve(node, served)) {
                RecordingHandler calling = TestPeers.call(agent, server, "node-1");
                Connection out = calling.awaitConnection();
                Connection in = served.awaitConnection();
                assertThat(out.peer()).isEqualTo(node.self());
                assertThat(in.peer()).isEqualTo(agent.self());
                assertThat(in.protocolVersion()).isEqualTo(1);
                assertThat(out.outbound()).isTrue();
                assertThat(in.outbound()).isFalse();
                Samples samples = new Samples(seed, 256, 30);
                for (int i = 0; i < 10; i++) {
                    for (ClientMessage request : samples.requests()) {
                        out.send(request);
                        MessageEquality.assertSame(served.awaitMessage(), request);
                    }
                    for (ClientMessage response : samples.responses()) {
                        in.send(response);
                        MessageEquality.assertSame(calling.awaitMessage(), response);
                    }
                }
                out.close("done here");
                assertThat(calling.awaitEnd()).isInstanceOf(CloseReason.ClosedHere.class);
                assertThat(served.awaitEnd()).isInstanceOf(CloseReason.ClosedByPeer.class);
                assertThat(served.awaitEnd().detail()).contains("agent/host-1").contains("done here");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = TlsEngine.Choice.class,
            names = {"JDK", "BORINGSSL"})
    void manyMessagesBetweenNodesArriveInOrderBothWays(TlsEngine.Choice engine) throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        try (EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 2, "nodes")) {
            RecordingHandler served = new RecordingHandler();
            try (WireServer server = TestPeers.serve(node(loops, 1, engine), served)) {
                RecordingHandler calling = TestPeers.call(node(loops, 2, engine), server, "node-1");
                Connection out = calling.awaitConnection();
                Connection in = served.awaitConnection();
                List<Object> sent = new ArrayList<>();
                Samples samples = new Samples(seed, 64, 20);
                for (int i = 0; i < 20; i++) {
                    sent.addAll(samples.nodeMessages());
                    sent.addAll(samples.peerMessages());
                }
                for (Object message : sent) {
                    MessageEquality.payloads(message).forEach(Payload::retain);
                    send(out, message);
                    send(in, message);
                }
                for (Object message : sent) {
                    MessageEquality.assertSame(served.awaitMessage(), message);
                    MessageEquality.assertSame(calling.awaitMessage(), message);
                }
            }
        }
    }

    private static void send(Connection connection, Object message) {
        if (message instanceof PeerMessage m) {
            connection.send(m);
        } else if (message instanceof NodeMessage m) {
            connection.send(m);
        } else {
            throw new IllegalArgumentException("no message between nodes: " + message);
        }
    }

    @Test
    void payloadReferencesAreGivenBackExactlyOnce() throws IOException {
        try (EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 2, "references")) {
            RecordingHandler served = new RecordingHandler();
            try (WireServer server = TestPeers.serve(node(loops), served)) {
                RecordingHandler calling = TestPeers.call(agent(loops), server, "node-1");
                Connection out = calling.awaitConnection();
                ClientMessage.Write template = new Samples(1, 1, 1).write(1);
                List<ByteBuf> buffers = new ArrayList<>();
                List<Payload> received = new ArrayList<>();
                for (int blocks : new int[] {1, 2, 3, 16, 256}) {
                    int length = blocks * BlockGeometry.BLOCK_BYTES;
                    ByteBuf buffer =
                            PooledByteBufAllocator.DEFAULT.directBuffer(length).writeZero(length);
                    buffers.add(buffer);
                    out.send(withPayload(template, ByteBufPayload.of(buffer.retain())));
                    Object arrived = served.awaitMessage();
                    received.addAll(MessageEquality.payloads(arrived));
                }
                awaitTrue(() -> buffers.stream().allMatch(buffer -> buffer.refCnt() == 1));
                for (Payload payload : received) {
                    ByteBuf slice = ((ByteBufPayload) payload).buffer();
                    assertThat(slice.refCnt()).isPositive();
                    payload.retain().release();
                    payload.release();
                }
                // What goes nowhere is given back as well.
                out.close("enough");
                calling.awaitEnd();
                for (ByteBuf buffer : buffers) {
                    out.send(withPayload(template, ByteBufPayload.of(buffer.retain())));
                }
                awaitTrue(() -> buffers.stream().allMatch(buffer -> buffer.refCnt() == 1));
                buffers.forEach(ByteBuf::release);
            }
        }
    }

    private static ClientMessage.Write withPayload(ClientMessage.Write write, Payload payload) {
        return new ClientMessage.Write(
                write.volume(),
                write.session(),
                write.request(),
                write.lowestOutstanding(),
                new io.gabion.model.ByteRange(0, payload.length()),
                payload);
    }

    @Test
    void whatIsSentInOneTurnLeavesInOneFlush() throws IOException {
        try (EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 2, "flush")) {
            RecordingHandler served = new RecordingHandler();
            try (WireServer server = TestPeers.serve(node(loops), served)) {
                WireOptions options = agent(loops);
                RecordingHandler calling = TestPeers.call(options, server, "node-1");
                Connection out = calling.awaitConnection();
                Samples samples = new Samples(5, 1, 1);
                CompletableFuture<Long> before = new CompletableFuture<>();
                out.loop().execute(() -> {
                    before.complete(options.counters().flushes());
                    for (int i = 0; i < 100; i++) {
                        out.send(samples.write(1));
                    }
                });
                for (int i = 0; i < 100; i++) {
                    MessageEquality.payloads(served.awaitMessage()).forEach(Payload::release);
                }
                // One for the batch; a sign of life may come in between.
                assertThat(options.counters().flushes() - RecordingHandler.await(before))
                        .isBetween(1L, 2L);
                assertThat(served.batches.get()).isLessThan(100);
            }
        }
    }

    @Test
    void aPeerThatStopsReadingIsFeltAndThenGoesOn() throws IOException {
        try (EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 2, "pressure")) {
            RecordingHandler served = new RecordingHandler();
            try (WireServer server = TestPeers.serve(node(loops), served)) {
                RecordingHandler calling = TestPeers.call(agent(loops), server, "node-1");
                Connection out = calling.awaitConnection();
                served.awaitConnection().pauseReading();
                Samples samples = new Samples(6, 1, 1);
                int sent = 0;
                while (out.isWritable()) {
                    assertThat(sent).isLessThan(100);
                    CompletableFuture<Boolean> done = new CompletableFuture<>();
                    ClientMessage.Write write = samples.write(256);
                    out.loop().execute(() -> {
                        out.send(write);
                        done.complete(true);
                    });
                    RecordingHandler.await(done);
                    sent++;
                    LockSupport.parkNanos(5_000_000);
                }
                served.awaitConnection().resumeReading();
                for (int i = 0; i < sent; i++) {
                    MessageEquality.payloads(served.awaitMessage()).forEach(Payload::release);
                }
                awaitTrue(out::isWritable);
                assertThat(calling.writability).contains(false, true);
            }
        }
    }

    @Test
    void aPeerThatNeverReadsIsGivenUp() throws IOException {
        try (EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 2, "overflow")) {
            RecordingHandler served = new RecordingHandler();
            try (WireServer server = TestPeers.serve(node(loops), served)) {
                WireOptions options =
                        agent(loops).withLimits(WireLimits.DEFAULT.withQueue(64 * 1024, 256 * 1024, 2 * 1024 * 1024));
                RecordingHandler calling = TestPeers.call(options, server, "node-1");
                Connection out = calling.awaitConnection();
                served.awaitConnection().pauseReading();
                Samples samples = new Samples(7, 1, 1);
                for (int i = 0; i < 200 && out.isOpen(); i++) {
                    out.send(samples.write(256));
                    LockSupport.parkNanos(1_000_000);
                }
                assertThat(calling.awaitEnd()).isInstanceOf(CloseReason.Overflow.class);
                assertThat(calling.awaitEnd().detail()).contains("node/node-1");
                served.awaitConnection().resumeReading();
                served.awaitEnd();
                for (Object message : served.messages) {
                    MessageEquality.payloads(message).forEach(Payload::release);
                }
            }
        }
    }

    @Test
    void aFrozenPeerIsNoticedAndALivingOneIsNot() throws IOException {
        try (EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 2, "silence")) {
            WireLimits neverAlive = new WireLimits(2000, 5000, 1024, 2048, 4096 * 1024, 0, 0);
            WireLimits strict = new WireLimits(2000, 5000, 1024, 2048, 4096 * 1024, 50, 300);
            RecordingHandler served = new RecordingHandler();
            try (WireServer server = TestPeers.serve(node(loops).withLimits(neverAlive), served)) {
                RecordingHandler calling = TestPeers.call(agent(loops).withLimits(strict), server, "node-1");
                assertThat(calling.awaitEnd()).isInstanceOf(CloseReason.Silent.class);
                assertThat(served.awaitEnd()).isNotNull();
            }
            RecordingHandler alive = new RecordingHandler();
            try (WireServer server = TestPeers.serve(node(loops).withLimits(strict), alive)) {
                WireOptions options = agent(loops).withLimits(strict);
                RecordingHandler calling = TestPeers.call(options, server, "node-1");
                calling.awaitConnection();
                awaitTrue(() -> options.counters().framesReceived() > 20);
                assertThat(calling.end).isNotDone();
            }
        }
    }

    @Test
    void aProcessThatDiesIsAReset() throws IOException {
        RecordingHandler served = new RecordingHandler();
        try (EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 1, "living")) {
            EventLoops dying = EventLoops.start(Backend.Choice.AUTO, 1, "dying");
            RecordingHandler calling;
            try (dying) {
                WireServer server = TestPeers.serve(node(dying), served);
                calling = TestPeers.call(agent(loops), server, "node-1");
                calling.awaitConnection();
                served.awaitConnection();
            }
            assertThat(calling.awaitEnd()).isInstanceOf(CloseReason.Reset.class);
            served.awaitEnd();
        }
    }

    @Test
    void messagesInTheWrongDirectionAreAMistakeOfTheSender() throws IOException {
        try (EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 1, "direction")) {
            try (WireServer server = TestPeers.serve(node(loops), new RecordingHandler())) {
                Connection out = TestPeers.call(agent(loops), server, "node-1").awaitConnection();
                CompletableFuture<Boolean> checked = new CompletableFuture<>();
                out.loop().execute(() -> {
                    try {
                        assertThatThrownBy(() -> out.send(new NodeMessage.HeartbeatAck(1, List.of())))
                                .isInstanceOf(IllegalArgumentException.class);
                        assertThatThrownBy(
                                        () -> out.send(new ClientMessage.UnknownVolume(new Samples(1, 1, 1).volume())))
                                .isInstanceOf(IllegalArgumentException.class);
                        checked.complete(true);
                    } catch (AssertionError e) {
                        checked.completeExceptionally(e);
                    }
                });
                assertThat(RecordingHandler.await(checked)).isTrue();
                assertThat(out.isOpen()).isTrue();
            }
        }
    }

    @Test
    void aHandlerThatThrowsLosesItsConnectionAndNothingElse() throws IOException {
        try (EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 1, "throwing")) {
            RecordingHandler throwing = new RecordingHandler() {
                @Override
                public void received(Connection from, ClientMessage message) {
                    MessageEquality.payloads(message).forEach(Payload::release);
                    throw new IllegalStateException("broken invariant");
                }
            };
            try (WireServer server = TestPeers.serve(node(loops), throwing)) {
                RecordingHandler calling = TestPeers.call(agent(loops), server, "node-1");
                calling.awaitConnection().send(new Samples(8, 1, 1).write(1));
                assertThat(calling.awaitEnd()).isInstanceOf(CloseReason.ClosedByPeer.class);
                assertThat(throwing.awaitEnd()).isInstanceOf(CloseReason.ClosedHere.class);
                TestPeers.call(agent(loops), server, "node-1").awaitConnection();
            }
        }
    }

    @Test
    void anAuthenticatedPeerThatBreaksTheProtocolIsNamedAndOnlyItsConnectionEnds() throws Exception {
        try (EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 1, "broken")) {
            RecordingHandler served = new RecordingHandler();
            WireOptions node = node(loops);
            try (WireServer server = TestPeers.serve(node, served)) {
                try (RawPeer peer = new RawPeer(
                        certificates, "agent-host-1", server.address().getPort())) {
                    peer.introduce(new Hello(
                            1,
                            1,
                            Role.AGENT,
                            TestPeers.CLUSTER,
                            new io.gabion.model.NodeName("host-1"),
                            new UUID(1, 1),
                            new UUID(2, 2),
                            "raw"));
                    served.awaitConnection();
                    ByteBuf frame = Encoding.whole(new Samples(9, 1, 1).write(1));
                    frame.setByte(frame.writerIndex() - 1, frame.getByte(frame.writerIndex() - 1) ^ 1);
                    peer.send(frame);
                    CloseReason reason = served.awaitEnd();
                    assertThat(reason).isInstanceOf(CloseReason.ProtocolError.class);
                    assertThat(((CloseReason.ProtocolError) reason).fault())
                            .isEqualTo(ProtocolFault.BAD_PAYLOAD_CHECKSUM);
                    assertThat(reason.detail()).contains("agent/host-1").contains("WRITE");
                    assertThat(peer.readFrameType()).isEqualTo(FrameType.GOODBYE);
                }
                assertThat(node.counters().endedByReason()).containsEntry("protocol_bad_payload_checksum", 1L);
                assertThat(node.counters().connectionsOpen()).isZero();
                assertThat(served.messages).isEmpty();
            }
        }
    }

    @Test
    void aHelloThatDiffersFromTheCertificateIsRefused() throws Exception {
        try (EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 1, "liar")) {
            WireOptions node = node(loops);
            try (WireServer server = TestPeers.serve(node, new RecordingHandler());
                    RawPeer peer = new RawPeer(
                            certificates, "agent-host-1", server.address().getPort())) {
                peer.introduce(TestPeers.hello(TestPeers.CLUSTER, Role.NODE, "node-2"));
                assertThat(peer.readFrameType()).isEqualTo(FrameType.REFUSED);
                awaitTrue(() -> node.counters().endedByReason().containsKey("handshake_not_the_certificate"));
            }
        }
    }
}
