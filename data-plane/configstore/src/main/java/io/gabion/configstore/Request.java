package io.gabion.configstore;

import io.gabion.model.DiskRecord;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.PoolRecord;
import io.gabion.protocol.control.SnapshotRecord;

/** A change that somebody wants. */
sealed interface Request {
    /** @param expectedVersion 0 to create */
    record SwapVolume(long expectedVersion, VolumeRecord next) implements Request {}

    record RemoveVolume(VolumeId id, long expectedVersion) implements Request {}

    record SwapDisk(long expectedVersion, DiskRecord next) implements Request {}

    record PutNode(NodeRecord next) implements Request {}

    record SwapPool(long expectedVersion, PoolRecord next) implements Request {}

    /** @param expectedVersion 0 to create */
    record SwapSnapshot(long expectedVersion, SnapshotRecord next) implements Request {}

    record RemoveSnapshot(VolumeId volume, String name, long expectedVersion) implements Request {}
}
