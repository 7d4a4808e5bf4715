package io.gabion.agent.nbd;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.wire.Backend;
import io.gabion.wire.EventLoops;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class StartTlsTest {
    private static final byte[] NOTHING = new byte[0];

    @TempDir
    Path directory;

    private TestAuthority authority;
    private EventLoops loops;
    private NbdServer server;
    private InetSocketAddress address;

    @BeforeEach
    void start() throws Exception {
        authority = TestAuthority.create(directory.resolve("ca"));
        authority.issue("server", "spiffe://00000000-0000-0000-0000-000000000001/agent/agent-1");
        authority.issue("client", "spiffe://00000000-0000-0000-0000-000000000001/operator/tester");
        loops = EventLoops.start(Backend.Choice.AUTO, 1, "test");
        ExportTable exports = new ExportTable();
        exports.add(new MemoryExport("disk", 16L * 1024 * 1024, false));
        server = new NbdServer(loops, exports, true);
        address = server.listenTcp(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                NbdTls.serverContext(
                        authority.certificate("server"), authority.key("server"), authority.authorities()));
    }

    @AfterEach
    void stop() {
        server.close();
        loops.close();
    }

    private RawNbdClient plain(Socket socket) throws IOException {
        return new RawNbdClient(socket, socket.getInputStream(), socket.getOutputStream()).greet();
    }

    private RawNbdClient upgraded(Socket socket, SSLContext context) throws IOException {
        RawNbdClient plain = plain(socket);
        assertThat(plain.optionResult(NbdProtocol.OPT_STRUCTURED_REPLY, NOTHING))
                .isEqualTo(NbdProtocol.REP_ERR_TLS_REQD);
        assertThat(plain.optionResult(NbdProtocol.OPT_STARTTLS, NOTHING)).isEqualTo(NbdProtocol.REP_ACK);
        SSLSocket secure = (SSLSocket) context.getSocketFactory().createSocket(socket, "127.0.0.1", 1, true);
        secure.startHandshake();
        return new RawNbdClient(secure, secure.getInputStream(), secure.getOutputStream());
    }

    private Socket socket() throws IOException {
        return new Socket(address.getAddress(), address.getPort());
    }

    @Test
    void nothingButStartTlsIsAnsweredInTheClear() throws IOException {
        try (RawNbdClient client = plain(socket())) {
            for (int option : List.of(
                    NbdProtocol.OPT_GO,
                    NbdProtocol.OPT_INFO,
                    NbdProtocol.OPT_LIST,
                    NbdProtocol.OPT_SET_META_CONTEXT,
                    99)) {
                assertThat(client.optionResult(option, RawNbdClient.goData("disk")))
                        .isEqualTo(NbdProtocol.REP_ERR_TLS_REQD);
            }
            assertThat(client.optionResult(NbdProtocol.OPT_STARTTLS, new byte[2]))
                    .isEqualTo(NbdProtocol.REP_ERR_INVALID);
            client.sendOption(NbdProtocol.OPT_EXPORT_NAME, "disk".getBytes(UTF_8));
            assertThat(client.isClosedByServer()).isTrue();
        }
        try (RawNbdClient client = plain(socket())) {
            assertThat(client.optionResult(NbdProtocol.OPT_ABORT, NOTHING)).isEqualTo(NbdProtocol.REP_ACK);
        }
    }

    @Test
    void everythingWorksUnderTlsAndASecondStartTlsIsInvalid() throws Exception {
        try (RawNbdClient client = upgraded(socket(), authority.clientContext("client"))) {
            assertThat(client.optionResult(NbdProtocol.OPT_STARTTLS, NOTHING)).isEqualTo(NbdProtocol.REP_ERR_INVALID);
            client.structured("disk");
            byte[] data = new byte[1024 * 1024];
            java.util.Arrays.fill(data, (byte) 7);
            client.write(0, 1, 4096, data);
            assertThat(client.chunk().error()).isZero();
            assertThat(client.read(0, 2, 4096, data.length)).isEqualTo(data);
        }
    }

    @Test
    void dataInTheClearBehindStartTlsEndsTheConnection() throws IOException {
        try (RawNbdClient client = plain(socket())) {
            ByteBuffer both = ByteBuffer.allocate(32);
            both.putLong(NbdProtocol.OPTION_MAGIC)
                    .putInt(NbdProtocol.OPT_STARTTLS)
                    .putInt(0);
            both.putLong(NbdProtocol.OPTION_MAGIC)
                    .putInt(NbdProtocol.OPT_STRUCTURED_REPLY)
                    .putInt(0);
            client.send(both.array());
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void clientWithoutOrWithAForeignCertificateGetsNothing() throws Exception {
        TestAuthority foreign = TestAuthority.create(directory.resolve("foreign"));
        foreign.issue("client", "spiffe://00000000-0000-0000-0000-000000000001/operator/tester");
        for (SSLContext context :
                List.of(authority.anonymousContext(), foreign.clientContext("client", authority.authorities()))) {
            assertThatThrownBy(() -> {
                        try (RawNbdClient client = upgraded(socket(), context)) {
                            client.simple("disk");
                        }
                    })
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void filesThatDoNotFitAreNamed() throws Exception {
        authority.issue("other", "spiffe://00000000-0000-0000-0000-000000000001/agent/agent-2");
        assertThatThrownBy(() -> NbdTls.serverContext(
                        authority.certificate("server"), directory.resolve("none.key"), authority.authorities()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("none.key");
    }

    @Test
    void nbdinfoSpeaksTlsToUs() throws Exception {
        Clients.requireInstalled("nbdinfo");
        Path credentials = authority.gnutlsDirectory("client");
        Clients.Result result = Clients.run(
                "nbdinfo",
                "--json",
                "nbds://127.0.0.1:" + address.getPort() + "/disk?tls-certificates=" + credentials
                        + "&tls-verify-peer=false");
        assertThat(result.output()).contains("\"TLS\": true").contains("\"export-size\": 16777216");
        assertThat(result.exitCode()).isZero();
    }
}
