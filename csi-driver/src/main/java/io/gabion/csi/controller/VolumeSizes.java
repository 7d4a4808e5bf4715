package io.gabion.csi.controller;

import csi.v1.CapacityRange;
import csi.v1.VolumeCapability;
import io.gabion.csi.host.FileSystemType;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.model.BlockGeometry;
import java.util.List;

/** Which size a volume gets out of the range that somebody asked for: the smallest that fits. */
final class VolumeSizes {
    static final long MIN_BYTES = 1L << 20;
    static final long MAX_BYTES = 1L << 50;
    /** For callers that name no size. */
    static final long DEFAULT_BYTES = 1L << 30;

    private VolumeSizes() {}

    /** Size of a new volume. */
    static long ofNew(CapacityRange range, List<VolumeCapability> capabilities) {
        long smallest = MIN_BYTES;
        for (VolumeCapability capability : capabilities) {
            if (capability.hasMount()) {
                smallest = Math.max(
                        smallest,
                        FileSystemType.find(capability.getMount().getFsType())
                                .map(FileSystemType::minimumBytes)
                                .orElse(MIN_BYTES));
            }
        }
        check(range);
        long wanted = range.getRequiredBytes();
        if (wanted == 0) {
            long limit = range.getLimitBytes();
            wanted = limit == 0 ? DEFAULT_BYTES : Math.min(DEFAULT_BYTES, limit - limit % BlockGeometry.BLOCK_BYTES);
        }
        return within(range, roundUp(Math.max(wanted, smallest)));
    }

    /** Size that an existing volume should grow to. */
    static long ofGrown(CapacityRange range, long currentBytes) {
        check(range);
        return within(range, roundUp(Math.max(range.getRequiredBytes(), currentBytes)));
    }

    /** Whether a volume of this size answers the request. */
    static boolean satisfies(CapacityRange range, long sizeBytes) {
        return sizeBytes >= range.getRequiredBytes()
                && (range.getLimitBytes() == 0 || sizeBytes <= range.getLimitBytes());
    }

    private static void check(CapacityRange range) {
        long required = range.getRequiredBytes();
        long limit = range.getLimitBytes();
        if (required < 0 || limit < 0) {
            throw CsiFailure.outOfRange("capacity_range must not be negative");
        }
        if (limit > 0 && required > limit) {
            throw CsiFailure.outOfRange(
                    "capacity_range: required_bytes " + required + " is above limit_bytes " + limit);
        }
        if (required > MAX_BYTES) {
            throw CsiFailure.outOfRange(
                    "a volume of " + required + " bytes is too large; the largest has " + MAX_BYTES + " bytes (1 PiB)");
        }
    }

    private static long within(CapacityRange range, long sizeBytes) {
        if (range.getLimitBytes() > 0 && sizeBytes > range.getLimitBytes()) {
            throw CsiFailure.outOfRange("no volume can have at most " + range.getLimitBytes()
                    + " bytes here: the smallest that would do has " + sizeBytes + " bytes (a multiple of "
                    + BlockGeometry.BLOCK_BYTES + ")");
        }
        return sizeBytes;
    }

    private static long roundUp(long bytes) {
        long blocks = Math.ceilDiv(bytes, (long) BlockGeometry.BLOCK_BYTES);
        return blocks * BlockGeometry.BLOCK_BYTES;
    }
}
