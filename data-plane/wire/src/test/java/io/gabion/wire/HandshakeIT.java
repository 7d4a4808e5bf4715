package io.gabion.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.model.NodeName;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HandshakeIT {
    @TempDir
    static Path directory;

    private static EventLoops loops = EventLoops.start(Backend.Choice.AUTO, 2, "handshake");

    private static Path ours;
    private static Path others;
    private static Path strangers;

    @BeforeAll
    static void makeCertificates() throws IOException {
        ours = directory.resolve("ours");
        others = directory.resolve("others");
        strangers = directory.resolve("strangers");
        Certificates.make(ours, TestPeers.CLUSTER, "node/node-1", "node/node-2", "agent/host-1", "operator/main");
        Certificates.run(java.util.List.of("cp", "-r", ours.toString(), others.toString()));
        Certificates.run(java.util.List.of("sh", "-c", "cd " + others + " && rm node-* agent-* operator-*"));
        Certificates.make(others, TestPeers.OTHER_CLUSTER, "agent/host-1", "node/node-1");
        Certificates.make(strangers, TestPeers.CLUSTER, "agent/host-1", "node/node-1");
    }

    @AfterAll
    static void stop() {
        loops.close();
    }

    private static WireOptions node(TlsEngine.Choice engine) throws IOException {
        return TestPeers.options(loops, ours, Role.NODE, "node-1", engine);
    }

    private static WireOptions agent(TlsEngine.Choice engine) throws IOException {
        return TestPeers.options(loops, ours, Role.AGENT, "host-1", engine);
    }

    private static WireOptions otherAgent(TlsEngine.Choice engine) throws IOException {
        return WireOptions.of(
                loops,
                TestPeers.hello(TestPeers.OTHER_CLUSTER, Role.AGENT, "host-1"),
                Certificates.load(others, Role.AGENT, "host-1", engine));
    }

    private static CloseReason.HandshakeRefused refusalOf(RecordingHandler handler) {
        CloseReason reason = handler.awaitEnd();
        assertThat(reason).isInstanceOf(CloseReason.HandshakeRefused.class);
        return (CloseReason.HandshakeRefused) reason;
    }

    private static void awaitTrue(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited in vain").isLessThan(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static void awaitCount(WireOptions options, String label) {
        awaitTrue(() -> options.counters().endedByReason().getOrDefault(label, 0L) > 0);
    }

    @ParameterizedTest
    @EnumSource(
            value = TlsEngine.Choice.class,
            names = {"JDK", "BORINGSSL"})
    void aProcessOfAnotherClusterIsRefusedAndToldSo(TlsEngine.Choice engine) throws IOException {
        WireOptions node = node(engine);
        try (WireServer server = TestPeers.serve(node, new RecordingHandler())) {
            CloseReason.HandshakeRefused reason = refusalOf(TestPeers.call(otherAgent(engine), server, "node-1"));
            assertThat(reason.refusal()).isEqualTo(Refusal.OTHER_CLUSTER);
            assertThat(reason.detail())
                    .contains(TestPeers.CLUSTER.toString())
                    .contains(TestPeers.OTHER_CLUSTER.toString());
            awaitTrue(() -> !node.counters().endedByReason().isEmpty());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = TlsEngine.Choice.class,
            names = {"JDK", "BORINGSSL"})
    void anUntrustedCertificateIsRefusedOnBothSides(TlsEngine.Choice engine) throws IOException {
        WireOptions node = node(engine);
        WireOptions stranger = WireOptions.of(
                loops,
                TestPeers.hello(TestPeers.CLUSTER, Role.AGENT, "host-1"),
                Certificates.load(strangers, Role.AGENT, "host-1", engine));
        try (WireServer server = TestPeers.serve(node, new RecordingHandler())) {
            CloseReason.HandshakeRefused reason = refusalOf(TestPeers.call(stranger, server, "node-1"));
            assertThat(reason.refusal()).isEqualTo(Refusal.TLS);
            assertThat(reason.byPeer()).isFalse();
            assertThat(reason.detail()).contains("node/node-1");
            awaitCount(node, "handshake_tls");
        }
    }

    /** The client trusts the server, but not the other way round: the server's alert must arrive. */
    @ParameterizedTest
    @EnumSource(
            value = TlsEngine.Choice.class,
            names = {"JDK", "BORINGSSL"})
    void anUntrustedClientIsToldByAnAlert(TlsEngine.Choice engine) throws IOException {
        WireOptions node = node(engine);
        WireOptions stranger = WireOptions.of(
                loops,
                TestPeers.hello(TestPeers.CLUSTER, Role.AGENT, "host-1"),
                TlsIdentity.load(
                        ours.resolve("ca.pem"),
                        strangers.resolve("agent-host-1.pem"),
                        strangers.resolve("agent-host-1.key"),
                        engine));
        try (WireServer server = TestPeers.serve(node, new RecordingHandler())) {
            CloseReason.HandshakeRefused reason = refusalOf(TestPeers.call(stranger, server, "node-1"));
            assertThat(reason.refusal()).isEqualTo(Refusal.TLS);
            assertThat(reason.byPeer()).isTrue();
            awaitCount(node, "handshake_tls");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = TlsEngine.Choice.class,
            names = {"JDK", "BORINGSSL"})
    void noCertificateAndOldTlsAreRefusedAndTheServerGoesOn(TlsEngine.Choice engine) throws Exception {
        WireOptions node = node(engine);
        try (WireServer server = TestPeers.serve(node, new RecordingHandler())) {
            int port = server.address().getPort();
            assertThatThrownBy(() -> talk(port, "TLSv1.3")).isInstanceOf(IOException.class);
            awaitTrue(() -> node.counters().endedByReason().getOrDefault("handshake_tls", 0L) == 1);
            assertThatThrownBy(() -> talk(port, "TLSv1.2")).isInstanceOf(IOException.class);
            awaitTrue(() -> node.counters().endedByReason().getOrDefault("handshake_tls", 0L) == 2);
            try (Socket plain = new Socket(InetAddress.getLoopbackAddress(), port)) {
                plain.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                plain.getInputStream().readAllBytes();
            } catch (IOException e) {
                System.out.println("the server ended it: " + e);
            }
            awaitTrue(() -> node.counters().endedByReason().getOrDefault("handshake_tls", 0L) == 3);
            TestPeers.call(agent(engine), server, "node-1").awaitConnection();
        }
    }

    private static void talk(int port, String protocol) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new TrustsAll()}, new SecureRandom());
        try (SSLSocket socket =
                (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port)) {
            socket.setEnabledProtocols(new String[] {protocol});
            socket.startHandshake();
            InputStream in = socket.getInputStream();
            if (in.read() < 0) {
                throw new IOException("closed");
            }
        }
    }

    private static final class TrustsAll implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    @Test
    void anAddressThatLeadsToAnotherNodeIsNoticed() throws IOException {
        try (WireServer server = TestPeers.serve(node(TlsEngine.Choice.AUTO), new RecordingHandler())) {
            CloseReason.HandshakeRefused reason =
                    refusalOf(TestPeers.call(agent(TlsEngine.Choice.AUTO), server, "node-2"));
            assertThat(reason.refusal()).isEqualTo(Refusal.UNEXPECTED_PEER);
            assertThat(reason.byPeer()).isFalse();
            assertThat(reason.detail()).contains("node-2").contains("node/node-1");
        }
    }

    @Test
    void withoutACommonVersionTheyPart() throws IOException {
        WireOptions agent = agent(TlsEngine.Choice.AUTO);
        Hello self = agent.self();
        Hello later = new Hello(
                2, 3, self.role(), self.cluster(), self.node(), self.process(), self.boot(), self.softwareVersion());
        WireOptions newer = WireOptions.of(loops, later, agent.tls());
        try (WireServer server = TestPeers.serve(node(TlsEngine.Choice.AUTO), new RecordingHandler())) {
            CloseReason.HandshakeRefused reason = refusalOf(TestPeers.call(newer, server, "node-1"));
            assertThat(reason.refusal()).isEqualTo(Refusal.NO_COMMON_VERSION);
            assertThat(reason.detail()).contains("2").contains("3");
        }
    }

    @Test
    void aNodeDoesNotTalkToItself() throws IOException {
        WireOptions node = node(TlsEngine.Choice.AUTO);
        try (WireServer server = TestPeers.serve(node, new RecordingHandler())) {
            assertThat(refusalOf(TestPeers.call(node, server, "node-1")).refusal())
                    .isEqualTo(Refusal.DUPLICATE);
        }
    }

    @Test
    void theAcceptorMayRefuseInItsOwnWords() throws IOException {
        WireOptions node = node(TlsEngine.Choice.AUTO);
        try (WireServer server = TestPeers.serve(
                node, (Acceptor) peer -> new Admission.Refused(Refusal.DUPLICATE, peer.node() + " is here already"))) {
            CloseReason.HandshakeRefused reason =
                    refusalOf(TestPeers.call(agent(TlsEngine.Choice.AUTO), server, "node-1"));
            assertThat(reason.refusal()).isEqualTo(Refusal.DUPLICATE);
            assertThat(reason.byPeer()).isTrue();
            assertThat(reason.detail()).contains("host-1 is here already");
        }
    }

    @Test
    void rolesWithoutBusinessHereAreRefused() throws IOException {
        WireOptions operator = TestPeers.options(loops, ours, Role.OPERATOR, "main", TlsEngine.Choice.AUTO);
        try (WireServer server = TestPeers.serve(node(TlsEngine.Choice.AUTO), new RecordingHandler())) {
            assertThat(refusalOf(TestPeers.call(operator, server, "node-1")).refusal())
                    .isEqualTo(Refusal.ROLE_NOT_SERVED);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.Choice.class)
    void aProcessThatIsGoneRefusesTheConnect(Backend.Choice backend) throws IOException {
        try (EventLoops own = EventLoops.start(backend, 1, "gone")) {
            int port;
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = socket.getLocalPort();
            }
            WireOptions agent = TestPeers.options(own, ours, Role.AGENT, "host-1", TlsEngine.Choice.AUTO);
            CloseReason reason = TestPeers.call(agent, port, "node-1").awaitEnd();
            assertThat(reason).isInstanceOf(CloseReason.ConnectRefused.class);
            assertThat(reason.detail()).contains("node-1").contains("127.0.0.1:" + port);
        }
    }

    @Test
    void anUnknownHostIsUnreachable() throws IOException {
        RecordingHandler handler = new RecordingHandler();
        WireClient.connect(
                agent(TlsEngine.Choice.AUTO), loops.next(), "no-such-host.invalid", 1, new NodeName("node-1"), handler);
        assertThat(handler.awaitEnd()).isInstanceOf(CloseReason.Unreachable.class);
    }

    @Test
    void silenceWithinTheHandshakeEndsInATimeoutOnBothSides() throws IOException {
        WireLimits impatient = WireLimits.DEFAULT.withTimeouts(2000, 200);
        try (ServerSocket mute = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CloseReason reason = TestPeers.call(
                            agent(TlsEngine.Choice.AUTO).withLimits(impatient), mute.getLocalPort(), "node-1")
                    .awaitEnd();
            assertThat(reason).isInstanceOf(CloseReason.HandshakeTimeout.class);
        }
        WireOptions node = node(TlsEngine.Choice.AUTO).withLimits(impatient);
        try (WireServer server = TestPeers.serve(node, new RecordingHandler());
                Socket _ = new Socket(
                        InetAddress.getLoopbackAddress(), server.address().getPort())) {
            awaitCount(node, "handshake_timeout");
        }
    }

    @Test
    void aPeerThatHangsUpWithinTheHandshakeIsAReset() throws IOException {
        try (ServerSocket rude = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            RecordingHandler handler = TestPeers.call(agent(TlsEngine.Choice.AUTO), rude.getLocalPort(), "node-1");
            try (Socket accepted = rude.accept();
                    OutputStream _ = accepted.getOutputStream()) {
                assertThat(accepted.getInputStream().read()).isGreaterThanOrEqualTo(0);
            }
            assertThat(handler.awaitEnd()).isInstanceOf(CloseReason.Reset.class);
        }
    }

    @Test
    void aPortInUseIsNamed() throws IOException {
        WireOptions node = node(TlsEngine.Choice.AUTO);
        try (WireServer server = TestPeers.serve(node, new RecordingHandler())) {
            assertThatThrownBy(() -> WireServer.bind(
                            node, server.address(), _ -> new Admission.Accepted(new RecordingHandler())))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(":" + server.address().getPort());
        }
    }

    @Test
    void anAttemptCanBeCancelled() throws IOException {
        try (ServerSocket mute = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            RecordingHandler handler = new RecordingHandler();
            WireClient.Attempt attempt = WireClient.connect(
                    agent(TlsEngine.Choice.AUTO),
                    loops.next(),
                    "127.0.0.1",
                    mute.getLocalPort(),
                    new NodeName("node-1"),
                    handler);
            attempt.cancel();
            assertThat(handler.awaitEnd()).isInstanceOf(CloseReason.ClosedHere.class);
        }
    }

    @Test
    void aCertificateForAnotherProcessIsRefusedAtTheStart() throws IOException {
        TlsIdentity tls = Certificates.load(ours, Role.AGENT, "host-1", TlsEngine.Choice.JDK);
        assertThatThrownBy(() -> WireOptions.of(loops, TestPeers.hello(TestPeers.CLUSTER, Role.AGENT, "host-2"), tls))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("host-2")
                .hasMessageContaining("host-1");
    }

    @Test
    void aHelloThatItsCertificateDoesNotProveIsRefused() {
        Hello self = TestPeers.hello(TestPeers.CLUSTER, Role.NODE, "node-1");
        PeerIdentity certified = new PeerIdentity(TestPeers.CLUSTER, Role.AGENT, new NodeName("host-1"));
        Hello[] liars = {
            TestPeers.hello(TestPeers.CLUSTER, Role.NODE, "host-1"),
            TestPeers.hello(TestPeers.CLUSTER, Role.AGENT, "host-2"),
        };
        for (Hello liar : liars) {
            ControlFrame.Refused refused = HelloCheck.ofHello(liar, certified, self);
            assertThat(refused).isNotNull();
            assertThat(refused.refusal()).isEqualTo(Refusal.NOT_THE_CERTIFICATE);
        }
        assertThat(HelloCheck.ofHello(
                        new Hello(
                                1,
                                9,
                                Role.AGENT,
                                TestPeers.CLUSTER,
                                new NodeName("host-1"),
                                new UUID(7, 8),
                                new UUID(9, 9),
                                "9.9"),
                        certified,
                        self))
                .isNull();
    }

    @Test
    void renewedCertificatesAreReadAgain() throws IOException {
        WireOptions node = node(TlsEngine.Choice.AUTO);
        try (WireServer server = TestPeers.serve(node, new RecordingHandler())) {
            node.tls().reload();
            TestPeers.call(agent(TlsEngine.Choice.AUTO), server, "node-1").awaitConnection();
        }
    }

    @Test
    void onlyOneNameOfTheRightFormIsAnIdentity() {
        String right = "spiffe://" + TestPeers.CLUSTER + "/node/node-1";
        assertThat(PeerIdentity.parse(right).map(PeerIdentity::toString)).contains(right);
        for (String wrong : new String[] {
            "https://" + TestPeers.CLUSTER + "/node/node-1",
            "spiffe://cluster/node/node-1",
            "spiffe://" + TestPeers.CLUSTER + "/king/node-1",
            "spiffe://" + TestPeers.CLUSTER + "/node/",
            "spiffe://" + TestPeers.CLUSTER + "/node/node-1/more",
            "spiffe://" + TestPeers.CLUSTER + "/node/NODE",
            "not a uri at all",
        }) {
            assertThat(PeerIdentity.parse(wrong)).as(wrong).isEmpty();
        }
    }
}
