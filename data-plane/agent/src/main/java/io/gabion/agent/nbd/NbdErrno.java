package io.gabion.agent.nbd;

/** The error values that an NBD reply may carry; the specification fixes the numbers. */
enum NbdErrno {
    PERMISSION(1, "the export is read-only"),
    IO(5, "no copy of the data can be read"),
    INVALID(22, "invalid request"),
    NO_SPACE(28, "no space left, or beyond the end of the export"),
    NOT_SUPPORTED(95, "cannot be done faster than writing zeros"),
    SHUTDOWN(108, "the export is closed: another agent took the volume over, or it was detached");

    private final int code;
    private final String message;

    NbdErrno(int code, String message) {
        this.code = code;
        this.message = message;
    }

    int code() {
        return code;
    }

    String message() {
        return message;
    }

    static NbdErrno of(BlockFailure failure) {
        return switch (failure) {
            case OUT_OF_RANGE -> INVALID;
            case NO_SPACE -> NO_SPACE;
            case UNREADABLE -> IO;
            case READ_ONLY -> PERMISSION;
            case CLOSED -> SHUTDOWN;
        };
    }
}
