package io.gabion.store;

import io.gabion.model.Lsn;
import io.gabion.store.device.DeviceFile;
import io.gabion.store.extent.Chunk;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;

/** Opens a crash image and compares it with what its workload may have left. */
final class CrashCheck {
    private static final UUID OTHER_BOOT = new UUID(9, 10);
    /** One in so many images lives on: a batch more, another crash, another opening. */
    private static final int SECOND_LIFE = 64;

    private CrashCheck() {}

    /** Throws {@link AssertionError} when something is wrong. */
    static void check(CrashWorkload workload, CrashImages.Image image) throws IOException {
        MemoryDiskFiles files = image.files();
        int found = open(workload, files, image.acknowledged(), image.submitted());
        if (Math.floorMod(image.hash(), SECOND_LIFE) == 0) {
            liveOn(workload, files, found);
        }
    }

    /** Returns the number of operations whose state was found. */
    private static int open(CrashWorkload workload, MemoryDiskFiles files, int least, int most) throws IOException {
        DiskOpening.Opened opened =
                DiskOpening.open(StoreRig.quietOptions(OTHER_BOOT).withMayFormat(false), files);
        try (DeviceFile file = opened.file()) {
            StoreCheckReport report =
                    StoreCheck.run(opened.superblock(), new InlineDevice(file), opened.metadata(), opened.recovered());
            if (!report.isSound()) {
                throw new AssertionError("store check: " + report.findings());
            }
            return matching(workload, files, opened.recovered(), least, most);
        } finally {
            opened.recovered().index().close();
        }
    }

    private static int matching(
            CrashWorkload workload, MemoryDiskFiles files, Recovery.Recovered recovered, int least, int most) {
        StringBuilder problems = new StringBuilder();
        for (int count = most; count >= least; count--) {
            VolumeModel model = workload.model();
            Optional<String> difference =
                    difference(files, recovered.index(), model, model.stateAfter(workload.records(count)));
            if (difference.isEmpty()) {
                return count;
            }
            problems.append("; after ").append(count).append(": ").append(difference.get());
        }
        throw new AssertionError("no state from " + least + " to " + most + " operations matches" + problems);
    }

    private static Optional<String> difference(
            MemoryDiskFiles files, DiskIndex index, VolumeModel model, VolumeModel.State expected) {
        Optional<ReplicaState> found = index.find(model.volume);
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
        for (int block = 0; block < VolumeModel.BLOCKS; block++) {
            Chunk chunk = index.chunk(replica.extents(), block / Chunk.BLOCKS);
            int i = block % Chunk.BLOCKS;
            byte[] wanted = expected.content.get(block);
            if (chunk.isData(i) != (wanted != null)) {
                return Optional.of("block " + block + " mapped: " + chunk.isData(i));
            }
            Lsn version = new Lsn(chunk.epoch(i), chunk.seq(i));
            if (!version.equals(expected.versions[block])) {
                return Optional.of("block " + block + " has " + version + ", not " + expected.versions[block]);
            }
            if (wanted != null && !Arrays.equals(wanted, files.block(chunk.place(i)))) {
                return Optional.of("block " + block + " has other content");
            }
        }
        return Optional.empty();
    }

    /** The next life calls everything before it durable; what the first opening decided must stay decided. */
    private static void liveOn(CrashWorkload workload, MemoryDiskFiles files, int found) throws IOException {
        io.gabion.model.VolumeId later = new io.gabion.model.VolumeId(new UUID(5, 99));
        StoreRig rig = StoreRig.open(StoreRig.quietOptions().withMayFormat(false), files);
        try {
            rig.appendNow(later, StoreRig.created(later, 1 << 20));
            rig.appendNow(later, StoreRig.written(1, 1, 3, StoreRig.filled(2, 6)));
        } finally {
            rig.abandon();
        }
        open(workload, files.afterKill(), found, found);
    }
}
