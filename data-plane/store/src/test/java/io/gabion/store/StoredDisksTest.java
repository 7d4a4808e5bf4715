package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.ByteRange;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Opens disks of earlier versions. */
class StoredDisksTest {
    private static final ByteRange FIRST_48 = ByteRange.ofBlocks(0, 48);

    @TempDir
    Path directory;

    private static byte[] content(int... fills) {
        byte[] bytes = new byte[fills.length * 4096];
        for (int block = 0; block < fills.length; block++) {
            Arrays.fill(bytes, block * 4096, (block + 1) * 4096, (byte) fills[block]);
        }
        return bytes;
    }

    /** Forty blocks of 0x11, the blocks from {@code from} on replaced. */
    private static byte[] changed(int from, int... fills) {
        int[] all = new int[48];
        Arrays.fill(all, 0, 40, 0x11);
        System.arraycopy(fills, 0, all, from, fills.length);
        return content(all);
    }

    @Test
    void theFirstFormatOpensWithAllItHolds() throws IOException {
        Path disk = StoredDisks.unpack("format-1.zip", directory);
        assertThat(StoreCheck.run(disk).findings()).isEmpty();
        try (StoreRig rig = StoreRig.open(StoreRig.options(disk).withMayFormat(false))) {
            assertThat(rig.read(StoredDisks.VOLUME, FIRST_48)).isEqualTo(changed(10, 0x12, 0x12, 0, 0, 0, 0));
            assertThat(rig.onLoop(() -> rig.store.isPresent(StoredDisks.DELETED)))
                    .isFalse();
            rig.appendNow(StoredDisks.VOLUME, StoreRig.written(1, 9, 0, StoreRig.filled(1, 0x77)));
        }
        assertThat(StoreCheck.run(disk).findings()).isEmpty();
    }

    @Test
    void theFirstFormatWithSnapshotsOpensWithAllItHolds() throws IOException {
        Path disk = StoredDisks.unpack("format-1-snapshots.zip", directory);
        assertThat(StoreCheck.run(disk).findings()).isEmpty();
        try (StoreRig rig = StoreRig.open(StoreRig.options(disk).withMayFormat(false))) {
            assertThat(rig.read(StoredDisks.VOLUME, FIRST_48)).isEqualTo(changed(10, 0x12, 0x12, 0, 0, 0, 0));
            assertThat(rig.readAt(StoredDisks.VOLUME, 1, FIRST_48)).isEqualTo(changed(0));
            assertThat(rig.onLoop(() -> rig.store.snapshots(StoredDisks.VOLUME)))
                    .containsOnlyKeys(1L);
            assertThat(rig.read(StoredDisks.CLONE, FIRST_48)).isEqualTo(changed(2, 0x21, 0x21));
            assertThat(rig.onLoop(() -> rig.store.isPresent(StoredDisks.DELETED)))
                    .isFalse();
        }
        assertThat(StoreCheck.run(disk).findings()).isEmpty();
    }
}
