package io.gabion.agent.nbd;

import io.gabion.core.message.Payload;
import io.gabion.model.ByteRange;

/**
 * One command to a block device. Ranges lie within the device, on multiples of 512 bytes, and are never empty. Reads, writes and
 * status queries stay within one aligned window of {@link io.gabion.model.BlockGeometry#MAX_IO_BYTES}; trims and zeroes are at
 * most {@link io.gabion.model.BlockGeometry#MAX_TRIM_BYTES} long.
 */
public sealed interface BlockCommand {
    record Read(ByteRange range) implements BlockCommand {}

    /** One reference to the payload goes to the export. */
    record Write(ByteRange range, Payload payload) implements BlockCommand {}

    /** The content does not matter any more. */
    record Trim(ByteRange range) implements BlockCommand {}

    /** The range reads as zeros afterwards. */
    record Zero(ByteRange range) implements BlockCommand {}

    /** Completes when everything that completed before is durable. */
    record Flush() implements BlockCommand {
        public static final Flush FLUSH = new Flush();
    }

    /** Which parts hold data? */
    record Status(ByteRange range) implements BlockCommand {}
}
