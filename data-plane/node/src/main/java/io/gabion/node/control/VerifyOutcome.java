package io.gabion.node.control;

import io.gabion.model.Lsn;

/** How far the verification of one replica is. */
public sealed interface VerifyOutcome {
    /** The replica has passed the point and reads its blocks. */
    record Reading(Lsn lsn) implements VerifyOutcome {}

    /**
     * @param sha256 over every block of the volume in order, holes as zeros; lower-case hexadecimal
     * @param regionDigests one SHA-256 per region, concatenated; not changed any more
     */
    @SuppressWarnings("ArrayRecordComponent") // Megabytes for a large volume; handed over, never compared.
    record Done(Lsn lsn, long bytesRead, long bytesTotal, String sha256, byte[] regionDigests)
            implements VerifyOutcome {}

    record Failed(Lsn lsn, String reason) implements VerifyOutcome {}
}
