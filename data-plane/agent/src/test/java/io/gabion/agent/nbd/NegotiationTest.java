package io.gabion.agent.nbd;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.agent.nbd.RawNbdClient.OptionReply;
import io.gabion.wire.Backend;
import io.gabion.wire.EventLoops;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class NegotiationTest {
    private static final byte[] NOTHING = new byte[0];
    private static final long SIZE = 16 * 1024 * 1024;

    @TempDir
    Path directory;

    private Path socket;
    private EventLoops loops;
    private NbdServer server;
    private final ExportTable exports = new ExportTable();

    @BeforeEach
    void start() throws IOException {
        socket = directory.resolve("nbd.sock");
        loops = EventLoops.start(Backend.Choice.AUTO, 1, "test");
        exports.add(new MemoryExport("disk", SIZE, false));
        exports.add(new MemoryExport("frozen", SIZE, true));
        server = new NbdServer(loops, exports, false);
        server.listenUnix(socket);
    }

    @AfterEach
    void stop() {
        server.close();
        loops.close();
    }

    private RawNbdClient client() throws IOException {
        return RawNbdClient.connect(socket);
    }

    @Test
    void socketIsForItsOwnerOnlyAndGoesWithTheServer() throws IOException {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                .isEqualTo("rw-------");
        server.close();
        assertThat(socket).doesNotExist();
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void socketInUseIsRefusedAndAbandonedOneReplaced() throws IOException {
        NbdServer second = new NbdServer(loops, exports, false);
        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> second.listenUnix(socket)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("in use")
                .hasMessageContaining(socket.toString());
        Path stale = directory.resolve("stale.sock");
        Files.createFile(stale);
        second.listenUnix(stale);
        try (RawNbdClient client = RawNbdClient.connect(stale)) {
            client.greet().simple("disk");
        }
        second.close();
    }

    @Test
    void goTellsSizeFlagsAndBlockSizes() throws IOException {
        try (RawNbdClient client = client().greet()) {
            client.optionResult(NbdProtocol.OPT_STRUCTURED_REPLY, NOTHING);
            List<OptionReply> replies = client.option(
                    NbdProtocol.OPT_INFO,
                    RawNbdClient.goData("disk", NbdProtocol.INFO_BLOCK_SIZE, NbdProtocol.INFO_NAME, 77));
            assertThat(replies).hasSize(4);
            ByteBuffer export = ByteBuffer.wrap(replies.get(0).data());
            assertThat(export.getShort()).isZero();
            assertThat(export.getLong()).isEqualTo(SIZE);
            // HAS_FLAGS FLUSH FUA TRIM WRITE_ZEROES DF MULTI_CONN CACHE FAST_ZERO
            assertThat(export.getShort()).isEqualTo((short) 0b1101_1110_1101);
            ByteBuffer sizes = ByteBuffer.wrap(replies.get(1).data());
            assertThat(List.of((int) sizes.getShort(), sizes.getInt(), sizes.getInt(), sizes.getInt()))
                    .containsExactly(3, 512, 4096, 32 * 1024 * 1024);
            assertThat(new String(replies.get(2).data(), 2, 4, UTF_8)).isEqualTo("disk");
            assertThat(replies.get(3).type()).isEqualTo(NbdProtocol.REP_ACK);
            client.simple("disk");
            client.send(NbdProtocol.CMD_FLUSH, 0, 5, 0, 0);
            assertThat(client.simpleReply(5)).isZero();
        }
    }

    @Test
    void readOnlyExportSaysSoAndDfNeedsStructuredReplies() throws IOException {
        try (RawNbdClient client = client().greet()) {
            ByteBuffer export = ByteBuffer.wrap(client.option(NbdProtocol.OPT_INFO, RawNbdClient.goData("frozen"))
                    .getFirst()
                    .data());
            int flags = export.getShort(10);
            assertThat(flags & NbdProtocol.TRANSMISSION_READ_ONLY).isNotZero();
            assertThat(flags & NbdProtocol.TRANSMISSION_SEND_DF).isZero();
        }
    }

    @Test
    void exportNameEntersTransmissionWithPaddingUnlessLeftOut() throws IOException {
        try (RawNbdClient client = client().greet()) {
            client.sendOption(NbdProtocol.OPT_EXPORT_NAME, "disk".getBytes(UTF_8));
            assertThat(ByteBuffer.wrap(client.data(10)).getLong()).isEqualTo(SIZE);
            client.send(NbdProtocol.CMD_FLUSH, 0, 9, 0, 0);
            assertThat(client.simpleReply(9)).isZero();
        }
        try (RawNbdClient client = client().greet(NbdProtocol.FLAG_FIXED_NEWSTYLE)) {
            client.sendOption(NbdProtocol.OPT_EXPORT_NAME, "disk".getBytes(UTF_8));
            client.data(10);
            assertThat(client.data(124)).containsOnly(0);
            client.send(NbdProtocol.CMD_FLUSH, 0, 9, 0, 0);
            assertThat(client.simpleReply(9)).isZero();
        }
    }

    @Test
    void requestsSentTogetherWithGoAreServed() throws IOException {
        try (RawNbdClient client = client().greet()) {
            byte[] go = RawNbdClient.goData("disk");
            ByteBuffer together = ByteBuffer.allocate(16 + go.length + 28);
            together.putLong(NbdProtocol.OPTION_MAGIC)
                    .putInt(NbdProtocol.OPT_GO)
                    .putInt(go.length)
                    .put(go);
            together.put(RawNbdClient.request(NbdProtocol.CMD_FLUSH, 0, 3, 0, 0));
            client.send(together.array());
            assertThat(client.readOptionReply().type()).isEqualTo(NbdProtocol.REP_INFO);
            assertThat(client.readOptionReply().type()).isEqualTo(NbdProtocol.REP_ACK);
            assertThat(client.simpleReply(3)).isZero();
        }
    }

    @Test
    void unknownExportIsAnErrorForGoAndTheEndForExportName() throws IOException {
        try (RawNbdClient client = client().greet()) {
            assertThat(client.optionResult(NbdProtocol.OPT_GO, RawNbdClient.goData("other")))
                    .isEqualTo(NbdProtocol.REP_ERR_UNKNOWN);
            assertThat(client.optionResult(NbdProtocol.OPT_GO, RawNbdClient.goData("")))
                    .isEqualTo(NbdProtocol.REP_ERR_UNKNOWN);
            client.sendOption(NbdProtocol.OPT_EXPORT_NAME, "other".getBytes(UTF_8));
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void exportsAreListedOnlyWhenAllowed() throws IOException {
        try (RawNbdClient client = client().greet()) {
            assertThat(client.optionResult(NbdProtocol.OPT_LIST, NOTHING)).isEqualTo(NbdProtocol.REP_ERR_POLICY);
            assertThat(client.optionResult(NbdProtocol.OPT_LIST, new byte[1])).isEqualTo(NbdProtocol.REP_ERR_INVALID);
        }
        NbdServer open = new NbdServer(loops, exports, true);
        Path other = directory.resolve("open.sock");
        open.listenUnix(other);
        try (RawNbdClient client = RawNbdClient.connect(other).greet()) {
            List<OptionReply> replies = client.option(NbdProtocol.OPT_LIST, NOTHING);
            assertThat(replies.stream().filter(r -> r.type() == NbdProtocol.REP_SERVER))
                    .extracting(r -> new String(r.data(), 4, r.data().length - 4, UTF_8))
                    .containsExactlyInAnyOrder("disk", "frozen");
        }
        open.close();
    }

    @Test
    void metaContextsNeedStructuredRepliesAndAnExport() throws IOException {
        try (RawNbdClient client = client().greet()) {
            byte[] good = RawNbdClient.metaContextData("disk", "base:allocation");
            int set = NbdProtocol.OPT_SET_META_CONTEXT;
            assertThat(client.optionResult(set, good)).isEqualTo(NbdProtocol.REP_ERR_INVALID);
            client.optionResult(NbdProtocol.OPT_STRUCTURED_REPLY, NOTHING);
            assertThat(client.optionResult(set, RawNbdClient.metaContextData("other", "base:allocation")))
                    .isEqualTo(NbdProtocol.REP_ERR_UNKNOWN);
            assertThat(client.option(set, good)).hasSize(2);
            // Wildcards list, but select nothing; unknown namespaces are ignored.
            assertThat(client.option(set, RawNbdClient.metaContextData("disk", "base:", "x-other:thing")))
                    .hasSize(1);
            int list = NbdProtocol.OPT_LIST_META_CONTEXT;
            assertThat(client.option(list, RawNbdClient.metaContextData("disk")))
                    .hasSize(2);
            assertThat(client.option(list, RawNbdClient.metaContextData("disk", "base:")))
                    .hasSize(2);
            assertThat(client.option(list, RawNbdClient.metaContextData("disk", "qemu:dirty-bitmap:x")))
                    .hasSize(1);
        }
    }

    @Test
    void contextSelectedForAnotherExportDoesNotCount() throws IOException {
        try (RawNbdClient client = client().greet()) {
            client.optionResult(NbdProtocol.OPT_STRUCTURED_REPLY, NOTHING);
            client.option(NbdProtocol.OPT_SET_META_CONTEXT, RawNbdClient.metaContextData("frozen", "base:allocation"));
            client.simple("disk");
            client.send(NbdProtocol.CMD_BLOCK_STATUS, 0, 1, 0, 4096);
            assertThat(client.chunk().error()).isEqualTo(NbdErrno.INVALID.code());
        }
    }

    @Test
    void malformedOptionDataIsInvalidAndTheConnectionLivesOn() throws IOException {
        try (RawNbdClient client = client().greet()) {
            client.optionResult(NbdProtocol.OPT_STRUCTURED_REPLY, NOTHING);
            byte[] lyingName = ByteBuffer.allocate(6).putInt(0x7fffffff).array();
            byte[] lyingCount = ByteBuffer.allocate(10)
                    .putInt(4)
                    .put("disk".getBytes(UTF_8))
                    .putShort((short) 9)
                    .array();
            byte[] trailing = ByteBuffer.allocate(12)
                    .putInt(4)
                    .put("disk".getBytes(UTF_8))
                    .array();
            byte[] notText =
                    ByteBuffer.allocate(8).putInt(2).putShort((short) 0xc328).array();
            byte[] lyingQueries = ByteBuffer.allocate(12)
                    .putInt(4)
                    .put("disk".getBytes(UTF_8))
                    .putInt(-1)
                    .array();
            for (byte[] data : List.of(NOTHING, new byte[3], lyingName, lyingCount, trailing, notText)) {
                assertThat(client.optionResult(NbdProtocol.OPT_GO, data)).isEqualTo(NbdProtocol.REP_ERR_INVALID);
            }
            for (byte[] data : List.of(NOTHING, lyingName, lyingQueries)) {
                assertThat(client.optionResult(NbdProtocol.OPT_SET_META_CONTEXT, data))
                        .isEqualTo(NbdProtocol.REP_ERR_INVALID);
            }
            assertThat(client.optionResult(NbdProtocol.OPT_STRUCTURED_REPLY, new byte[1]))
                    .isEqualTo(NbdProtocol.REP_ERR_INVALID);
            client.simple("disk");
        }
    }

    @Test
    void unknownOptionIsUnsupportedAndTlsIsNotOfferedHere() throws IOException {
        try (RawNbdClient client = client().greet()) {
            assertThat(client.optionResult(4, NOTHING)).isEqualTo(NbdProtocol.REP_ERR_UNSUP);
            assertThat(client.optionResult(11, NOTHING)).isEqualTo(NbdProtocol.REP_ERR_UNSUP);
            assertThat(client.optionResult(0x7fffffff, new byte[100])).isEqualTo(NbdProtocol.REP_ERR_UNSUP);
            assertThat(client.optionResult(NbdProtocol.OPT_STARTTLS, NOTHING)).isEqualTo(NbdProtocol.REP_ERR_POLICY);
            client.simple("disk");
        }
    }

    @Test
    void oversizedOptionIsSkippedWithoutBeingStored() throws IOException {
        try (RawNbdClient client = client().greet()) {
            assertThat(client.optionResult(NbdProtocol.OPT_GO, new byte[NbdProtocol.MAX_OPTION_BYTES + 1]))
                    .isEqualTo(NbdProtocol.REP_ERR_TOO_BIG);
            assertThat(client.optionResult(NbdProtocol.OPT_GO, RawNbdClient.goData("x".repeat(4097))))
                    .isEqualTo(NbdProtocol.REP_ERR_INVALID);
            client.simple("disk");
        }
        try (RawNbdClient client = client().greet()) {
            client.sendOption(NbdProtocol.OPT_EXPORT_NAME, new byte[4097]);
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void abortIsAcknowledgedAndEndsTheConnection() throws IOException {
        try (RawNbdClient client = client().greet()) {
            assertThat(client.optionResult(NbdProtocol.OPT_ABORT, NOTHING)).isEqualTo(NbdProtocol.REP_ACK);
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void unknownClientFlagsOldStyleAndWrongMagicEndTheConnection() throws IOException {
        try (RawNbdClient client = client().greet(1 << 5 | 1)) {
            assertThat(client.isClosedByServer()).isTrue();
        }
        try (RawNbdClient client = client().greet(0)) {
            assertThat(client.isClosedByServer()).isTrue();
        }
        try (RawNbdClient client = client().greet()) {
            client.send("GET / HTTP/1.1\r\n\r\n".getBytes(UTF_8));
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void endlessHagglingEndsTheConnection() throws IOException {
        try (RawNbdClient client = client().greet()) {
            for (int i = 0; i < NbdProtocol.MAX_OPTIONS; i++) {
                assertThat(client.optionResult(4, NOTHING)).isEqualTo(NbdProtocol.REP_ERR_UNSUP);
            }
            client.sendOption(4, NOTHING);
            assertThat(client.isClosedByServer()).isTrue();
        }
    }
}
