package io.gabion.agent.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.agent.nbd.BlockCommand;
import io.gabion.agent.nbd.BlockCompletion;
import io.gabion.agent.nbd.BlockExport;
import io.gabion.agent.nbd.BlockFailure;
import io.gabion.agent.nbd.BlockOutcome;
import io.gabion.agent.nbd.Clients;
import io.gabion.agent.nbd.MemoryExport;
import io.gabion.core.message.Payload;
import io.gabion.model.VolumeId;
import io.gabion.process.testing.Waiting;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Loop devices over our FUSE server, used by the kernel's file systems and by fio. */
@Timeout(180)
class VolumeDevicesIT {
    private static final long MIB = 1024 * 1024;
    private static final long SIZE = 128 * MIB;

    @TempDir
    Path directory;

    private final VolumeId volume = new VolumeId(UUID.randomUUID());
    private final Turned export = new Turned(SIZE, 1024 * MIB);
    private final List<Path> mounted = new ArrayList<>();
    private VolumeDevices devices;

    /** Memory that can grow, and can be told to fail or to keep its answers back. */
    private static final class Turned implements BlockExport {
        private final MemoryExport memory;
        private volatile long sizeBytes;
        private volatile boolean failing;
        private volatile boolean readOnly;
        private boolean holding;
        private final List<Runnable> held = new ArrayList<>();
        private long heldBytes;

        Turned(long sizeBytes, long mostBytes) {
            this.memory = new MemoryExport("turned", mostBytes, false);
            this.sizeBytes = sizeBytes;
        }

        @Override
        public String name() {
            return "turned";
        }

        @Override
        public long sizeBytes() {
            return sizeBytes;
        }

        @Override
        public boolean readOnly() {
            return readOnly;
        }

        @Override
        public void submit(BlockCommand command, BlockCompletion completion) {
            if (failing) {
                if (command instanceof BlockCommand.Write(var _, Payload payload)) {
                    payload.release();
                }
                completion.complete(new BlockOutcome.Failed(BlockFailure.CLOSED));
                return;
            }
            synchronized (this) {
                if (holding) {
                    if (command instanceof BlockCommand.Write(var _, Payload payload)) {
                        heldBytes += payload.length();
                    }
                    held.add(() -> memory.submit(command, completion));
                    return;
                }
            }
            memory.submit(command, completion);
        }

        synchronized void hold() {
            holding = true;
        }

        synchronized void release() {
            holding = false;
            held.forEach(Runnable::run);
            held.clear();
            heldBytes = 0;
        }

        synchronized long heldBytes() {
            return heldBytes;
        }
    }

    @BeforeEach
    void start() throws IOException {
        Privileges.requireDevices();
        devices = new VolumeDevices(directory.resolve("devices"), "node-1", DescriptorKeeper.none(), resend());
    }

    @AfterEach
    void stop() throws Exception {
        if (devices == null) {
            return;
        }
        export.release();
        for (Path path : mounted) {
            Clients.run("umount", path.toString());
        }
        devices.detach(volume, true);
        devices.close();
        assertThat(Files.readString(Path.of("/proc/mounts"))).doesNotContain(volume.toString());
    }

    /** See {@link KeptRequestsIT}. */
    VolumeDevices.Resend resend() {
        return VolumeDevices.Resend.AUTO;
    }

    private void mount(String device, Path path) throws Exception {
        Files.createDirectories(path);
        Clients.succeed("mount", device, path.toString());
        mounted.add(path);
    }

    private void unmount(Path path) throws Exception {
        Clients.succeed("umount", path.toString());
        mounted.remove(path);
    }

    private static String block(String device, String name) throws IOException {
        return Files.readString(Path.of("/sys/block/" + device.substring("/dev/".length()) + "/" + name))
                .strip();
    }

    @Test
    void deviceIsDirectAndNamesItsVolume() throws Exception {
        String device = devices.attach(volume, export);
        assertThat(device).matches("/dev/loop[0-9]+");
        assertThat(devices.attach(volume, export)).isEqualTo(device);
        assertThat(block(device, "size")).isEqualTo(Long.toString(SIZE / 512));
        assertThat(block(device, "loop/dio")).isEqualTo("1");
        assertThat(block(device, "loop/autoclear")).isEqualTo("1");
        assertThat(block(device, "queue/logical_block_size")).isEqualTo("512");
        assertThat(block(device, "queue/discard_granularity")).isEqualTo("4096");
        assertThat(block(device, "loop/backing_file")).endsWith(volume + "/disk");
        assertThat(Clients.succeed("ls", directory.resolve("devices/" + volume).toString()))
                .isEqualTo("disk\n");
        devices.detach(volume, false);
        assertThat(devices.path(volume)).isEmpty();
        assertThat(directory.resolve("devices/" + volume)).doesNotExist();
        assertThat(Files.exists(Path.of("/sys/block/" + device.substring(5) + "/loop/backing_file")))
                .isFalse();
    }

    @Test
    void fileSystemKeepsItsFilesAndGivesSpaceBack() throws Exception {
        String device = devices.attach(volume, export);
        Clients.succeed("mkfs.ext4", "-q", "-F", device);
        Path files = directory.resolve("files");
        mount(device, files);
        assertThatThrownBy(() -> devices.detach(volume, false)).hasMessageContaining(device + " is in use");
        Path sources = directory.resolve("src");
        Clients.succeed("cp", "-r", Path.of("src").toAbsolutePath().toString(), sources.toString());
        Clients.succeed("cp", "-r", sources.toString(), files.toString());
        Clients.succeed("fstrim", files.toString());
        unmount(files);
        Clients.succeed("e2fsck", "-f", "-n", device);
        mount(device, files);
        Clients.succeed("diff", "-r", sources.toString(), files.resolve("src").toString());
        unmount(files);
        devices.detach(volume, false);
        String again = devices.attach(volume, export);
        Clients.succeed("e2fsck", "-f", "-n", again);
    }

    @Test
    void everySectorIsWhatWasWrittenLast() throws Exception {
        String device = devices.attach(volume, export);
        Clients.requireInstalled("fio");
        Clients.succeed(
                "fio",
                "--name=verify",
                "--ioengine=libaio",
                "--direct=1",
                "--filename=" + device,
                "--rw=randrw",
                "--bsrange=512-2m",
                "--bs_unaligned=0",
                "--blockalign=512",
                "--iodepth=32",
                "--size=" + SIZE,
                "--verify=crc32c",
                "--serialize_overlap=1",
                "--verify_fatal=1");
        // Zeroed and discarded space reads as zeros; what lies beside it stays.
        Clients.succeed("dd", "if=/dev/urandom", "of=" + device, "bs=1M", "count=8", "oflag=direct", "status=none");
        Clients.succeed("blkdiscard", "--offset", "1048576", "--length", "2097152", device);
        Clients.succeed("blkdiscard", "--zeroout", "--offset", "4194816", "--length", "1024", device);
        try (RandomAccessFile file = new RandomAccessFile(device, "r")) {
            byte[] bytes = new byte[(int) (8 * MIB)];
            file.readFully(bytes);
            for (int i = 0; i < bytes.length; i++) {
                boolean zeroed = (i >= MIB && i < 3 * MIB) || (i >= 4194816 && i < 4195840);
                if (zeroed && bytes[i] != 0) {
                    assertThat(i).as("a byte that should be zero").isEqualTo(-1);
                }
            }
            assertThat(bytes[4194815] | bytes[4194814] | bytes[4194813]).isNotZero();
            assertThat(bytes[4195840] | bytes[4195841] | bytes[4195842]).isNotZero();
        }
    }

    @Test
    void growthReachesTheMountedFileSystem() throws Exception {
        // xfs: growing a mounted ext4 takes CAP_SYS_RESOURCE, which containers often lack.
        Clients.requireInstalled("mkfs.xfs");
        export.sizeBytes = 320 * MIB;
        String device = devices.attach(volume, export);
        Clients.succeed("mkfs.xfs", "-q", "-s", "size=4096", device);
        Path files = directory.resolve("files");
        mount(device, files);
        long before = Files.getFileStore(files).getTotalSpace();
        export.sizeBytes = 640 * MIB;
        devices.grow(volume, export);
        assertThat(block(device, "size")).isEqualTo(Long.toString(640 * MIB / 512));
        Clients.succeed("xfs_growfs", files.toString());
        assertThat(Files.getFileStore(files).getTotalSpace()).isGreaterThan(before + 300 * MIB);
        unmount(files);
        Clients.succeed("xfs_repair", "-n", device);
    }

    @Test
    void readOnlyVolumeIsAReadOnlyDevice() throws Exception {
        export.readOnly = true;
        String device = devices.attach(volume, export);
        assertThat(block(device, "ro")).isEqualTo("1");
        assertThat(Clients.run("dd", "if=/dev/zero", "of=" + device, "bs=4k", "count=1")
                        .exitCode())
                .isNotZero();
        Clients.succeed("dd", "if=" + device, "of=/dev/null", "bs=1M", "count=4", "iflag=direct", "status=none");
    }

    @Test
    void closedExportFailsTheDeviceAtOnce() throws Exception {
        String device = devices.attach(volume, export);
        export.failing = true;
        long before = System.nanoTime();
        for (String direction :
                List.of("if=" + device + " of=/dev/null iflag=direct", "if=/dev/zero of=" + device + " oflag=direct")) {
            List<String> command = new ArrayList<>(List.of("dd", "bs=4k", "count=1"));
            command.addAll(List.of(direction.split(" ", -1)));
            Clients.Result result = Clients.run(command.toArray(String[]::new));
            assertThat(result.output()).contains("Input/output error");
        }
        assertThat(System.nanoTime() - before).isLessThan(TimeUnit.SECONDS.toNanos(1));
    }

    @Test
    void failedDeviceTakesItsFileSystemAlong() throws Exception {
        for (String type : List.of("ext4", "xfs")) {
            export.failing = false;
            export.sizeBytes = 320 * MIB;
            String device = devices.attach(volume, export);
            Clients.requireInstalled("mkfs." + type);
            Clients.succeed("mkfs." + type, "-q", type.equals("xfs") ? "-f" : "-F", device);
            Path files = directory.resolve("files");
            mount(device, files);
            Path file = Files.writeString(files.resolve("file"), "remembered");
            Clients.succeed("sync", "-f", files.toString());
            export.failing = true;
            assertThat(Files.readString(file)).as("the page cache knows it").isEqualTo("remembered");
            long before = System.nanoTime();
            devices.shutDownFileSystem(volume);
            assertThatThrownBy(() -> Files.readString(file)).as(type).hasMessageContaining("Input/output error");
            assertThat(System.nanoTime() - before).isLessThan(TimeUnit.SECONDS.toNanos(1));
            unmount(files);
            devices.detach(volume, false);
        }
    }

    @Test
    void deviceWithoutAFileSystemIsNotMounted() throws Exception {
        String device = devices.attach(volume, export);
        Clients.succeed("mkfs.ext4", "-q", "-F", device);
        devices.shutDownFileSystem(volume);
        Path files = directory.resolve("files");
        mount(device, files);
        Files.writeString(files.resolve("file"), "written");
        unmount(files);
    }

    @Test
    void waitingVolumeTakesABoundedShareOfMemory() throws Exception {
        String device = devices.attach(volume, export);
        export.hold();
        CompletableFuture<Clients.Result> fio = CompletableFuture.supplyAsync(() -> {
            try {
                return Clients.run(
                        "fio",
                        "--name=flood",
                        "--ioengine=libaio",
                        "--direct=1",
                        "--filename=" + device,
                        "--rw=write",
                        "--bs=1m",
                        "--iodepth=128",
                        "--size=" + SIZE);
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        long seen = 0;
        long since = System.nanoTime();
        // Full when nothing more came for a while.
        while (seen == 0 || System.nanoTime() - since < TimeUnit.MILLISECONDS.toNanos(300)) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            if (export.heldBytes() != seen) {
                seen = export.heldBytes();
                since = System.nanoTime();
            }
            Waiting.pass(Duration.ofMillis(5));
        }
        assertThat(seen).isBetween(30 * MIB, 40 * MIB);
        export.release();
        assertThat(fio.join().exitCode()).as(fio.join().output()).isZero();
    }
}
