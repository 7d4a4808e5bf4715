package io.gabion.faults.powerloss;

/** The answer to a request that fails: an error number, no stack trace, because it is an ordinary outcome. */
final class FuseError extends Exception {
    private final int errno;

    FuseError(int errno) {
        super("errno " + errno, null, false, false);
        this.errno = errno;
    }

    int errno() {
        return errno;
    }
}
