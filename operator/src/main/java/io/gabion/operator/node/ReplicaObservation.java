package io.gabion.operator.node;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import java.util.OptionalInt;

/**
 * What a node said of one of its copies.
 *
 * @param role primary, in-sync, catching-up, outdated, faulted or empty
 * @param stallReason why writes wait; empty while they do not
 */
public record ReplicaObservation(
        VolumeId volume,
        ReplicaId replica,
        String role,
        String stallReason,
        long usedBytes,
        long comparedBytes,
        long totalBytes,
        boolean everWritten) {
    private static final long PERCENT = 100;
    private static final long COARSE_BYTES = 64L << 20;
    private static final int COARSE_PROGRESS = 10;

    public ReplicaObservation {
        requireNonNull(volume, "volume is null");
        requireNonNull(replica, "replica is null");
        requireNonNull(role, "role is null");
        requireNonNull(stallReason, "stallReason is null");
    }

    /** The same as far as people care: not every block that is written or copied is news. */
    ReplicaObservation coarse() {
        return new ReplicaObservation(
                volume,
                replica,
                role,
                stallReason,
                usedBytes / COARSE_BYTES,
                totalBytes <= 0 ? 0 : COARSE_PROGRESS * Math.min(comparedBytes, totalBytes) / totalBytes,
                0,
                everWritten);
    }

    /** How far the copy has come; empty when it is not on its way. */
    public OptionalInt percent() {
        return totalBytes <= 0
                ? OptionalInt.empty()
                : OptionalInt.of((int) (PERCENT * Math.min(comparedBytes, totalBytes) / totalBytes));
    }

    /** The same for people; empty when it is not on its way. */
    public String progress() {
        return percent().isPresent() ? " (" + percent().getAsInt() + " %)" : "";
    }
}
