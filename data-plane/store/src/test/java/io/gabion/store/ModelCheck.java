package io.gabion.store;

import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.RegionState;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.store.integrity.BlockChecksum;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Compares an open disk with models. */
final class ModelCheck {
    private static final ByteRange ALL = new ByteRange(0, VolumeModel.SIZE);

    private ModelCheck() {}

    /** The disk must hold the state after exactly {@code count} records. */
    static void requireEqual(StoreRig rig, VolumeModel model, ModelWorld world, String context) {
        Optional<String> difference = difference(rig, world.state(model.volume), model, world);
        if (difference.isPresent()) {
            throw new AssertionError(context + ": " + model.volume + ": " + difference.get());
        }
    }

    /** The freshly opened disk must hold the state after some number of records from {@code least} to {@code most}; returns it. */
    static int requirePrefix(StoreRig rig, VolumeModel model, int least, int most, String context) {
        StringBuilder problems = new StringBuilder();
        for (int count = most; count >= least; count--) {
            VolumeModel.State state = model.stateAfter(count);
            ModelWorld world = new ModelWorld();
            world.put(model.volume, state);
            Optional<String> difference =
                    difference(rig, state, model, world).or(() -> recoveredDifference(rig, state, model));
            if (difference.isEmpty()) {
                return count;
            }
            problems.append("\n after ").append(count).append(": ").append(difference.get());
        }
        throw new AssertionError(context + ": no prefix of " + model.volume + " from " + least + " to " + most
                + " records matches" + problems);
    }

    private static Optional<String> recoveredDifference(StoreRig rig, VolumeModel.State state, VolumeModel model) {
        Optional<RecoveredReplica> replica = rig.store.replicas().stream()
                .filter(r -> r.record().volume().equals(model.volume))
                .findFirst();
        if (replica.isPresent() && !replica.get().intact()) {
            return Optional.of("replica is not intact");
        }
        Lsn lastLsn = replica.map(RecoveredReplica::lastLsn).orElse(Lsn.ZERO);
        return lastLsn.equals(state.lastLsn)
                ? Optional.empty()
                : Optional.of("lastLsn is " + lastLsn + ", not " + state.lastLsn);
    }

    private static Optional<String> difference(
            StoreRig rig, VolumeModel.State state, VolumeModel model, ModelWorld world) {
        boolean exists = rig.onLoop(() -> rig.store.isPresent(model.volume));
        if (exists != state.exists) {
            return Optional.of("exists is " + exists);
        }
        if (!exists) {
            return Optional.empty();
        }
        Set<Long> snapshots = rig.onLoop(() -> rig.store.snapshots(model.volume).keySet());
        if (!snapshots.equals(state.snapshots.keySet())) {
            return Optional.of("snapshots " + snapshots + ", not " + state.snapshots.keySet());
        }
        for (Map.Entry<Long, VolumeModel.View> snapshot : state.snapshots.entrySet()) {
            byte[] content = rig.readAt(model.volume, snapshot.getKey(), ALL);
            if (!Arrays.equals(content, world.bytes(model.volume, snapshot.getValue()))) {
                return Optional.of("content of snapshot " + snapshot.getKey() + " differs");
            }
        }
        return headDifference(rig, state, model, world);
    }

    private static Optional<String> headDifference(
            StoreRig rig, VolumeModel.State state, VolumeModel model, ModelWorld world) {
        Map<Long, BlockVersion> byBlock = new HashMap<>();
        rig.versions(model.volume, ALL).forEach(version -> byBlock.put(version.block(), version));
        long[] hashes = new long[2];
        for (int block = 0; block < VolumeModel.BLOCKS; block++) {
            BlockVersion version = byBlock.get((long) block);
            boolean data = world.content(model.volume, state, block) != null;
            if (data != (version != null)) {
                return Optional.of("block " + block + " mapped: " + (version != null));
            }
            if (version != null) {
                Lsn expected = world.version(model.volume, state, block);
                if (!version.lsn().equals(expected)) {
                    return Optional.of("block " + block + " has " + version.lsn() + ", not " + expected);
                }
                // As if the volume had written it, also what it inherits.
                Lsn lsn = version.lsn();
                ByteBuffer content = ByteBuffer.wrap(world.content(model.volume, state, block));
                int crc = new BlockChecksum().of(model.volume, block, lsn.epoch(), lsn.seq(), content, 0);
                if (crc != version.crc32c()) {
                    return Optional.of("block " + block + " has another checksum");
                }
                hashes[block / 256] += BlockChecksum.regionHash(block, lsn.epoch(), lsn.seq(), crc);
            }
        }
        if (!Arrays.equals(rig.read(model.volume, ALL), world.bytes(model.volume, state))) {
            return Optional.of("content differs");
        }
        return regionDifference(rig.regions(model.volume), hashes);
    }

    private static Optional<String> regionDifference(List<RegionState> regions, long[] hashes) {
        for (RegionState region : regions) {
            if (region.hash() != hashes[region.region()]) {
                return Optional.of("hash of region " + region.region() + " is wrong");
            }
            hashes[region.region()] = 0;
        }
        return hashes[0] == 0 && hashes[1] == 0 ? Optional.empty() : Optional.of("a region is missing");
    }
}
