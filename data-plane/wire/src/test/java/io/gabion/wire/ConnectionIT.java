package io.gabion.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.ClientMessage;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConnectionIT {
    static final ClusterId CLUSTER = ClusterId.of("0198e0c4-7000-7000-8000-000000000001");

    @TempDir
    static Path certificates;

    @BeforeAll
    static void makeCertificates() throws Exception {
        Certificates.make(certificates, CLUSTER, "node/node-1", "node/node-2", "agent/host-1");
    }

    static WireOptions options(EventLoops loops, Role role, String name, TlsEngine.Choice engine) throws Exception {
        return WireOptions.of(
                loops,
                Hello.of(role, CLUSTER, new NodeName(name), new UUID(1, 2), "0.1.0"),
                Certificates.load(certificates, role, name, engine));
    }

    @ParameterizedTest
    @CsvSource({"IO_URING,BORINGSSL", "EPOLL,BORINGSSL", "NIO,BORINGSSL", "IO_URING,JDK", "EPOLL,JDK", "NIO,JDK"})
    void agentAndNodeExchangeMessagesOnEveryBackEndAndEngine(Backend.Choice backend, TlsEngine.Choice engine)
            throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        try (EventLoops loops = EventLoops.start(backend, 2, "test")) {
            RecordingHandler served = new RecordingHandler();
            WireOptions node = options(loops, Role.NODE, "node-1", engine);
            WireOptions agent = options(loops, Role.AGENT, "host-1", engine);
            try (WireServer server = WireServer.bind(
                    node,
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                    _ -> new Admission.Accepted(served))) {
                RecordingHandler calling = new RecordingHandler();
                WireClient.connect(
                        agent, loops.next(), "127.0.0.1", server.address().getPort(), new NodeName("node-1"), calling);
                Connection out = calling.awaitConnection();
                Connection in = served.awaitConnection();
                assertThat(out.peer()).isEqualTo(node.self());
                assertThat(in.peer()).isEqualTo(agent.self());
                assertThat(in.protocolVersion()).isEqualTo(1);
                Samples samples = new Samples(seed, 256, 30);
                for (int i = 0; i < 20; i++) {
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
}
