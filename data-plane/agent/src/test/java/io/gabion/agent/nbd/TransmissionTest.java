package io.gabion.agent.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.agent.nbd.RawNbdClient.Chunk;
import io.gabion.wire.Backend;
import io.gabion.wire.EventLoops;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class TransmissionTest {
    private static final int MIB = 1024 * 1024;
    private static final long SIZE = 80L * MIB;

    @TempDir
    Path directory;

    private Path socket;
    private EventLoops loops;
    private NbdServer server;
    private final MemoryExport disk = new MemoryExport("disk", SIZE, false);
    private final Random random = new Random(20261121);

    @BeforeEach
    void start() throws IOException {
        socket = directory.resolve("nbd.sock");
        loops = EventLoops.start(Backend.Choice.AUTO, 2, "test");
        ExportTable exports = new ExportTable();
        exports.add(disk);
        exports.add(new MemoryExport("frozen", SIZE, true));
        server = new NbdServer(loops, exports, false);
        server.listenUnix(socket);
    }

    @AfterEach
    void stop() {
        server.close();
        loops.close();
    }

    private RawNbdClient simple() throws IOException {
        return RawNbdClient.connect(socket).greet().simple("disk");
    }

    private RawNbdClient structured() throws IOException {
        return RawNbdClient.connect(socket).greet().structured("disk");
    }

    private byte[] randomBytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    @Test
    void whatIsWrittenIsReadByAnotherConnectionAtAnySectorAndLength() throws IOException {
        try (RawNbdClient writer = structured();
                RawNbdClient reader = structured();
                RawNbdClient simple = simple()) {
            int[] lengths = {512, 4096, 5120, 128 * 1024 + 512, 3 * MIB + 512, 32 * MIB};
            long cookie = 1;
            for (int length : lengths) {
                long offset = random.nextInt((int) ((SIZE - length) / 512)) * 512L;
                byte[] data = randomBytes(length);
                writer.write(NbdProtocol.CMD_FLAG_FUA, cookie, offset, data);
                assertThat(writer.chunks()).extracting(Chunk::error).containsExactly(0);
                assertThat(reader.read(0, cookie, offset, length)).isEqualTo(data);
                assertThat(reader.read(NbdProtocol.CMD_FLAG_DF, cookie, offset, length))
                        .isEqualTo(data);
                simple.send(NbdProtocol.CMD_READ, 0, cookie, offset, length);
                assertThat(simple.simpleReply(cookie)).isZero();
                assertThat(simple.data(length)).isEqualTo(data);
                cookie++;
            }
        }
    }

    @Test
    void bytesThatComeOneByOneOrAllTogetherMakeTheSameRequests() throws IOException {
        byte[] data = randomBytes(8192);
        ByteBuffer stream = ByteBuffer.allocate(3 * 28 + data.length);
        stream.put(RawNbdClient.request(NbdProtocol.CMD_WRITE, 0, 1, 4096, data.length))
                .put(data);
        stream.put(RawNbdClient.request(NbdProtocol.CMD_FLUSH, 0, 2, 0, 0));
        stream.put(RawNbdClient.request(NbdProtocol.CMD_READ, 0, 3, 4096, data.length));
        for (int step : new int[] {1, 27, 29, 1000, stream.capacity()}) {
            try (RawNbdClient client = simple()) {
                for (int at = 0; at < stream.capacity(); at += step) {
                    client.send(Arrays.copyOfRange(stream.array(), at, Math.min(stream.capacity(), at + step)));
                }
                assertThat(client.simpleReply(1)).isZero();
                assertThat(client.simpleReply(2)).isZero();
                assertThat(client.simpleReply(3)).isZero();
                assertThat(client.data(data.length)).isEqualTo(data);
            }
        }
    }

    @Test
    void zerosComeAsHolesUnlessTheyMayNotBeFragmented() throws IOException {
        try (RawNbdClient client = structured()) {
            client.write(0, 1, 64 * 1024, randomBytes(4096));
            client.chunks();
            client.send(NbdProtocol.CMD_READ, 0, 2, 0, 256 * 1024);
            List<Chunk> chunks = client.chunks();
            assertThat(chunks)
                    .extracting(Chunk::type)
                    .containsExactly(
                            NbdProtocol.REPLY_TYPE_OFFSET_HOLE,
                            NbdProtocol.REPLY_TYPE_OFFSET_DATA,
                            NbdProtocol.REPLY_TYPE_OFFSET_HOLE);
            assertThat(chunks.get(1).payload()).hasSize(8 + 4096);
            client.send(NbdProtocol.CMD_READ, NbdProtocol.CMD_FLAG_DF, 3, 0, 256 * 1024);
            assertThat(client.chunks()).extracting(Chunk::type).containsExactly(NbdProtocol.REPLY_TYPE_OFFSET_DATA);
        }
    }

    @Test
    void trimAndZeroesOfAnyLengthReadAsZeros() throws IOException {
        try (RawNbdClient client = structured()) {
            byte[] data = randomBytes(32 * MIB);
            client.write(0, 1, 0, data);
            client.chunks();
            client.write(0, 2, 32L * MIB, data);
            client.chunks();
            int zeroes = NbdProtocol.CMD_WRITE_ZEROES;
            client.send(zeroes, NbdProtocol.CMD_FLAG_FAST_ZERO, 3, 512, 40L * MIB);
            assertThat(client.chunk().error()).isZero();
            assertThat(client.read(0, 4, 0, 1024))
                    .startsWith(Arrays.copyOf(data, 512))
                    .endsWith(new byte[512]);
            client.send(zeroes, NbdProtocol.CMD_FLAG_NO_HOLE, 5, 50L * MIB + 512, 3L * MIB);
            assertThat(client.chunk().error()).isZero();
            assertThat(client.read(0, 6, 50L * MIB + 512, 3 * MIB)).containsOnly(0);
            client.send(NbdProtocol.CMD_TRIM, NbdProtocol.CMD_FLAG_FUA, 7, 0, SIZE);
            assertThat(client.chunk().error()).isZero();
            client.send(NbdProtocol.CMD_BLOCK_STATUS, 0, 8, 0, SIZE);
            assertThat(extents(client.chunks())).containsExactly(64 * MIB, 3);
        }
    }

    private static List<Integer> extents(List<Chunk> chunks) {
        assertThat(chunks).hasSize(1);
        ByteBuffer payload = ByteBuffer.wrap(chunks.getFirst().payload());
        assertThat(payload.getInt()).isEqualTo(NbdProtocol.BASE_ALLOCATION_ID);
        java.util.ArrayList<Integer> result = new java.util.ArrayList<>();
        while (payload.hasRemaining()) {
            result.add(payload.getInt());
        }
        return result;
    }

    @Test
    void blockStatusTellsDataFromHolesAndOneMeansOne() throws IOException {
        try (RawNbdClient client = structured()) {
            client.write(0, 1, 3L * MIB, randomBytes(2 * MIB));
            client.chunks();
            client.send(NbdProtocol.CMD_BLOCK_STATUS, 0, 2, 512, 10L * MIB);
            assertThat(extents(client.chunks())).containsExactly(3 * MIB - 512, 3, 2 * MIB, 0, 5 * MIB + 512, 3);
            client.send(NbdProtocol.CMD_BLOCK_STATUS, NbdProtocol.CMD_FLAG_REQ_ONE, 3, 3L * MIB, 512);
            assertThat(extents(client.chunks())).containsExactly(512, 0);
        }
        try (RawNbdClient client = simple()) {
            client.send(NbdProtocol.CMD_BLOCK_STATUS, 0, 4, 0, 4096);
            assertThat(client.simpleReply(4)).isEqualTo(NbdErrno.INVALID.code());
        }
    }

    private record Bad(int command, int flags, long offset, long length, NbdErrno expected) {}

    @Test
    void badRequestsGetTheirErrorAndTheConnectionLivesOn() throws IOException {
        int read = NbdProtocol.CMD_READ;
        int zeroes = NbdProtocol.CMD_WRITE_ZEROES;
        int trim = NbdProtocol.CMD_TRIM;
        int fast = NbdProtocol.CMD_FLAG_FAST_ZERO | NbdProtocol.CMD_FLAG_NO_HOLE;
        List<Bad> bad = List.of(
                new Bad(read, 0, SIZE, 512, NbdErrno.INVALID),
                new Bad(read, 0, SIZE - 512, 1024, NbdErrno.INVALID),
                new Bad(read, 0, -512, 512, NbdErrno.INVALID),
                new Bad(read, 0, Long.MAX_VALUE - 511, 512, NbdErrno.INVALID),
                new Bad(read, 0, 0, 0, NbdErrno.INVALID),
                new Bad(read, 0, 1, 512, NbdErrno.INVALID),
                new Bad(read, 0, 0, 511, NbdErrno.INVALID),
                new Bad(read, 0, 0, 32L * MIB + 512, NbdErrno.INVALID),
                new Bad(read, 0, 0, 0xffffffffL, NbdErrno.INVALID),
                new Bad(read, NbdProtocol.CMD_FLAG_NO_HOLE, 0, 512, NbdErrno.INVALID),
                new Bad(read, 1 << 15, 0, 512, NbdErrno.INVALID),
                new Bad(zeroes, 0, SIZE - 512, 1024, NbdErrno.NO_SPACE),
                new Bad(zeroes, fast, 0, 4096, NbdErrno.NOT_SUPPORTED),
                new Bad(zeroes, NbdProtocol.CMD_FLAG_DF, 0, 512, NbdErrno.INVALID),
                new Bad(trim, 0, SIZE, 4096, NbdErrno.INVALID),
                new Bad(trim, 0, 0, 0, NbdErrno.INVALID),
                new Bad(NbdProtocol.CMD_CACHE, 0, SIZE, 4096, NbdErrno.INVALID),
                new Bad(NbdProtocol.CMD_CACHE, 1 << 4, 0, 4096, NbdErrno.INVALID),
                new Bad(NbdProtocol.CMD_FLUSH, 0, 0, 512, NbdErrno.INVALID),
                new Bad(NbdProtocol.CMD_FLUSH, 0, 512, 0, NbdErrno.INVALID),
                new Bad(8, 0, 0, 0, NbdErrno.INVALID),
                new Bad(0xffff, 0, 0, 512, NbdErrno.INVALID));
        try (RawNbdClient simple = simple();
                RawNbdClient structured = structured()) {
            long cookie = 100;
            for (Bad request : bad) {
                simple.send(request.command(), request.flags(), cookie, request.offset(), request.length());
                assertThat(simple.simpleReply(cookie))
                        .as("%s", request)
                        .isEqualTo(request.expected().code());
                structured.send(request.command(), request.flags(), cookie, request.offset(), request.length());
                Chunk chunk = structured.chunk();
                assertThat(chunk.error())
                        .as("%s", request)
                        .isEqualTo(request.expected().code());
                assertThat(chunk.done()).isTrue();
                assertThat(chunk.cookie()).isEqualTo(cookie);
                cookie++;
            }
            simple.send(read, NbdProtocol.CMD_FLAG_DF, 1, 0, 512);
            assertThat(simple.simpleReply(1)).isEqualTo(NbdErrno.INVALID.code());
        }
    }

    @Test
    void payloadOfARefusedWriteIsSkipped() throws IOException {
        try (RawNbdClient client = simple()) {
            client.write(0, 1, SIZE - 512, new byte[1024]);
            assertThat(client.simpleReply(1)).isEqualTo(NbdErrno.NO_SPACE.code());
            client.write(0, 2, 100, new byte[512]);
            assertThat(client.simpleReply(2)).isEqualTo(NbdErrno.INVALID.code());
            client.write(1 << 9, 3, 0, new byte[512]);
            assertThat(client.simpleReply(3)).isEqualTo(NbdErrno.INVALID.code());
            client.write(0, 4, 0, new byte[32 * MIB + 512]);
            assertThat(client.simpleReply(4)).isEqualTo(NbdErrno.INVALID.code());
            client.write(0, 5, 0, new byte[0]);
            assertThat(client.simpleReply(5)).isEqualTo(NbdErrno.INVALID.code());
            client.send(NbdProtocol.CMD_CACHE, 0, 6, 0, SIZE);
            assertThat(client.simpleReply(6)).isZero();
        }
    }

    @Test
    void readOnlyExportRefusesEveryChange() throws IOException {
        try (RawNbdClient client = RawNbdClient.connect(socket).greet().simple("frozen")) {
            client.write(0, 1, 0, new byte[512]);
            assertThat(client.simpleReply(1)).isEqualTo(NbdErrno.PERMISSION.code());
            client.send(NbdProtocol.CMD_TRIM, 0, 2, 0, 4096);
            assertThat(client.simpleReply(2)).isEqualTo(NbdErrno.PERMISSION.code());
            client.send(NbdProtocol.CMD_WRITE_ZEROES, 0, 3, 0, 4096);
            assertThat(client.simpleReply(3)).isEqualTo(NbdErrno.PERMISSION.code());
            client.send(NbdProtocol.CMD_READ, 0, 4, 0, 512);
            assertThat(client.simpleReply(4)).isZero();
        }
    }

    @Test
    void wrongMagicAndDisconnectEndTheConnection() throws IOException {
        try (RawNbdClient client = simple()) {
            client.send(new byte[28]);
            assertThat(client.isClosedByServer()).isTrue();
        }
        try (RawNbdClient client = simple()) {
            client.send(NbdProtocol.CMD_READ, 0, 1, 0, 512);
            client.send(NbdProtocol.CMD_DISC, 0, 2, 0, 0);
            assertThat(client.simpleReply(1)).isZero();
            client.data(512);
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void connectionsToARemovedExportAreClosedAndOthersStay() throws IOException {
        try (RawNbdClient gone = simple();
                RawNbdClient stays = RawNbdClient.connect(socket).greet().simple("frozen")) {
            server.closeConnections(disk);
            assertThat(gone.isClosedByServer()).isTrue();
            stays.send(NbdProtocol.CMD_FLUSH, 0, 1, 0, 0);
            assertThat(stays.simpleReply(1)).isZero();
        }
    }
}
