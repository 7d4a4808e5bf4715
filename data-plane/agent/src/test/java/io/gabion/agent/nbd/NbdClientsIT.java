package io.gabion.agent.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.wire.Backend;
import io.gabion.wire.EventLoops;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The clients that people use. */
@Timeout(180)
class NbdClientsIT {
    private static final int MIB = 1024 * 1024;
    private static final long SIZE = 64L * MIB;

    @TempDir
    Path directory;

    private EventLoops loops;
    private NbdServer server;
    private String uri = "";

    @BeforeEach
    void start() throws IOException {
        loops = EventLoops.start(Backend.Choice.AUTO, 2, "test");
        ExportTable exports = new ExportTable();
        exports.add(new MemoryExport("disk", SIZE, false));
        server = new NbdServer(loops, exports, false);
        Path socket = directory.resolve("nbd.sock");
        server.listenUnix(socket);
        uri = "nbd+unix:///disk?socket=" + socket;
    }

    @AfterEach
    void stop() {
        server.close();
        loops.close();
    }

    private Path randomFile(int mebibytes) throws IOException {
        Path file = directory.resolve("random");
        byte[] block = new byte[MIB];
        Random random = new Random(7);
        try (OutputStream out = Files.newOutputStream(file)) {
            for (int i = 0; i < mebibytes; i++) {
                random.nextBytes(block);
                out.write(block);
            }
        }
        return file;
    }

    @Test
    void nbdinfoSeesWhatWeAdvertise() throws Exception {
        Clients.requireInstalled("nbdinfo");
        assertThat(Clients.succeed("nbdinfo", "--json", uri))
                .contains("\"protocol\": \"newstyle-fixed\"")
                .contains("\"structured\": true")
                .contains("\"base:allocation\"")
                .contains("\"can_multi_conn\": true")
                .contains("\"can_fast_zero\": true")
                .contains("\"block_size_minimum\": 512")
                .contains("\"block_size_preferred\": 4096")
                .contains("\"export-size\": " + SIZE);
        assertThat(Clients.run("nbdinfo", uri.replace("/disk?", "/other?")).exitCode())
                .isNotZero();
    }

    @Test
    void nbdcopyInAndOutKeepsEveryByte() throws Exception {
        Clients.requireInstalled("nbdcopy");
        Path original = randomFile(64);
        Path copy = directory.resolve("copy");
        Clients.succeed("nbdcopy", "--flush", original.toString(), uri);
        Clients.succeed("nbdcopy", uri, copy.toString());
        assertThat(Files.mismatch(original, copy)).isEqualTo(-1);
    }

    @Test
    void qemuImgConvertsInAndOut() throws Exception {
        Clients.requireInstalled("qemu-img");
        Path raw = randomFile(40);
        Path first = directory.resolve("first.qcow2");
        Path second = directory.resolve("second.qcow2");
        Clients.succeed("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw.toString(), first.toString());
        Clients.succeed("qemu-img", "convert", "-n", "-f", "qcow2", "-O", "raw", first.toString(), uri);
        Clients.succeed("qemu-img", "convert", "-f", "raw", "-O", "qcow2", uri, second.toString());
        // The device is larger than the image; what follows must read as zeros, or compare complains.
        Clients.succeed("qemu-img", "compare", first.toString(), second.toString());
    }

    @Test
    void nbdshScriptOfEveryCommandPasses() throws Exception {
        Clients.requireInstalled("nbdsh");
        String script = """
                import errno
                assert h.can_fua() and h.can_flush() and h.can_trim() and h.can_zero() and h.can_multi_conn()
                h.pwrite(b'a' * 65536, 0, nbd.CMD_FLAG_FUA)
                h.flush()
                h.pwrite(b'b' * 512, 512)
                assert h.pread(1536, 0) == b'a' * 512 + b'b' * 512 + b'a' * 512
                def chunk(data, offset, status, err):
                    pass
                assert h.pread_structured(65536, 0, chunk, nbd.CMD_FLAG_DF)[512:1024] == b'b' * 512
                h.zero(4096, 4096, nbd.CMD_FLAG_NO_HOLE)
                h.zero(4096, 8192, nbd.CMD_FLAG_FAST_ZERO)
                assert h.pread(8192, 4096) == bytearray(8192)
                h.trim(65536, 0)
                assert h.pread(65536, 0) == bytearray(65536)
                h.pwrite(b'c' * 65536, 1048576)
                seen = []
                def extents(metacontext, offset, entries, err):
                    seen.extend(entries)
                h.block_status(4194304, 0, extents)
                assert seen == [1048576, 3, 65536, 0, 3080192, 3], seen
                h.cache(65536, 0)
                h.set_strict_mode(0)
                def fails(code, call, *args):
                    try:
                        call(*args)
                    except nbd.Error as e:
                        assert e.errnum == code, (e.errnum, code)
                    else:
                        assert False, 'no error'
                fails(errno.EINVAL, h.pread, 512, h.get_size())
                fails(errno.ENOSPC, h.pwrite, b'x' * 512, h.get_size())
                fails(errno.EINVAL, h.pread, 100, 0)
                fails(errno.EINVAL, h.trim, 4096, h.get_size())
                fails(errno.ENOTSUP, h.zero, 4096, 0, nbd.CMD_FLAG_FAST_ZERO | nbd.CMD_FLAG_NO_HOLE)
                assert h.pread(512, 1048576) == b'c' * 512
                h.shutdown()
                """;
        Clients.succeed("nbdsh", "--base-allocation", "-u", uri, "-c", script);
    }

    @Test
    void fioVerifiesMixedSizes() throws Exception {
        Clients.requireInstalled("fio");
        Clients.succeed(
                "fio",
                "--name=verify",
                "--ioengine=nbd",
                "--uri=" + uri,
                "--rw=randrw",
                "--bsrange=512-128k",
                "--bs_unaligned=0",
                "--blockalign=512",
                "--iodepth=16",
                "--size=" + SIZE,
                "--io_size=192m",
                "--verify=crc32c",
                "--serialize_overlap=1",
                "--verify_fatal=1");
    }
}
