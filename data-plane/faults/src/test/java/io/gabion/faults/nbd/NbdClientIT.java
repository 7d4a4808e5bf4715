package io.gabion.faults.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gabion.faults.check.BlockHistory;
import io.gabion.faults.check.BlockLoad;
import io.gabion.faults.check.LoadShape;
import io.gabion.faults.cluster.Waiting;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The client and the load against nbdkit, a server we did not write. It serves one request at a time: a read beside a
 * write of the same block would otherwise meet half of it in the page cache, which the check rightly calls wrong bytes.
 */
@Timeout(60)
class NbdClientIT {
    private static final int SIZE_BYTES = 16 << 20;

    @TempDir
    private Path directory;

    private Process server;
    private NbdAddress address;

    @BeforeEach
    void serve() throws IOException {
        Path program = Path.of("/usr/bin/nbdkit");
        assumeTrue(Files.isExecutable(program), "nbdkit (Debian package nbdkit) is missing");
        Path image = directory.resolve("image.raw");
        Files.write(image, new byte[SIZE_BYTES]);
        Path socket = directory.resolve("nbd.sock");
        address = new NbdAddress("", socket, "disk");
        server = new ProcessBuilder(
                        program.toString(),
                        "--foreground",
                        "--threads=1",
                        "--unix=" + socket,
                        "--filter=exportname",
                        "file",
                        image.toString(),
                        "exportname=disk",
                        "exportname-strict=true")
                .inheritIO()
                .start();
        Waiting.until("nbdkit listening", Duration.ofSeconds(10), () -> answers(socket));
    }

    /** The file is there a moment before the server listens. */
    private static boolean answers(Path socket) {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            return false;
        }
    }

    @AfterEach
    void endServer() throws InterruptedException {
        if (server != null) {
            server.destroyForcibly().waitFor();
        }
    }

    @Test
    void writesAreReadBackAndErrorsAreAnswers() throws IOException {
        try (NbdClient client = NbdClient.connect(address)) {
            assertThat(client.sizeBytes()).isEqualTo(SIZE_BYTES);
            ByteBuffer data = ByteBuffer.allocate(8192);
            data.putInt(4096, 4711);
            assertThat(client.write(4096, data, true).join()).isInstanceOf(NbdReply.Done.class);
            assertThat(client.flush().join()).isInstanceOf(NbdReply.Done.class);
            assertThat(client.read(8192, 4096).join()).isInstanceOfSatisfying(NbdReply.Done.class, done -> assertThat(
                            done.data().getInt(0))
                    .isEqualTo(4711));
            assertThat(client.read(SIZE_BYTES, 4096).join()).isInstanceOf(NbdReply.Failed.class);
            assertThat(client.outstanding()).isZero();
        }
    }

    @Test
    void anUnknownExportIsRefusedWithTheServersReason() {
        assertThatThrownBy(() -> NbdClient.connect(new NbdAddress("", address.socket(), "other")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("other");
    }

    @Test
    void theEndOfTheServerEndsEveryRequest() throws IOException, InterruptedException {
        try (NbdClient client = NbdClient.connect(address)) {
            endServer();
            assertThat(client.read(0, 4096).join()).isInstanceOf(NbdReply.Disconnected.class);
            assertThat(client.outstanding()).isZero();
        }
    }

    @Test
    void aMixedLoadOnASoundServerIsClean() throws IOException {
        BlockHistory history = new BlockHistory(3, SIZE_BYTES);
        try (NbdClient client = NbdClient.connect(address);
                BlockLoad load = BlockLoad.start(client, history, LoadShape.MIXED, 5)) {
            Waiting.until("2000 answers", Duration.ofSeconds(30), () -> load.answers() > 2_000);
            assertThat(BlockLoad.checkAll(client, history)).isZero();
            load.stop();
            assertThat(BlockLoad.checkAll(client, history)).isZero();
            assertThat(load.errors()).isZero();
            assertThat(history.findings().details()).isEmpty();
            // One value per block, and few that a read beside the last one, or a second trim, still left possible.
            assertThat(history.remembered()).isLessThan(SIZE_BYTES / BlockHistory.BLOCK_BYTES * 5 / 4);
        }
    }

    @Test
    void aServerThatForgetsAWriteIsFound() throws IOException {
        BlockHistory history = new BlockHistory(3, SIZE_BYTES);
        try (NbdClient client = NbdClient.connect(address)) {
            ByteBuffer data = ByteBuffer.allocate(4096);
            BlockHistory.Operation write = history.beginWrite(12_288, data);
            client.write(12_288, data, false).join();
            history.acknowledge(write);
            client.writeZeroes(12_288, 4096).join();
            BlockLoad.checkAll(client, history);
            assertThat(history.findings().lostBlocks()).isOne();
        }
    }
}
