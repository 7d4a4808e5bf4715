package io.gabion.core.volume;

import io.gabion.model.Lsn;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import java.util.List;
import java.util.Optional;

/**
 * What a person wants to know of one replica right now.
 *
 * @param role primary, in-sync, catching-up, outdated, faulted or empty
 * @param phase what the state machine is doing: serving, activating, promoting, waiting-for-configuration, resyncing ...
 * @param stall why writes wait, empty when they do not
 */
public record ReplicaView(
        VolumeId volume,
        ReplicaId replica,
        Optional<VolumeRecord> record,
        String role,
        String phase,
        long epoch,
        long promisedEpoch,
        Lsn lastLsn,
        Lsn committed,
        Optional<Stall> stall,
        long resyncComparedBytes,
        long resyncCopiedBytes,
        long resyncTotalBytes,
        List<String> sessions,
        int writesInFlight) {
    /** @param waitsFor the replica (with its node) or thing that writes wait for */
    public record Stall(String reason, String waitsFor, long sinceNanos) {}
}
