package io.gabion.faults.powerloss;

import static io.gabion.faults.powerloss.MountedDisk.BLOCK_BYTES;
import static io.gabion.faults.powerloss.MountedDisk.block;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What survives a power cut and what does not, on a real mount. */
@Timeout(60)
class PowerLossFileSystemIT {
    private static final int SECTOR_BYTES = 512;

    @TempDir
    private Path directory;

    private MountedDisk disk;

    @BeforeEach
    void mount() throws IOException {
        disk = new MountedDisk(directory);
    }

    @AfterEach
    void unmount() {
        disk.close();
    }

    @Test
    void filesBehaveAsFilesWhileThePowerIsOn() throws IOException {
        Path sub = Files.createDirectories(disk.path("a/b"));
        Path file = sub.resolve("file");
        Files.write(file, block(1));
        Files.write(file, block(2), StandardOpenOption.APPEND);
        Path link = Files.createLink(sub.resolve("link"), file);
        assertThat(Files.size(link)).isEqualTo(2L * BLOCK_BYTES);
        Files.move(file, disk.path("a/moved"), StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel channel = MountedDisk.open(disk.path("a/moved"))) {
            channel.truncate(10);
            MountedDisk.write(channel, new byte[] {7}, 20);
        }
        byte[] expected = new byte[21];
        Arrays.fill(expected, 0, 10, (byte) 1);
        expected[20] = 7;
        assertThat(Files.readAllBytes(link)).isEqualTo(expected);
        try (Stream<Path> entries = Files.list(disk.path("a"))) {
            assertThat(entries.map(p -> p.getFileName().toString())).containsExactlyInAnyOrder("b", "moved");
        }
        assertThatThrownBy(() -> Files.delete(disk.path("a"))).isInstanceOf(IOException.class);
        Files.delete(link);
        Files.delete(sub);
        assertThat(Files.exists(sub)).isFalse();
        assertThat(Files.getFileStore(disk.path("a")).getBlockSize()).isEqualTo(BLOCK_BYTES);
    }

    @Test
    void unsyncedWritesAreLostInSomeCutsAndKeptInOthers() throws IOException {
        disk.durableFile("file", block(1));
        Set<Byte> found = new HashSet<>();
        for (int seed = 0; seed < 30; seed++) {
            Files.write(disk.path("file"), block(2), StandardOpenOption.WRITE);
            assertThat(disk.read("file")).isEqualTo(block(2));
            disk.fileSystem.cut(seed);
            for (byte b : disk.read("file")) {
                found.add(b);
            }
            disk.durableFile("file", block(1));
        }
        assertThat(found).containsExactlyInAnyOrder((byte) 1, (byte) 2);
    }

    @Test
    void theSameSeedOnTheSameStateFindsTheSame() throws IOException {
        Set<List<Object>> outcomes = new HashSet<>();
        for (int run = 0; run < 3; run++) {
            disk.durableFile("file", new byte[64 * BLOCK_BYTES]);
            try (FileChannel file = MountedDisk.open(disk.path("file"))) {
                for (int i = 0; i < 64; i++) {
                    MountedDisk.write(file, block(i + 1), (long) i * BLOCK_BYTES);
                }
                Files.createFile(disk.path("one"));
                Files.createFile(disk.path("two"));
            }
            CutReport report = disk.fileSystem.cut(6);
            outcomes.add(List.of(
                    report,
                    Arrays.hashCode(disk.read("file")),
                    Files.exists(disk.path("one")),
                    Files.exists(disk.path("two"))));
            Files.deleteIfExists(disk.path("one"));
            Files.deleteIfExists(disk.path("two"));
            disk.fileSystem.syncAll();
        }
        assertThat(outcomes).hasSize(1);
    }

    @Test
    void syncedDataAlwaysSurvives() throws IOException {
        for (int seed = 0; seed < 20; seed++) {
            try (FileChannel file = MountedDisk.open(disk.path("file" + seed))) {
                MountedDisk.write(file, block(seed), 0);
                MountedDisk.write(file, block(seed + 1), BLOCK_BYTES);
                file.force((seed & 1) == 0);
                MountedDisk.write(file, block(99), 2L * BLOCK_BYTES);
            }
            disk.fileSystem.cut(seed);
            byte[] found = disk.read("file" + seed);
            assertThat(Arrays.copyOf(found, BLOCK_BYTES)).isEqualTo(block(seed));
            assertThat(Arrays.copyOfRange(found, BLOCK_BYTES, 2 * BLOCK_BYTES)).isEqualTo(block(seed + 1));
        }
    }

    @Test
    void directWritesWithDsyncSurviveAndThoseWithoutAreNotTreatedAsSynced() throws IOException {
        int blocks = 16;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(BLOCK_BYTES, BLOCK_BYTES);
            disk.durableFile("data", new byte[2 * blocks * BLOCK_BYTES]);
            try (FileChannel synced =
                            MountedDisk.open(disk.path("data"), MountedDisk.directOption(), StandardOpenOption.DSYNC);
                    FileChannel plain = MountedDisk.open(disk.path("volatile"), MountedDisk.directOption())) {
                for (int i = 0; i < blocks; i++) {
                    buffer.fill((byte) (i + 1));
                    synced.write(buffer.asByteBuffer(), (long) i * BLOCK_BYTES);
                    plain.write(buffer.asByteBuffer(), (long) i * BLOCK_BYTES);
                }
                assertThatThrownBy(() -> plain.write(buffer.asSlice(0, 100).asByteBuffer(), 0))
                        .isInstanceOf(IOException.class);
            }
        }
        assertThat(disk.fileSystem.counts().unsyncedBytes()).isEqualTo((long) blocks * BLOCK_BYTES);
        CutReport report = disk.fileSystem.cut(1, (path, offset, length) -> Survival.DROPPED);
        assertThat(report.bytesKept()).isZero();
        byte[] found = disk.read("data");
        for (int i = 0; i < blocks; i++) {
            assertThat(found[i * BLOCK_BYTES + 17]).isEqualTo((byte) (i + 1));
        }
    }

    @Test
    void oneWriteMadeWithTheDsyncFlagSurvivesAndItsNeighbourDoesNot() throws IOException {
        disk.durableFile("data", new byte[2 * BLOCK_BYTES]);
        NativeWrites.write(disk.path("data"), block(5), 0, NativeWrites.RWF_DSYNC);
        NativeWrites.write(disk.path("data"), block(6), BLOCK_BYTES, 0);
        disk.fileSystem.cut(1, (path, offset, length) -> Survival.DROPPED);
        byte[] found = disk.read("data");
        assertThat(found[0]).isEqualTo((byte) 5);
        assertThat(found[BLOCK_BYTES]).isZero();
    }

    @Test
    void writesAreTornAtSectorsAndAtPages() throws IOException {
        int blocks = 8;
        byte[] before = new byte[blocks * BLOCK_BYTES];
        Arrays.fill(before, (byte) 1);
        byte[] after = new byte[blocks * BLOCK_BYTES];
        Arrays.fill(after, (byte) 2);
        boolean insidePage = false;
        boolean betweenPages = false;
        for (int seed = 0; seed < 60; seed++) {
            disk.durableFile("file", before);
            try (FileChannel file = MountedDisk.open(disk.path("file"))) {
                MountedDisk.write(file, after, 0);
            }
            CutReport report = disk.fileSystem.cut(seed);
            byte[] found = disk.read("file");
            Set<Byte> values = new HashSet<>();
            boolean pageTorn = false;
            for (int sector = 0; sector < found.length / SECTOR_BYTES; sector++) {
                byte first = found[sector * SECTOR_BYTES];
                for (int i = 0; i < SECTOR_BYTES; i++) {
                    assertThat(found[sector * SECTOR_BYTES + i]).isEqualTo(first);
                }
                values.add(first);
                pageTorn |= first != found[sector / 8 * BLOCK_BYTES];
            }
            assertThat(report.writesTorn()).isEqualTo(values.size() == 2 ? 1 : 0);
            insidePage |= pageTorn;
            betweenPages |= values.size() == 2 && !pageTorn;
        }
        assertThat(insidePage).isTrue();
        assertThat(betweenPages).isTrue();
    }

    @Test
    void aRenameIsLostInSomeCutsUnlessItsDirectoryIsSynced() throws IOException {
        Set<String> unsynced = new HashSet<>();
        for (int seed = 0; seed < 20; seed++) {
            disk.durableFile("new", block(2));
            disk.durableFile("name", block(1));
            Files.move(disk.path("new"), disk.path("name"), StandardCopyOption.ATOMIC_MOVE);
            if (seed % 2 == 0) {
                disk.fileSystem.cut(seed);
                unsynced.add("name=" + disk.read("name")[0] + " new=" + Files.exists(disk.path("new")));
            } else {
                MountedDisk.syncDirectory(disk.fileSystem.mountPoint());
                disk.fileSystem.cut(seed);
                assertThat(disk.read("name")).isEqualTo(block(2));
                assertThat(Files.exists(disk.path("new"))).isFalse();
            }
        }
        assertThat(unsynced).containsExactlyInAnyOrder("name=1 new=true", "name=2 new=false");
    }

    @Test
    void removalsAndNewDirectoriesAreLostOrKeptInTheirOrder() throws IOException {
        Set<String> outcomes = new HashSet<>();
        for (int seed = 0; seed < 40; seed++) {
            disk.durableFile("old", block(1));
            disk.fileSystem.syncAll();
            Files.createDirectory(disk.path("d"));
            Files.createFile(disk.path("d/f"));
            Files.delete(disk.path("old"));
            disk.fileSystem.cut(seed);
            boolean made = Files.exists(disk.path("d"));
            boolean filled = Files.exists(disk.path("d/f"));
            boolean kept = Files.exists(disk.path("old"));
            assertThat(!filled || made).isTrue();
            assertThat(kept || filled).isTrue();
            outcomes.add(made + " " + filled + " " + kept);
            Files.deleteIfExists(disk.path("d/f"));
            Files.deleteIfExists(disk.path("d"));
            disk.fileSystem.syncAll();
        }
        assertThat(outcomes).hasSize(4);
    }

    @Test
    void aFileRemovedWhileOpenStaysReadableAndWritable() throws IOException {
        disk.durableFile("file", block(1));
        try (FileChannel file = MountedDisk.open(disk.path("file"))) {
            Files.delete(disk.path("file"));
            MountedDisk.syncDirectory(disk.fileSystem.mountPoint());
            MountedDisk.write(file, block(2), BLOCK_BYTES);
            file.force(true);
            assertThat(file.size()).isEqualTo(2L * BLOCK_BYTES);
        }
        disk.fileSystem.cut(3);
        assertThat(Files.exists(disk.path("file"))).isFalse();
    }

    @Test
    void descriptorsFromBeforeACutCannotChangeWhatComesAfter() throws IOException {
        disk.durableFile("file", block(1));
        try (FileChannel file = MountedDisk.open(disk.path("file"))) {
            disk.fileSystem.cut(1);
            assertThatThrownBy(() -> MountedDisk.write(file, block(2), 0)).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> file.force(true)).isInstanceOf(IOException.class);
        }
        assertThat(disk.read("file")).isEqualTo(block(1));
    }

    @Test
    void theBackingDirectoryHoldsWhatTheMountShowsAfterACut() throws IOException {
        Files.createDirectory(disk.path("d"));
        disk.durableFile("d/file", block(1));
        Files.write(disk.path("d/file"), block(2), StandardOpenOption.WRITE);
        disk.fileSystem.cut(5);
        byte[] found = disk.read("d/file");
        assertThat(Files.readAllBytes(disk.fileSystem.backing().resolve("d/file")))
                .isEqualTo(found);
        disk.close();
        disk = new MountedDisk(directory);
        assertThat(disk.read("d/file")).isEqualTo(found);
    }

    @Test
    void zeroFillingADiskCostsNoMemory() throws IOException {
        byte[] zeros = new byte[1 << 20];
        try (FileChannel file = MountedDisk.open(disk.path("area"))) {
            for (int i = 0; i < 256; i++) {
                MountedDisk.write(file, zeros, (long) i << 20);
            }
            // The kernel may split an unaligned buffer so that less than a sector is left over: bytes, not blocks.
            assertThat(disk.fileSystem.counts().unsyncedBytes()).isLessThan(1 << 20);
            file.force(true);
        }
        disk.fileSystem.cut(1);
        assertThat(Files.size(disk.path("area"))).isEqualTo(256L << 20);
    }

    @Test
    void holesArePunchedAndFilesPreallocated() throws IOException, InterruptedException {
        Path file = disk.durableFile("file", new byte[4 * BLOCK_BYTES]);
        Files.write(file, block(3), StandardOpenOption.WRITE);
        run("fallocate", "-p", "-o", "512", "-l", "1024", file.toString());
        run("fallocate", "-l", "65536", file.toString());
        byte[] found = disk.read("file");
        assertThat(found).hasSize(65536);
        assertThat(found[511]).isEqualTo((byte) 3);
        assertThat(found[512]).isZero();
        assertThat(found[1535]).isZero();
        assertThat(found[1536]).isEqualTo((byte) 3);
        try (FileChannel channel = MountedDisk.open(file)) {
            channel.force(false);
        }
        disk.fileSystem.cut(1);
        assertThat(disk.read("file")).isEqualTo(found);
    }

    @Test
    void aLockIsHeldUntilItsOwnerDies() throws IOException, InterruptedException {
        Path file = disk.durableFile("LOCK", new byte[1]);
        Process owner = new ProcessBuilder(
                        "flock", "--no-fork", file.toString(), "sh", "-c", "echo held; exec sleep 60")
                .start();
        assertThat(owner.getInputStream().read()).isEqualTo('h');
        assertThat(tryLock(file)).isFalse();
        owner.destroyForcibly().waitFor();
        assertThat(tryLock(file)).isTrue();
    }

    @Test
    void aKilledProcessWithOpenFilesDoesNotHoldUpTheUnmount() throws IOException, InterruptedException {
        Path file = disk.durableFile("file", block(1));
        Process owner = new ProcessBuilder("sh", "-c", "exec 3<>" + file + "; echo open; exec sleep 60").start();
        assertThat(owner.getInputStream().read()).isEqualTo('o');
        disk.close();
        assertThat(Files.exists(file)).isFalse();
        owner.destroyForcibly().waitFor();
        assertThat(Files.readAllBytes(disk.fileSystem.backing().resolve("file")))
                .isEqualTo(block(1));
    }

    private static boolean tryLock(Path file) throws IOException, InterruptedException {
        Process attempt = new ProcessBuilder("flock", "-n", file.toString(), "true").start();
        assertThat(attempt.waitFor(10, TimeUnit.SECONDS)).isTrue();
        return attempt.exitValue() == 0;
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
    }
}
