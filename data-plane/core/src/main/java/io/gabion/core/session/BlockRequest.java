package io.gabion.core.session;

import static java.util.Objects.requireNonNull;

import io.gabion.core.message.Payload;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import java.util.Optional;

/**
 * What a device front end wants, at any multiple of {@link #SECTOR_BYTES}.
 *
 * <p>Reads, writes and status queries lie within one aligned window of {@link BlockGeometry#MAX_IO_BYTES}; trims and zeroes are
 * at most {@link BlockGeometry#MAX_TRIM_BYTES} long. Front ends split what is larger.
 *
 * @param id chosen by the front end, unique among the requests it has under way
 * @param payload present for WRITE only, as long as the range; the request owns one reference
 */
public record BlockRequest(long id, Kind kind, ByteRange range, Optional<Payload> payload) {
    /** Smallest unit of addressing that clients may use. */
    public static final int SECTOR_BYTES = 512;

    /** What to do. */
    public enum Kind {
        READ,
        WRITE,
        /** Whole blocks inside the range read as zeros afterwards; its partial edges are left alone. */
        TRIM,
        /** Every byte of the range reads as zero afterwards. */
        ZERO,
        FLUSH,
        STATUS
    }

    public BlockRequest {
        requireNonNull(kind, "kind is null");
        requireNonNull(range, "range is null");
        if (((range.offset() | range.length()) & (SECTOR_BYTES - 1)) != 0) {
            throw new IllegalArgumentException("range " + range + " is not a multiple of " + SECTOR_BYTES);
        }
        if (payload.isPresent() != (kind == Kind.WRITE)
                || (payload.isPresent() && payload.get().length() != range.length())) {
            throw new IllegalArgumentException(kind + " " + range + " with a payload that does not fit");
        }
        if (kind == Kind.FLUSH ? !range.isEmpty() : range.isEmpty()) {
            throw new IllegalArgumentException(kind + " with range " + range);
        }
        if (isWindowed(kind) && window(range.offset()) != window(range.end() - 1)) {
            throw new IllegalArgumentException(
                    kind + " " + range + " crosses a window of " + BlockGeometry.MAX_IO_BYTES);
        }
        if (range.length() > BlockGeometry.MAX_TRIM_BYTES) {
            throw new IllegalArgumentException(kind + " " + range + " is too long");
        }
    }

    private static boolean isWindowed(Kind kind) {
        return kind == Kind.READ || kind == Kind.WRITE || kind == Kind.STATUS;
    }

    private static long window(long offset) {
        return offset / BlockGeometry.MAX_IO_BYTES;
    }
}
