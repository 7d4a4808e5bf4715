package io.gabion.faults.powerloss;

import static io.gabion.faults.powerloss.FileOperation.READ;
import static io.gabion.faults.powerloss.FileOperation.SYNC;
import static io.gabion.faults.powerloss.FileOperation.WRITE;
import static io.gabion.faults.powerloss.MountedDisk.BLOCK_BYTES;
import static io.gabion.faults.powerloss.MountedDisk.block;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The faults that a test can switch on, as a process sees them. */
@Timeout(60)
class FaultSwitchesIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @TempDir
    private Path directory;

    private MountedDisk disk;
    private FaultSwitches faults;

    @BeforeEach
    void mount() throws IOException {
        disk = new MountedDisk(directory);
        faults = disk.fileSystem.faults();
    }

    @AfterEach
    void unmount() {
        disk.close();
    }

    @Test
    void ignoredSyncsLoseSyncedData() throws IOException {
        disk.durableFile("file", block(1));
        faults.ignoreSync(true);
        try (FileChannel file = MountedDisk.open(disk.path("file"), StandardOpenOption.DSYNC)) {
            MountedDisk.write(file, block(2), 0);
            file.force(true);
        }
        assertThat(disk.fileSystem.counts().ignoredSyncs()).isEqualTo(2);
        disk.fileSystem.cut(1, (path, offset, length) -> Survival.DROPPED);
        assertThat(disk.read("file")).isEqualTo(block(1));
        faults.ignoreSync(false);
        disk.durableFile("file", block(3));
        disk.fileSystem.cut(1, (path, offset, length) -> Survival.DROPPED);
        assertThat(disk.read("file")).isEqualTo(block(3));
    }

    @Test
    void theThirdWriteOfOneFileFails() throws IOException {
        try (InjectedFault fault = faults.inject(Fault.on(WRITE)
                        .matching(path -> path.equals("data"))
                        .after(2)
                        .times(1)
                        .fail(Errno.EIO));
                FileChannel data = MountedDisk.open(disk.path("data"));
                FileChannel other = MountedDisk.open(disk.path("other"))) {
            MountedDisk.write(data, block(1), 0);
            MountedDisk.write(other, block(1), 0);
            MountedDisk.write(data, block(1), 0);
            assertThatThrownBy(() -> MountedDisk.write(data, block(2), 0))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("Input/output error");
            MountedDisk.write(data, block(3), 0);
            assertThat(fault.hits()).isEqualTo(1);
        }
        assertThat(disk.read("data")).isEqualTo(block(3));
    }

    @Test
    void readErrorsSurfaceAndDamagedReadsDiffer() throws IOException {
        disk.durableFile("file", block(1));
        try (InjectedFault fault = faults.inject(Fault.on(READ).fail(Errno.EIO))) {
            assertThatThrownBy(() -> disk.read("file")).isInstanceOf(IOException.class);
            assertThat(fault.hits()).isPositive();
        }
        try (InjectedFault fault = faults.inject(Fault.on(READ).times(1).flipBit())) {
            assertThat(disk.read("file")).isNotEqualTo(block(1));
            assertThat(fault.hits()).isEqualTo(1);
        }
        assertThat(disk.read("file")).isEqualTo(block(1));
    }

    @Test
    void aRetriedSyncDoesNotBringBackWhatTheFailedOneLost() throws IOException {
        disk.durableFile("file", block(1));
        try (InjectedFault fault = faults.inject(Fault.on(SYNC).times(1).fail(Errno.EIO));
                FileChannel file = MountedDisk.open(disk.path("file"))) {
            MountedDisk.write(file, block(2), 0);
            assertThatThrownBy(() -> file.force(false)).isInstanceOf(IOException.class);
            assertThat(disk.read("file")).isEqualTo(block(2));
            MountedDisk.write(file, block(3), BLOCK_BYTES);
            file.force(false);
            assertThat(fault.hits()).isEqualTo(1);
        }
        disk.fileSystem.cut(1, (path, offset, length) -> Survival.DROPPED);
        byte[] found = disk.read("file");
        assertThat(found[0]).isEqualTo((byte) 1);
        assertThat(found[BLOCK_BYTES]).isEqualTo((byte) 3);
    }

    @Test
    void aSyncFaultAlsoMeetsWritesThatSync() throws IOException {
        try (InjectedFault fault = faults.inject(Fault.on(SYNC).fail(Errno.EIO));
                FileChannel file = MountedDisk.open(disk.path("file"), StandardOpenOption.DSYNC)) {
            assertThatThrownBy(() -> MountedDisk.write(file, block(2), 0)).isInstanceOf(IOException.class);
            assertThat(fault.hits()).isEqualTo(1);
        }
    }

    @Test
    void swallowedWritesAreAnsweredAndMissing() throws IOException {
        disk.durableFile("file", block(1));
        try (InjectedFault fault = faults.inject(Fault.on(WRITE).times(1).swallow());
                FileChannel file = MountedDisk.open(disk.path("file"), StandardOpenOption.DSYNC)) {
            MountedDisk.write(file, block(2), 0);
            assertThat(fault.hits()).isEqualTo(1);
        }
        assertThat(disk.read("file")).isEqualTo(block(1));
        assertThat(disk.fileSystem.counts().swallowed()).isEqualTo(1);
    }

    @Test
    void misdirectedWritesLandElsewhere() throws IOException {
        disk.durableFile("file", new byte[4 * BLOCK_BYTES]);
        try (InjectedFault fault = faults.inject(Fault.on(WRITE).times(1).misdirect(2L * BLOCK_BYTES));
                FileChannel file = MountedDisk.open(disk.path("file"), StandardOpenOption.DSYNC)) {
            MountedDisk.write(file, block(2), 0);
            assertThat(fault.hits()).isEqualTo(1);
        }
        disk.fileSystem.cut(1);
        byte[] found = disk.read("file");
        assertThat(found[0]).isZero();
        assertThat(found[2 * BLOCK_BYTES]).isEqualTo((byte) 2);
    }

    @Test
    void writesBeyondTheSpaceLimitFailAndRemovingFilesHelps() throws IOException {
        disk.durableFile("old", new byte[8 * BLOCK_BYTES]);
        faults.limitSpace(10L * BLOCK_BYTES);
        try (FileChannel file = MountedDisk.open(disk.path("new"))) {
            MountedDisk.write(file, block(1), 0);
            MountedDisk.write(file, block(1), BLOCK_BYTES);
            MountedDisk.write(file, block(2), BLOCK_BYTES);
            assertThatThrownBy(() -> MountedDisk.write(file, block(1), 2L * BLOCK_BYTES))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("No space left");
            assertThat(Files.getFileStore(disk.path("new")).getUsableSpace()).isZero();
            Files.delete(disk.path("old"));
            MountedDisk.syncDirectory(disk.fileSystem.mountPoint());
            MountedDisk.write(file, block(1), 2L * BLOCK_BYTES);
        }
        faults.unlimitSpace();
    }

    @Test
    void delayedOperationsTakeTheirTimeAndOthersDoNot() throws IOException {
        disk.durableFile("slow", block(1));
        disk.durableFile("fast", block(1));
        Duration delay = Duration.ofMillis(300);
        try (InjectedFault fault = faults.inject(
                Fault.on(READ).matching(path -> path.equals("slow")).times(1).delay(delay))) {
            CompletableFuture<byte[]> slow = readLater("slow");
            long start = System.nanoTime();
            assertThat(disk.read("fast")).isEqualTo(block(1));
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(delay);
            assertThat(slow.join()).isEqualTo(block(1));
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(delay.dividedBy(2));
            assertThat(fault.hits()).isEqualTo(1);
        }
    }

    @Test
    void hangingOperationsWaitForTheirReleaseWhileManyOthersGoOn() throws Exception {
        disk.durableFile("hung", block(1));
        disk.durableFile("fast", block(1));
        InjectedFault fault = faults.inject(
                Fault.on(READ).matching(path -> path.equals("hung")).hang());
        CompletableFuture<?>[] hung = new CompletableFuture<?>[20];
        for (int i = 0; i < hung.length; i++) {
            hung[i] = readLater("hung");
        }
        assertThat(fault.awaitHits(hung.length, PATIENCE)).isTrue();
        assertThat(disk.read("fast")).isEqualTo(block(1));
        assertThatThrownBy(() -> hung[0].get(50, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        fault.close();
        CompletableFuture.allOf(hung).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    @Test
    void aHungProcessThatWasKilledEndsWithTheCut() throws Exception {
        disk.durableFile("file", block(1));
        try (InjectedFault fault = faults.inject(Fault.on(WRITE).hang())) {
            Process process = new ProcessBuilder("sh", "-c", "printf x 1<>" + disk.path("file")).start();
            assertThat(fault.awaitHits(1, PATIENCE)).isTrue();
            process.destroyForcibly();
            disk.fileSystem.cut(1);
            assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        }
        assertThat(disk.read("file")).isEqualTo(block(1));
    }

    @Test
    void theLockOfAKilledProcessLastsAsLongAsItsLastWrite() throws Exception {
        Path path = disk.durableFile("file", block(1));
        InjectedFault fault = faults.inject(Fault.on(WRITE).hang());
        Process owner =
                new ProcessBuilder("flock", "--no-fork", path.toString(), "sh", "-c", "printf x 1<>" + path).start();
        assertThat(fault.awaitHits(1, PATIENCE)).isTrue();
        owner.destroyForcibly();
        assertThat(canLock(path)).isFalse();
        fault.close();
        assertThat(owner.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(canLock(path)).isTrue();
    }

    private static boolean canLock(Path path) throws IOException, InterruptedException {
        Process attempt = new ProcessBuilder("flock", "-n", path.toString(), "true").start();
        assertThat(attempt.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        return attempt.exitValue() == 0;
    }

    @Test
    void aFrozenDiskAnswersNothingUntilTheCutAndNothingLands() throws Exception {
        Path path = disk.durableFile("file", block(1));
        try (FileChannel file = MountedDisk.open(path, StandardOpenOption.DSYNC)) {
            disk.fileSystem.freeze();
            CompletableFuture<Void> late = CompletableFuture.runAsync(() -> {
                try {
                    MountedDisk.write(file, block(2), 0);
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThatThrownBy(() -> late.get(100, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
            disk.fileSystem.cut(4);
            assertThatThrownBy(() -> late.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class);
        }
        assertThat(disk.read("file")).isEqualTo(block(1));
    }

    private CompletableFuture<byte[]> readLater(String name) {
        CompletableFuture<byte[]> result = new CompletableFuture<>();
        Thread.ofPlatform().daemon().start(() -> {
            try {
                result.complete(disk.read(name));
            } catch (IOException e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }
}
