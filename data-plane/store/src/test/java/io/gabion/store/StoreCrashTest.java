package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.port.Event;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.ByteRange;
import io.gabion.model.VolumeId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Cuts the power before syncs: of the blocks written since the last one, each is there, missing or torn. What was acknowledged
 * must be there, each volume must be a prefix of its records, and what one recovery decided must stay decided.
 */
class StoreCrashTest {
    private static final int RUNS = 4;
    private static final int STEPS = 400;
    private static final int WANTED_IMAGES = 300;
    private static final VolumeId A = new VolumeId(new UUID(5, 1));
    private static final VolumeId B = new VolumeId(new UUID(5, 2));
    /** Written after the first recovery. */
    private static final VolumeId LATER = new VolumeId(new UUID(5, 99));

    @Test
    void everyCrashImageRecoversToAPrefixThatHoldsWhatWasAcknowledged() throws IOException {
        int images = 0;
        for (int run = 0; run < RUNS; run++) {
            images += run(System.nanoTime(), false);
        }
        System.out.println("crash images: " + images);
        assertThat(images).isGreaterThan(WANTED_IMAGES);
    }

    @Test
    void lostDataOfOneVolumeEndsOnlyItsOwnPrefix() throws IOException {
        MemoryDiskFiles files = new MemoryDiskFiles();
        List<MemoryDiskFiles> images = new CopyOnWriteArrayList<>();
        StoreRig rig = StoreRig.open(files);
        rig.appendNow(A, StoreRig.created(A, 1 << 20));
        rig.appendNow(B, StoreRig.created(B, 1 << 20));
        files.beforeSync(() -> images.add(files.afterKill()));
        byte[] lost = StoreRig.filled(1, 0x42);
        rig.appendTogether(
                List.of(B, B, A, B),
                List.of(
                        StoreRig.written(1, 1, 0, StoreRig.filled(1, 0x41)),
                        StoreRig.written(1, 2, 1, lost),
                        StoreRig.written(1, 1, 0, StoreRig.filled(1, 0x61)),
                        StoreRig.written(1, 3, 2, StoreRig.filled(1, 0x43))));
        rig.abandon();
        MemoryDiskFiles image = images.getFirst();
        for (long block : image.writtenBlocks()) {
            if (Arrays.equals(image.block(block), lost)) {
                image.flipBit(block, 77);
            }
        }
        for (int opening = 0; opening < 2; opening++) {
            StoreRig recovered = StoreRig.open(image);
            assertThat(recovered.store.replicas()).allMatch(RecoveredReplica::intact);
            assertThat(recovered.read(A, ByteRange.ofBlocks(0, 1))).isEqualTo(StoreRig.filled(1, 0x61));
            assertThat(recovered.read(B, ByteRange.ofBlocks(0, 1))).isEqualTo(StoreRig.filled(1, 0x41));
            assertThat(recovered.read(B, ByteRange.ofBlocks(1, 2))).isEqualTo(new byte[2 * 4096]);
            recovered.abandon();
            image = image.afterKill();
        }
    }

    @Test
    void aDiskThatDoesNotSyncIsFoundOut() {
        boolean caught = false;
        for (int run = 0; run < 5 && !caught; run++) {
            try {
                run(1000 + run, true);
            } catch (AssertionError | IOException e) {
                caught = true;
            }
        }
        assertThat(caught).isTrue();
    }

    private static int run(long seed, boolean stubSync) throws IOException {
        Random random = new Random(seed);
        List<VolumeModel> models = new ArrayList<>();
        for (int i = 1; i <= 6; i++) {
            models.add(new VolumeModel(new VolumeId(new UUID(5, i))));
        }
        MemoryDiskFiles files = new MemoryDiskFiles();
        AtomicInteger images = new AtomicInteger();
        List<Throwable> failures = new ArrayList<>();
        try (StoreRig rig = StoreRig.open(files)) {
            if (stubSync) {
                files.stubSync();
            }
            Random crashes = new Random(seed + 1);
            files.beforeSync(() -> {
                if (failures.isEmpty() && crashes.nextInt(stubSync ? 20 : 5) == 0) {
                    try {
                        images.addAndGet(crashAndCheck(files, models, crashes, "seed " + seed));
                    } catch (Throwable e) {
                        failures.add(e);
                    }
                }
            });
            for (int step = 0; step < STEPS; step++) {
                List<CompletableFuture<?>> burst = new ArrayList<>();
                for (int i = 0; i < 1 + random.nextInt(6); i++) {
                    VolumeModel model = models.get(random.nextInt(models.size()));
                    CompletableFuture<Event> appended = rig.append(model.next(random));
                    int count = model.size();
                    burst.add(appended.thenAccept(event -> {
                        if (event instanceof Event.Appended) {
                            model.acknowledged = Math.max(model.acknowledged, count);
                        }
                    }));
                }
                if (random.nextInt(3) > 0) {
                    burst.forEach(StoreRig::get);
                }
            }
        }
        if (!failures.isEmpty()) {
            throw new AssertionError("seed " + seed, failures.getFirst());
        }
        return images.get();
    }

    private static int crashAndCheck(MemoryDiskFiles files, List<VolumeModel> models, Random random, String context)
            throws IOException {
        // What is acknowledged meanwhile is not in the image: take the numbers first.
        int[] least = models.stream().mapToInt(model -> model.acknowledged).toArray();
        MemoryDiskFiles image = files.crash(random);
        int[] most = models.stream().mapToInt(VolumeModel::size).toArray();
        int[] found = new int[models.size()];
        try (StoreRig rig = StoreRig.open(image)) {
            for (int i = 0; i < found.length; i++) {
                found[i] = ModelCheck.requirePrefix(rig, models.get(i), least[i], most[i], context);
            }
            rig.onLoop(() -> {
                rig.store.verifyAccounting();
                return true;
            });
            // A second life: its batches call everything before them durable.
            rig.appendNow(LATER, StoreRig.created(LATER, 1 << 20));
            rig.appendNow(LATER, StoreRig.written(1, 1, 3, StoreRig.filled(2, 6)));
            rig.abandon();
        }
        try (StoreRig rig = StoreRig.open(image.crash(random))) {
            for (int i = 0; i < found.length; i++) {
                ModelCheck.requirePrefix(rig, models.get(i), found[i], found[i], context + " reopened");
            }
            assertThat(rig.read(LATER, ByteRange.ofBlocks(3, 2))).isEqualTo(StoreRig.filled(2, 6));
            rig.abandon();
        }
        return 2;
    }
}
