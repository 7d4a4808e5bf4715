package io.gabion.store;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.device.DeviceFile;
import io.gabion.store.extent.Chunk;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.stream.IntStream;

/** Opens a crash image and compares it with what its workload may have left. */
final class CrashCheck {
    private static final UUID OTHER_BOOT = new UUID(9, 10);
    /** One in so many images lives on: a batch more, another crash, another opening. */
    private static final int SECOND_LIFE = 64;

    private static final VolumeId LATER = new VolumeId(new UUID(5, 99));
    private static final int COLLECT_ENTRIES = 7;
    /** Workloads write in the first chunks only. */
    private static final int COMPARED_BLOCKS = 96;

    private CrashCheck() {}

    /** Throws {@link AssertionError} when something is wrong. */
    static void check(CrashWorkload workload, CrashImages.Image image) throws IOException {
        MemoryDiskFiles files = image.files();
        Map<VolumeId, Integer> found =
                open(workload, files, volume -> IntStream.rangeClosed(image.acknowledged(), image.submitted()));
        if (Math.floorMod(image.hash(), SECOND_LIFE) == 0) {
            liveOn(workload, files, found);
        }
    }

    /** Returns for each volume the number of operations whose state was found. */
    private static Map<VolumeId, Integer> open(
            CrashWorkload workload, MemoryDiskFiles files, Function<VolumeId, IntStream> possible) throws IOException {
        DiskOpening.Opened opened =
                DiskOpening.open(StoreRig.quietOptions(OTHER_BOOT).withMayFormat(false), files);
        try (DeviceFile file = opened.file()) {
            Map<VolumeId, Integer> found =
                    matching(workload, files, opened.recovered().index(), possible);
            requireSound(opened, file);
            while (opened.recovered().index().hasCollectable()) {
                opened.recovered().index().collect(COLLECT_ENTRIES);
            }
            requireSound(opened, file);
            matching(
                    workload, files, opened.recovered().index(), volume -> IntStream.of(found.getOrDefault(volume, 0)));
            return found;
        } finally {
            opened.recovered().index().close();
        }
    }

    private static void requireSound(DiskOpening.Opened opened, DeviceFile file) throws IOException {
        opened.recovered().index().writePages();
        StoreCheckReport report = StoreCheck.run(
                opened.superblock().get(), new InlineDevice(file), opened.metadata(), opened.recovered());
        if (!report.isSound()) {
            throw new AssertionError("store check: " + report.findings());
        }
    }

    private static Map<VolumeId, Integer> matching(
            CrashWorkload workload, MemoryDiskFiles files, DiskIndex index, Function<VolumeId, IntStream> possible) {
        Map<VolumeId, Integer> found = new HashMap<>();
        List<String> problems = new ArrayList<>();
        List<VolumeModel> models = List.copyOf(workload.models());
        Candidates candidates = new Candidates(workload, files, index, possible, problems);
        if (!candidates.match(models, new ModelWorld(), found)) {
            throw new AssertionError("no possible states match: " + problems);
        }
        return found;
    }

    /** Looks for a state of each volume that fits the image, and what clones find in the states of others. */
    private record Candidates(
            CrashWorkload workload,
            MemoryDiskFiles files,
            DiskIndex index,
            Function<VolumeId, IntStream> possible,
            List<String> problems) {
        boolean match(List<VolumeModel> models, ModelWorld world, Map<VolumeId, Integer> found) {
            if (models.isEmpty()) {
                return true;
            }
            VolumeModel model = models.getFirst();
            int[] counts = possible.apply(model.volume).toArray();
            // From the last one down: of equal states the one that knows all clones.
            for (int i = counts.length - 1; i >= 0; i--) {
                VolumeModel.State state = model.stateAfter(workload.records(model.volume, counts[i]));
                world.put(model.volume, state);
                Optional<String> difference = difference(files, index, model.volume, state, world);
                if (difference.isPresent()) {
                    problems.add(model.volume + " after " + counts[i] + ": " + difference.get());
                } else if (match(models.subList(1, models.size()), world, found)) {
                    found.put(model.volume, counts[i]);
                    return true;
                }
            }
            return false;
        }
    }

    private static Optional<String> difference(
            MemoryDiskFiles files, DiskIndex index, VolumeId volume, VolumeModel.State expected, ModelWorld world) {
        Optional<ReplicaState> found = index.find(volume);
        if (found.isPresent() != expected.exists) {
            return Optional.of("exists: " + found.isPresent());
        }
        if (found.isEmpty()) {
            return Optional.empty();
        }
        ReplicaState replica = found.get();
        if (!replica.lastLsn().equals(expected.lastLsn)) {
            return Optional.of("lastLsn is " + replica.lastLsn() + ", not " + expected.lastLsn);
        }
        Set<Long> snapshots = replica.ancestry().snapshots().keySet();
        if (!snapshots.equals(expected.snapshots.keySet())) {
            return Optional.of("snapshots " + snapshots + ", not " + expected.snapshots.keySet());
        }
        for (VolumeModel.View view : expected.snapshots.values()) {
            Optional<String> difference =
                    difference(files, number -> index.chunk(replica.extents(), number, view.lsn), volume, view, world);
            if (difference.isPresent()) {
                return difference.map(text -> "snapshot at " + view.lsn + ": " + text);
            }
        }
        return difference(files, number -> index.chunk(replica.extents(), number), volume, expected, world);
    }

    private static Optional<String> difference(
            MemoryDiskFiles files,
            LongFunction<Chunk> chunks,
            VolumeId volume,
            VolumeModel.View expected,
            ModelWorld world) {
        Chunk chunk = chunks.apply(0);
        for (int block = 0; block < COMPARED_BLOCKS; block++) {
            int i = block % Chunk.BLOCKS;
            if (i == 0) {
                chunk = chunks.apply(block / Chunk.BLOCKS);
            }
            byte[] wanted = world.content(volume, expected, block);
            if (chunk.isData(i) != (wanted != null)) {
                return Optional.of("block " + block + " mapped: " + chunk.isData(i));
            }
            Lsn version = new Lsn(chunk.epoch(i), chunk.seq(i));
            if (wanted != null && !version.equals(world.version(volume, expected, block))) {
                return Optional.of(
                        "block " + block + " has " + version + ", not " + world.version(volume, expected, block));
            }
            if (wanted != null && !Arrays.equals(wanted, files.block(chunk.place(i)))) {
                return Optional.of("block " + block + " has other content");
            }
        }
        return Optional.empty();
    }

    /** The next life calls everything before it durable; what the first opening decided must stay decided. */
    private static void liveOn(CrashWorkload workload, MemoryDiskFiles files, Map<VolumeId, Integer> found)
            throws IOException {
        StoreRig rig = StoreRig.open(StoreRig.quietOptions().withMayFormat(false), files);
        try {
            rig.appendNow(LATER, StoreRig.created(LATER, 1 << 20));
            rig.appendNow(LATER, StoreRig.written(1, 1, 3, StoreRig.filled(2, 6)));
        } finally {
            rig.abandon();
        }
        open(workload, files.afterKill(), volume -> IntStream.of(found.getOrDefault(volume, 0)));
    }
}
