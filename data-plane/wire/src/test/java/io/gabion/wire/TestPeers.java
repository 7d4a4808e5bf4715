package io.gabion.wire;

import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.UUID;

/** Options and servers for tests. */
final class TestPeers {
    static final ClusterId CLUSTER = ClusterId.of("0198e0c4-7000-7000-8000-000000000001");
    static final ClusterId OTHER_CLUSTER = ClusterId.of("0198e0c4-7000-7000-8000-000000000002");

    private TestPeers() {}

    static Hello hello(ClusterId cluster, Role role, String name) {
        return Hello.of(role, cluster, new NodeName(name), new UUID(1, 2), "0.1.0");
    }

    static WireOptions options(EventLoops loops, Path certificates, Role role, String name, TlsEngine.Choice engine)
            throws IOException {
        return WireOptions.of(loops, hello(CLUSTER, role, name), Certificates.load(certificates, role, name, engine));
    }

    static WireServer serve(WireOptions options, Acceptor acceptor) throws IOException {
        return WireServer.bind(options, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), acceptor);
    }

    static WireServer serve(WireOptions options, ConnectionHandler handler) throws IOException {
        Acceptor everybody = _ -> new Admission.Accepted(handler);
        return serve(options, everybody);
    }

    static RecordingHandler call(WireOptions options, int port, String expected) {
        RecordingHandler handler = new RecordingHandler();
        WireClient.connect(options, options.loops().next(), "127.0.0.1", port, new NodeName(expected), handler);
        return handler;
    }

    static RecordingHandler call(WireOptions options, WireServer server, String expected) {
        return call(options, server.address().getPort(), expected);
    }
}
