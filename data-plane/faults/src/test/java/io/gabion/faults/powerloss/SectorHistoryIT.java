package io.gabion.faults.powerloss;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Random writes and syncs against a model: after a cut every sector is in a state it had since the last sync. */
@Timeout(60)
class SectorHistoryIT {
    private static final int SECTOR_BYTES = 512;
    private static final int SECTORS = 64;

    @TempDir
    private Path directory;

    @Test
    void everySectorIsInAStateItHadSinceTheLastSync() throws IOException {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        int older = 0;
        try (MountedDisk disk = new MountedDisk(directory)) {
            byte[] now = new byte[SECTORS * SECTOR_BYTES];
            disk.durableFile("file", now);
            for (int round = 0; round < 60; round++) {
                List<Set<String>> states = new ArrayList<>();
                try (FileChannel file = MountedDisk.open(disk.path("file"))) {
                    remember(states, now);
                    int steps = random.nextInt(30);
                    for (int step = 0; step < steps; step++) {
                        if (random.nextInt(10) == 0) {
                            file.force(random.nextBoolean());
                            remember(states, now);
                        } else {
                            int start = random.nextInt(now.length);
                            int end = start + 1 + random.nextInt(Math.min(5000, now.length - start));
                            byte[] data = new byte[end - start];
                            Arrays.fill(data, (byte) random.nextInt(256));
                            MountedDisk.write(file, data, start);
                            System.arraycopy(data, 0, now, start, data.length);
                            for (int sector = start / SECTOR_BYTES; sector <= (end - 1) / SECTOR_BYTES; sector++) {
                                states.get(sector).add(sector(now, sector));
                            }
                        }
                    }
                }
                assertThat(disk.read("file")).as("seed %d", seed).isEqualTo(now);
                disk.fileSystem.cut(random.nextLong());
                byte[] found = Files.readAllBytes(disk.path("file"));
                for (int sector = 0; sector < SECTORS; sector++) {
                    assertThat(states.get(sector)).as("seed %d", seed).contains(sector(found, sector));
                    older += sector(found, sector).equals(sector(now, sector)) ? 0 : 1;
                }
                now = found;
            }
        }
        assertThat(older).isPositive();
    }

    private static void remember(List<Set<String>> states, byte[] now) {
        states.clear();
        for (int sector = 0; sector < SECTORS; sector++) {
            states.add(new HashSet<>(Set.of(sector(now, sector))));
        }
    }

    private static String sector(byte[] bytes, int sector) {
        return Arrays.toString(Arrays.copyOfRange(bytes, sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES));
    }
}
