package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.port.Event;
import io.gabion.model.VolumeId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random records against a model in memory, with reopening at random points. */
class StorePropertyTest {
    private static final int STEPS = 1000;
    private static final int MAX_VOLUMES = 11;

    @TempDir
    Path directory;

    private interface Opener {
        StoreRig open() throws IOException;
    }

    @Test
    void randomRecordsOnRealFilesEqualTheModelAcrossReopening() throws IOException {
        for (int run = 0; run < 2; run++) {
            Path disk = directory.resolve("disk-" + run);
            long seed = System.nanoTime();
            check(seed, () -> StoreRig.open(StoreRig.options(disk)), true);
        }
    }

    @Test
    void randomRecordsInMemoryEqualTheModelAcrossReopening() throws IOException {
        for (int run = 0; run < 3; run++) {
            MemoryDiskFiles files = new MemoryDiskFiles();
            check(System.nanoTime(), () -> StoreRig.open(files), true);
        }
    }

    private static void check(long seed, Opener opener, boolean reopen) throws IOException {
        Random random = new Random(seed);
        List<VolumeModel> models = new ArrayList<>();
        for (int i = 1; i <= 6; i++) {
            models.add(new VolumeModel(new VolumeId(new UUID(5, i))));
        }
        StoreRig rig = opener.open();
        try {
            List<CompletableFuture<Event>> open = new ArrayList<>();
            for (int step = 0; step < STEPS; step++) {
                VolumeModel model = models.get(random.nextInt(models.size()));
                if (random.nextInt(60) == 0 && models.size() < MAX_VOLUMES) {
                    VolumeId id = new VolumeId(new UUID(5, models.size() + 1));
                    if (model.stateAfter(model.size()).exists) {
                        VolumeModel clone = model.cloned(id, random);
                        models.add(clone);
                        open.add(rig.append(clone.first()));
                    }
                }
                open.add(rig.append(model.next(random)));
                if (random.nextInt(25) == 0) {
                    for (CompletableFuture<Event> future : open) {
                        assertThat(StoreRig.get(future)).isInstanceOf(Event.Appended.class);
                    }
                    open.clear();
                    if (reopen && random.nextInt(4) == 0) {
                        if (random.nextBoolean()) {
                            rig.close();
                        } else {
                            rig.abandon();
                        }
                        rig = opener.open();
                    }
                    ModelWorld world = new ModelWorld();
                    models.forEach(each -> world.put(each.volume, each.stateAfter(each.size())));
                    for (VolumeModel each : models) {
                        ModelCheck.requireEqual(rig, each, world, "seed " + seed + " step " + step);
                    }
                    checkSpace(rig);
                }
            }
        } finally {
            rig.close();
        }
    }

    private static void checkSpace(StoreRig rig) {
        DiskSpace space = rig.space();
        assertThat(space.used() + space.free() + space.reserved()).isEqualTo(space.size());
        rig.verifyAccounting();
    }
}
