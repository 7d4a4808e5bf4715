package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.log.StoredRecord.SnapshotTaken;
import java.io.IOException;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class LightScrubTest {
    private static final VolumeId VOLUME = new VolumeId(new UUID(5, 1));
    private static final long FAST = 1L << 40;

    private static ScrubStatus await(StoreRig rig, Predicate<ScrubStatus> wanted) {
        ScrubStatus status = rig.onLoop(() -> rig.store.scrubStatus());
        for (int i = 0; i < 3000 && !wanted.test(status); i++) {
            LockSupport.parkNanos(10_000_000);
            status = rig.onLoop(() -> rig.store.scrubStatus());
        }
        assertThat(status).matches(wanted);
        return status;
    }

    private static StoreRig openWithVersions(MemoryDiskFiles files) throws IOException {
        StoreRig rig = StoreRig.open(files);
        rig.appendNow(VOLUME, StoreRig.created(VOLUME, 1 << 20));
        rig.appendNow(VOLUME, StoreRig.written(1, 1, 0, StoreRig.filled(40, 1)));
        rig.appendNow(new SnapshotTaken(VOLUME, new Lsn(1, 2), 1));
        rig.appendNow(VOLUME, StoreRig.written(1, 3, 0, StoreRig.filled(2, 2)));
        return rig;
    }

    private static void start(StoreRig rig, long bytesPerSecond) {
        rig.onLoop(() -> {
            rig.store.startScrub(bytesPerSecond);
            return true;
        });
    }

    @Test
    void aPassReadsEveryVersionOnce() throws IOException {
        try (StoreRig rig = openWithVersions(new MemoryDiskFiles())) {
            start(rig, FAST);
            ScrubStatus status = await(rig, s -> s.passes() > 0);
            assertThat(status.checkedBytes()).isEqualTo(42 * 4096);
            assertThat(status.damagedBlocks()).isZero();
        }
    }

    @Test
    void aFlippedBitThatOnlyASnapshotSeesIsFound() throws IOException {
        MemoryDiskFiles files = new MemoryDiskFiles();
        try (StoreRig rig = openWithVersions(files)) {
            byte[] old = StoreRig.filled(1, 1);
            long place = files.writtenBlocks().stream()
                    .filter(block -> Arrays.equals(files.block(block), old))
                    .min(Long::compare)
                    .orElseThrow();
            files.flipBit(place, 9);
            start(rig, FAST);
            ScrubStatus status = await(rig, s -> s.damagedBlocks() > 0);
            assertThat(status.lastDamage())
                    .hasValueSatisfying(text ->
                            assertThat(text).contains("block 0 of volume").contains("version 1.1"));
        }
    }

    @Test
    void aSlowScrubLetsTheDiskClose() throws IOException {
        try (StoreRig rig = openWithVersions(new MemoryDiskFiles())) {
            start(rig, 1);
            ScrubStatus status = await(rig, s -> s.checkedBytes() > 0);
            assertThat(status.passes()).isZero();
        }
    }
}
