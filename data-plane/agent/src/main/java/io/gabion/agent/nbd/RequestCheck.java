package io.gabion.agent.nbd;

import org.jspecify.annotations.Nullable;

/** Decides from a request's header alone whether it can be carried out. */
final class RequestCheck {
    private RequestCheck() {}

    /** What the check needs to know of the export. */
    record Device(long sizeBytes, boolean readOnly) {
        Device(BlockExport export) {
            this(export.sizeBytes(), export.readOnly());
        }
    }

    /** The negotiated features that commands depend on. */
    record Features(boolean structuredReplies, boolean baseAllocation) {}

    /** The error to reply with, null if the request is good. {@code offset} is unsigned. */
    static @Nullable NbdErrno check(
            int command, int flags, long offset, long length, Features features, Device device) {
        int allowed = allowedFlags(command, features);
        if (allowed < 0 || (flags & ~(allowed | NbdProtocol.CMD_FLAG_FUA)) != 0) {
            return NbdErrno.INVALID;
        }
        if (command == NbdProtocol.CMD_FLUSH) {
            return offset == 0 && length == 0 ? null : NbdErrno.INVALID;
        }
        boolean mutates = command == NbdProtocol.CMD_WRITE
                || command == NbdProtocol.CMD_TRIM
                || command == NbdProtocol.CMD_WRITE_ZEROES;
        if (mutates && device.readOnly()) {
            return NbdErrno.PERMISSION;
        }
        if (length == 0 || ((offset | length) & (NbdProtocol.MIN_BLOCK_BYTES - 1)) != 0) {
            return NbdErrno.INVALID;
        }
        boolean carriesPayload = command == NbdProtocol.CMD_WRITE || command == NbdProtocol.CMD_READ;
        if (carriesPayload && length > NbdProtocol.MAX_PAYLOAD_BYTES) {
            return NbdErrno.INVALID;
        }
        if (offset < 0 || offset > device.sizeBytes() || length > device.sizeBytes() - offset) {
            return mutates && command != NbdProtocol.CMD_TRIM ? NbdErrno.NO_SPACE : NbdErrno.INVALID;
        }
        boolean slowZero = command == NbdProtocol.CMD_WRITE_ZEROES
                && (flags & NbdProtocol.CMD_FLAG_FAST_ZERO) != 0
                && (flags & NbdProtocol.CMD_FLAG_NO_HOLE) != 0;
        return slowZero ? NbdErrno.NOT_SUPPORTED : null;
    }

    /** Flags besides FUA (which is harmless everywhere); negative for a command that is unknown or was not negotiated. */
    private static int allowedFlags(int command, Features features) {
        return switch (command) {
            case NbdProtocol.CMD_READ -> features.structuredReplies() ? NbdProtocol.CMD_FLAG_DF : 0;
            case NbdProtocol.CMD_WRITE, NbdProtocol.CMD_FLUSH, NbdProtocol.CMD_TRIM, NbdProtocol.CMD_CACHE -> 0;
            case NbdProtocol.CMD_WRITE_ZEROES -> NbdProtocol.CMD_FLAG_NO_HOLE | NbdProtocol.CMD_FLAG_FAST_ZERO;
            case NbdProtocol.CMD_BLOCK_STATUS -> features.baseAllocation() ? NbdProtocol.CMD_FLAG_REQ_ONE : -1;
            default -> -1;
        };
    }
}
