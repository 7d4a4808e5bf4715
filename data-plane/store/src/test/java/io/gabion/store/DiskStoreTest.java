package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.ClientMessage.Extent;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Payload;
import io.gabion.core.message.RequestId;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.ByteRange;
import io.gabion.model.ClusterId;
import io.gabion.model.Lsn;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskStoreTest {
    private static final VolumeId VOLUME = new VolumeId(new UUID(5, 1));
    private static final long SIZE = 4L << 20;

    @TempDir
    Path directory;

    private StoreRig open() throws IOException {
        return StoreRig.open(StoreRig.options(directory));
    }

    private StoreRig openWithVolume() throws IOException {
        StoreRig rig = open();
        rig.appendNow(VOLUME, StoreRig.created(VOLUME, SIZE));
        return rig;
    }

    // ---- identity
    @Test
    void eachOpeningRaisesTheOpenCountAndKeepsTheDisk() throws IOException {
        DiskIdentity first;
        try (StoreRig rig = open()) {
            first = rig.store.identity();
            assertThat(first.formatted()).isTrue();
            assertThat(first.openCount()).isEqualTo(1);
        }
        try (StoreRig rig = open()) {
            assertThat(rig.store.identity().disk()).isEqualTo(first.disk());
            assertThat(rig.store.identity().openCount()).isEqualTo(2);
            assertThat(rig.store.identity().formatted()).isFalse();
        }
    }

    @Test
    void diskOfAnotherClusterIsRefusedAndLeftAlone() throws IOException {
        open().close();
        DiskStoreOptions foreign =
                DiskStoreOptions.of(directory, 16L << 20, new ClusterId(new UUID(1, 2)), StoreRig.NODE, StoreRig.BOOT);
        assertThatThrownBy(() -> StoreRig.open(foreign))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("belongs to cluster");
        try (StoreRig rig = open()) {
            assertThat(rig.store.identity().openCount()).isEqualTo(2);
        }
    }

    @Test
    void directoryWithOtherFilesIsNotFormatted() throws IOException {
        Files.writeString(directory.resolve("precious.txt"), "mine");
        assertThatThrownBy(this::open).isInstanceOf(IOException.class);
        assertThat(directory.resolve("superblock.a")).doesNotExist();
        assertThat(directory.resolve("index")).doesNotExist();
    }

    @Test
    void emptyDirectoryIsRefusedWhenFormattingIsNotAllowed() {
        assertThatThrownBy(() -> StoreRig.open(StoreRig.options(directory).withMayFormat(false)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("formatting was not allowed");
    }

    @Test
    void rolledBackDiskIsReportedAndNothingOnItIsTrusted() throws IOException {
        openWithVolume().close();
        try (StoreRig rig = StoreRig.open(StoreRig.options(directory).withRecordedOpenCount(5))) {
            assertThat(rig.store.identity().rolledBack()).isTrue();
            assertThat(rig.store.identity().openCount()).isEqualTo(6);
            assertThat(rig.store.replicas().getFirst().intact()).isFalse();
        }
    }

    @Test
    void secondOpenerWaitsForTheLockAndThenFailsClearly() throws IOException {
        try (StoreRig rig = open()) {
            assertThat(rig.hasFault()).isFalse();
            assertThatThrownBy(() -> StoreRig.open(StoreRig.options(directory).withLockWait(Duration.ofMillis(100))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("another process holds the lock");
        }
    }

    @Test
    void lostSuperblocksOfAUsedDiskAreNotFormattedOver() throws IOException {
        openWithVolume().close();
        Files.deleteIfExists(directory.resolve("superblock.a"));
        Files.deleteIfExists(directory.resolve("superblock.b"));
        assertThatThrownBy(this::open).isInstanceOf(IOException.class).hasMessageContaining("left alone");
    }

    @Test
    void lostIndexIsRefusedNotTakenForAnEmptyDisk() throws IOException {
        openWithVolume().close();
        try (var files = Files.list(directory.resolve("index"))) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        assertThatThrownBy(this::open).isInstanceOf(IOException.class).hasMessageContaining("index");
    }

    @Test
    void onlyAnotherBootWithoutCleanShutdownIsUnclean() throws IOException {
        DiskStoreOptions otherBoot =
                DiskStoreOptions.of(directory, 16L << 20, StoreRig.CLUSTER, StoreRig.NODE, new UUID(8, 8));
        openWithVolume().close();
        StoreRig afterClean = StoreRig.open(otherBoot);
        assertThat(afterClean.store.identity().unclean()).isFalse();
        afterClean.abandon();
        StoreRig sameBoot = StoreRig.open(otherBoot);
        assertThat(sameBoot.store.identity().unclean()).isFalse();
        sameBoot.abandon();
        try (StoreRig rig = open()) {
            assertThat(rig.store.identity().unclean()).isTrue();
            assertThat(rig.store.replicas().getFirst().unclean()).isTrue();
            assertThat(rig.store.replicas().getFirst().intact()).isTrue();
        }
    }

    // ---- content
    @Test
    void whatWasAppendedIsReadBackAfterTheProcessDied() throws IOException {
        byte[] content = new byte[40 * 4096];
        new Random(1).nextBytes(content);
        StoreRig rig = openWithVolume();
        rig.appendNow(VOLUME, StoreRig.written(1, 1, 5, content));
        rig.appendNow(VOLUME, StoreRig.trimmed(1, 2, 10, 3));
        Arrays.fill(content, 5 * 4096, 8 * 4096, (byte) 0);
        assertThat(rig.read(VOLUME, ByteRange.ofBlocks(5, 40))).isEqualTo(content);
        rig.abandon();
        try (StoreRig again = open()) {
            assertThat(again.read(VOLUME, ByteRange.ofBlocks(5, 40))).isEqualTo(content);
            assertThat(again.read(VOLUME, ByteRange.ofBlocks(0, 5))).isEqualTo(new byte[5 * 4096]);
            RecoveredReplica replica = again.store.replicas().getFirst();
            assertThat(replica.lastLsn()).isEqualTo(new Lsn(1, 2));
            assertThat(replica.committed()).isEqualTo(new Lsn(1, 1));
            assertThat(replica.tail()).hasSize(1);
            assertThat(replica.tail().getFirst().range()).isEqualTo(ByteRange.ofBlocks(10, 3));
        }
    }

    @Test
    void extentsTellDataFromHoles() throws IOException {
        try (StoreRig rig = openWithVolume()) {
            rig.appendNow(VOLUME, StoreRig.written(1, 1, 2, StoreRig.filled(3, 1)));
            Event event = rig.ask(VOLUME, n -> new Effect.ReadExtents(n, ByteRange.ofBlocks(0, 10)));
            assertThat(((Event.ExtentsRead) event).extents())
                    .containsExactly(
                            new Extent(2 * 4096, true), new Extent(3 * 4096, false), new Extent(5 * 4096, true));
        }
    }

    @Test
    void onlyBlocksThatDifferFromWhatIsKnownAreRead() throws IOException {
        try (StoreRig rig = openWithVolume()) {
            rig.appendNow(VOLUME, StoreRig.written(1, 1, 0, StoreRig.filled(4, 1)));
            List<BlockVersion> known = rig.versions(VOLUME, ByteRange.ofBlocks(0, 8));
            rig.appendNow(VOLUME, StoreRig.written(1, 2, 2, StoreRig.filled(1, 2)));
            rig.appendNow(VOLUME, StoreRig.trimmed(1, 3, 3, 1));
            List<BlockRun> runs = rig.blocks(VOLUME, ByteRange.ofBlocks(0, 8), false, known);
            assertThat(runs).hasSize(2);
            assertThat(runs.get(0).firstBlock()).isEqualTo(2);
            assertThat(runs.get(0).lsn()).isEqualTo(new Lsn(1, 2));
            Payload payload = runs.get(0).payload().orElseThrow();
            assertThat(payload.bytes().get(7)).isEqualTo((byte) 2);
            payload.release();
            assertThat(runs.get(1)).isEqualTo(new BlockRun(3, 1, new Lsn(1, 3), Optional.empty()));
            assertThat(rig.blocks(VOLUME, ByteRange.ofBlocks(0, 8), true, List.of()))
                    .hasSize(4);
        }
    }

    @Test
    void copyIsKeptOutOnlyByNewerBlocksOfTheLiveEpoch() throws IOException {
        try (StoreRig rig = openWithVolume()) {
            rig.appendNow(VOLUME, StoreRig.written(2, 9, 0, StoreRig.filled(1, 2)));
            rig.appendNow(VOLUME, StoreRig.written(3, 5, 1, StoreRig.filled(1, 3)));
            HeapPayload copy = HeapPayload.of(StoreRig.filled(2, 7));
            rig.appendNow(
                    VOLUME, new LogRecord.Copied(3, List.of(new BlockRun(0, 2, new Lsn(1, 4), Optional.of(copy)))));
            assertThat(rig.read(VOLUME, ByteRange.ofBlocks(0, 1))).isEqualTo(StoreRig.filled(1, 7));
            assertThat(rig.read(VOLUME, ByteRange.ofBlocks(1, 1))).isEqualTo(StoreRig.filled(1, 3));
            assertThat(copy.references()).isZero();
            assertThat(rig.changes(VOLUME, new Lsn(2, 9))).contains(List.of(ByteRange.ofBlocks(0, 2)));
            assertThat(rig.changes(VOLUME, new Lsn(3, 5))).contains(List.of());
        }
    }

    @Test
    void regionTablesOfEqualContentAreEqualHoweverItCameAbout() throws IOException {
        VolumeId volume = VOLUME;
        MemoryDiskFiles other = new MemoryDiskFiles();
        try (StoreRig a = openWithVolume();
                StoreRig b = StoreRig.open(other)) {
            b.appendNow(volume, StoreRig.created(volume, SIZE));
            a.appendNow(volume, StoreRig.written(1, 1, 250, StoreRig.filled(20, 4)));
            b.appendNow(volume, StoreRig.written(1, 1, 250, StoreRig.filled(20, 9)));
            assertThat(hashes(a)).isNotEqualTo(hashes(b));
            b.appendNow(
                    volume, new LogRecord.Copied(2, a.blocks(volume, ByteRange.ofBlocks(250, 20), true, List.of())));
            assertThat(hashes(a)).isEqualTo(hashes(b)).hasSize(2);
        }
    }

    private static List<Long> hashes(StoreRig rig) {
        return rig.regions(VOLUME).stream().map(region -> region.hash()).toList();
    }

    @Test
    void changeLogForgetsTheOldestAndSaysSo() throws IOException {
        try (StoreRig rig = openWithVolume()) {
            CompletableFuture<Event> last = new CompletableFuture<>();
            int count = ChangeLog.MAX_ENTRIES + 2000;
            for (int seq = 1; seq <= count; seq++) {
                last = rig.append(VOLUME, StoreRig.trimmed(1, seq, seq % 1000, 1));
            }
            StoreRig.get(last);
            assertThat(rig.changes(VOLUME, Lsn.ZERO)).isEmpty();
            assertThat(rig.changes(VOLUME, new Lsn(1, count - 1)))
                    .contains(List.of(ByteRange.ofBlocks(count % 1000, 1)));
        }
    }

    @Test
    void sessionAndRequestsSurvive() throws IOException {
        SessionId session = new SessionId(1, 4, new UUID(1, 1));
        StoreRig rig = openWithVolume();
        rig.appendNow(VOLUME, new LogRecord.SessionOpened(new Lsn(1, 1), session));
        rig.appendNow(VOLUME, StoreRig.written(1, 2, 0, StoreRig.filled(1, 1)));
        rig.abandon();
        try (StoreRig again = open()) {
            RecoveredReplica replica = again.store.replicas().getFirst();
            assertThat(replica.record().session()).isEqualTo(session);
            assertThat(replica.requests()).isEqualTo(List.of(new RequestId(1, 2)));
        }
    }

    // ---- verification
    @Test
    void verificationDigestsTheContentAtItsPointInTheOrderOfAppends() throws Exception {
        try (StoreRig rig = openWithVolume()) {
            rig.appendNow(VOLUME, StoreRig.written(1, 1, 0, StoreRig.filled(3, 1)));
            CompletableFuture<Event> before = rig.append(VOLUME, StoreRig.written(1, 2, 300, StoreRig.filled(2, 2)));
            CompletableFuture<VerifyResult> digest = rig.verify(VOLUME, 1, new Lsn(1, 3));
            StoreRig.get(rig.append(VOLUME, StoreRig.written(1, 4, 0, StoreRig.filled(3, 9))));
            assertThat(before).isDone();
            byte[] expected = new byte[(int) SIZE];
            Arrays.fill(expected, 0, 3 * 4096, (byte) 1);
            Arrays.fill(expected, 300 * 4096, 302 * 4096, (byte) 2);
            VerifyResult result = StoreRig.get(digest);
            assertThat(result.failure()).isEmpty();
            assertThat(result.sha256()).isEqualTo(sha256(expected));
            assertThat(result.regions()).hasSize(4);
            assertThat(result.regions().get(1)).isEqualTo(sha256(Arrays.copyOfRange(expected, 1 << 20, 2 << 20)));
        }
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    // ---- damage
    @Test
    void flippedBitIsNeverReturnedAndIsFoundByCheckAndDump() throws IOException {
        byte[] content = new byte[4096];
        new Random(3).nextBytes(content);
        try (StoreRig rig = openWithVolume()) {
            rig.appendNow(VOLUME, StoreRig.written(1, 1, 7, content));
            rig.appendNow(VOLUME, StoreRig.written(1, 2, 8, StoreRig.filled(1, 5)));
        }
        assertThat(StoreCheck.run(directory).findings()).isEmpty();
        flipBitOf(content);
        StoreCheckReport report = StoreCheck.run(directory);
        assertThat(report.findings()).hasSize(1);
        assertThat(report.findings().getFirst()).contains("block 7").contains("checksum");
        assertThatThrownBy(() -> StoreDump.raw(directory, VOLUME, new ByteArrayOutputStream()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("block 7");
        try (StoreRig rig = open()) {
            Event event = rig.ask(VOLUME, n -> new Effect.Read(n, ByteRange.ofBlocks(6, 3)));
            assertThat(event).isInstanceOf(Event.ReadFailed.class);
            assertThat(rig.read(VOLUME, ByteRange.ofBlocks(8, 1))).isEqualTo(StoreRig.filled(1, 5));
            assertThat(StoreRig.get(rig.verify(VOLUME, 1, Lsn.ZERO)).failure()).isPresent();
            assertThat(rig.hasFault()).isFalse();
        }
    }

    private void flipBitOf(byte[] content) throws IOException {
        try (RandomAccessFile file =
                new RandomAccessFile(directory.resolve("data").toFile(), "rw")) {
            byte[] block = new byte[4096];
            for (long at = 0; at < file.length(); at += 4096) {
                file.seek(at);
                file.readFully(block);
                if (Arrays.equals(block, content)) {
                    file.seek(at + 100);
                    file.write(block[100] ^ 4);
                }
            }
        }
    }

    @Test
    void damagedLogBelowItsEndIsCorruptionNotTheEndOfTheLog() throws IOException {
        MemoryDiskFiles files = new MemoryDiskFiles();
        StoreRig rig = StoreRig.open(StoreRig.options(directory).withSizes(1L << 30, 1 << 20, 1 << 20, 0), files);
        rig.appendNow(VOLUME, StoreRig.created(VOLUME, SIZE));
        for (int seq = 1; seq <= 5; seq++) {
            rig.appendNow(VOLUME, StoreRig.written(1, seq, seq, StoreRig.filled(1, seq)));
        }
        rig.abandon();
        MemoryDiskFiles left = files.afterKill();
        long third = headerOfBatch(left, 3);
        left.flipBit(third, 8 * 120);
        try (StoreRig again = StoreRig.open(left)) {
            assertThat(again.store.replicas().getFirst().intact()).isFalse();
        }
        try (StoreRig again = StoreRig.open(left.afterKill())) {
            assertThat(again.store.replicas().getFirst().intact()).isFalse();
            again.appendNow(VOLUME, new LogRecord.ReplicaChanged(StoreRig.record(VOLUME, SIZE, 2, 1, new Lsn(2, 0))));
        }
    }

    private static long headerOfBatch(MemoryDiskFiles files, long batch) {
        for (long number : files.writtenBlocks()) {
            java.nio.ByteBuffer block = java.nio.ByteBuffer.wrap(files.block(number));
            if (block.getLong(0) == 0x47424e4241544348L && block.getLong(32) == batch) {
                return number;
            }
        }
        throw new AssertionError("no batch " + batch);
    }

    @Test
    void failedSyncFaultsTheDiskAndNothingMoreIsAcknowledged() throws IOException {
        MemoryDiskFiles files = new MemoryDiskFiles();
        StoreRig rig = StoreRig.open(files);
        rig.appendNow(VOLUME, StoreRig.created(VOLUME, SIZE));
        files.failSyncs("the device reported an I/O error");
        HeapPayload payload = HeapPayload.of(StoreRig.filled(1, 1));
        LogRecord record =
                new LogRecord.Written(new Lsn(1, 1), Lsn.ZERO, ByteRange.ofBlocks(0, 1), RequestId.NONE, payload);
        assertThat(StoreRig.get(rig.append(VOLUME, record))).isInstanceOf(Event.StoreFaulted.class);
        assertThat(rig.fault()).contains("I/O error");
        assertThat(payload.references()).isZero();
        assertThat(StoreRig.get(rig.append(VOLUME, StoreRig.trimmed(1, 2, 0, 1))))
                .isInstanceOf(Event.StoreFaulted.class);
        rig.close();
        assertThat(files.superblock().orElseThrow().clean()).isFalse();
    }

    // ---- space
    @Test
    void spaceIsExactAndComesBackAfterOverwritingAndDeleting() throws IOException {
        try (StoreRig rig = openWithVolume()) {
            long seq = 0;
            for (int round = 0; round < 20; round++) {
                for (int block = 0; block < 1024; block += 128) {
                    rig.appendNow(VOLUME, StoreRig.written(1, ++seq, block, StoreRig.filled(128, round)));
                }
                DiskSpace space = rig.space();
                assertThat(space.used() + space.free() + space.reserved()).isEqualTo(space.size());
                assertThat(space.live()).isEqualTo(SIZE);
            }
            assertThat(rig.onLoop(() -> rig.store.usedBytes(VOLUME))).isEqualTo(SIZE);
            assertThat(rig.spaceTold(VOLUME)).isPositive();
            rig.appendNow(VOLUME, new LogRecord.ReplicaDeleted());
        }
        try (StoreRig rig = open()) {
            long deadline = System.nanoTime() + 10_000_000_000L;
            while (rig.space().live() > 0 && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            assertThat(rig.space().live()).isZero();
            assertThat(rig.store.replicas()).isEmpty();
        }
        assertThat(StoreCheck.run(directory).findings()).isEmpty();
    }

    @Test
    void idleDiskGivesBackTheSpaceOfADeletedReplicaByItself() throws IOException {
        try (StoreRig rig = openWithVolume()) {
            for (int block = 0; block < 1024; block += 128) {
                rig.appendNow(VOLUME, StoreRig.written(1, 1 + block / 128, block, StoreRig.filled(128, 7)));
            }
            assertThat(rig.space().used()).isGreaterThanOrEqualTo(SIZE);
            rig.appendNow(VOLUME, new LogRecord.ReplicaDeleted());
            long deadline = System.nanoTime() + 10_000_000_000L;
            while (rig.space().used() >= SIZE / 2 && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            // The log keeps some blocks.
            assertThat(rig.space().used()).isLessThan(SIZE / 2);
        }
    }

    @Test
    void fragmentedDiskStillTakesWritesAndGivesAllSpaceBack() throws IOException {
        int blocks = 2600;
        Random random = new Random(11);
        byte[][] expected = new byte[blocks][];
        try (StoreRig rig = open()) {
            rig.appendNow(VOLUME, StoreRig.created(VOLUME, blocks * 4096L));
            long seq = 0;
            for (int block = 0; block < blocks; block += 20) {
                expected[block] = StoreRig.filled(20, block);
                rig.appendNow(VOLUME, StoreRig.written(1, ++seq, block, expected[block]));
                for (int i = 19; i >= 0; i--) {
                    expected[block + i] = StoreRig.filled(1, block);
                }
            }
            for (int i = 0; i < 6000; i++) {
                int block = random.nextInt(blocks);
                expected[block] = StoreRig.filled(1, i);
                CompletableFuture<Event> done = rig.append(VOLUME, StoreRig.written(1, ++seq, block, expected[block]));
                if (i % 8 == 0) {
                    assertThat(StoreRig.get(done)).isInstanceOf(Event.Appended.class);
                }
            }
            for (int i = 0; i < 40; i++) {
                int block = random.nextInt(blocks - 100);
                byte[] content = StoreRig.filled(100, i + 100);
                for (int n = 0; n < 100; n++) {
                    expected[block + n] = StoreRig.filled(1, i + 100);
                }
                rig.appendNow(VOLUME, StoreRig.written(1, ++seq, block, content));
            }
            for (int block = 0; block < blocks; block++) {
                assertThat(rig.read(VOLUME, ByteRange.ofBlocks(block, 1))).isEqualTo(expected[block]);
            }
            assertThat(rig.store.metrics().scatteredBatches()).isPositive();
            assertThat(rig.space().live()).isEqualTo(blocks * 4096L);
        }
        assertThat(StoreCheck.run(directory).findings()).isEmpty();
    }

    @Test
    void fullDiskFaultsInsteadOfLosingAnything() throws IOException {
        StoreRig rig = open();
        long size = 64L << 20;
        rig.appendNow(VOLUME, StoreRig.created(VOLUME, size));
        boolean faulted = false;
        long acknowledged = 0;
        for (int seq = 1; seq <= 100 && !faulted; seq++) {
            Event event = StoreRig.get(
                    rig.append(VOLUME, StoreRig.written(1, seq, (seq - 1) * 64L, StoreRig.filled(64, seq))));
            faulted = event instanceof Event.StoreFaulted;
            acknowledged = faulted ? acknowledged : seq;
        }
        assertThat(faulted).isTrue();
        assertThat(rig.spaceTold(VOLUME)).isZero();
        rig.close();
        try (StoreRig again = open()) {
            for (int seq = 1; seq <= acknowledged; seq++) {
                assertThat(again.read(VOLUME, ByteRange.ofBlocks((seq - 1) * 64L, 64)))
                        .isEqualTo(StoreRig.filled(64, seq));
            }
            again.appendNow(VOLUME, StoreRig.trimmed(1, 1000, 0, 256));
        }
        assertThat(StoreCheck.run(directory).findings()).isEmpty();
    }

    // ---- tools
    @Test
    void dumpOfADiskThatWasKilledHoldsEveryBlock() throws IOException {
        StoreRig rig = openWithVolume();
        byte[] expected = new byte[(int) SIZE];
        Random random = new Random(4);
        for (int seq = 1; seq <= 50; seq++) {
            byte[] content = new byte[4096 * (1 + random.nextInt(8))];
            random.nextBytes(content);
            int block = random.nextInt(1000);
            rig.appendNow(VOLUME, StoreRig.written(1, seq, block, content));
            System.arraycopy(content, 0, expected, block * 4096, content.length);
        }
        rig.abandon();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        StoreDump.raw(directory, VOLUME, out);
        assertThat(out.toByteArray()).isEqualTo(expected);
        assertThat(StoreDump.volumes(directory)).containsExactly(VOLUME);
        StoreCheckReport report = StoreCheck.run(directory);
        assertThat(report.findings()).isEmpty();
        assertThat(report.clean()).isFalse();
        assertThat(report.checkedBlocks()).isPositive();
    }

    @Test
    void probeAnswersAndPoolIsShownInTheIdentity() throws IOException {
        try (StoreRig rig = open()) {
            ProbeResult result =
                    StoreRig.get(rig.onLoop(() -> rig.store.probe()).toCompletableFuture());
            assertThat(result.failure()).isEmpty();
            assertThat(rig.store.identity().pool()).isEqualTo("default");
            assertThat(rig.store.backend()).isEqualTo("threads");
        }
    }
}
