package io.gabion.store;

import io.gabion.model.Lsn;
import java.util.List;
import java.util.Optional;

/**
 * Digest of a replica's content at one point, read block by block from the disk.
 *
 * @param id of the verification
 * @param sizeBytes length of the volume at that point; holes count as zeros
 * @param sha256 of all of it, hexadecimal; empty when {@code failure} is present
 * @param regions SHA-256 of each region of 1 MiB in order (the last one may be shorter), hexadecimal
 * @param failure why there is no digest: a block that failed its checksum, or an error of the disk
 */
public record VerifyResult(
        long id, Lsn lsn, long sizeBytes, String sha256, List<String> regions, Optional<String> failure) {
    public VerifyResult {
        regions = List.copyOf(regions);
    }

    static VerifyResult failed(long id, Lsn lsn, long sizeBytes, String reason) {
        return new VerifyResult(id, lsn, sizeBytes, "", List.of(), Optional.of(reason));
    }
}
