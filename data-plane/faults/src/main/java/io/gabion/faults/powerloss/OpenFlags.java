package io.gabion.faults.powerloss;

/** The open flags that come with every read and write; those of RWF_DSYNC and RWF_SYNC included. */
final class OpenFlags {
    private static final int O_DSYNC = 0x1000;
    private static final int O_SYNC_BIT = 0x100000;
    private static final int O_DIRECT = "aarch64".equals(System.getProperty("os.arch")) ? 0x10000 : 0x4000;

    private OpenFlags() {}

    static boolean syncsData(int flags) {
        return (flags & O_DSYNC) != 0;
    }

    static boolean syncsAll(int flags) {
        return (flags & O_SYNC_BIT) != 0;
    }

    static boolean direct(int flags) {
        return (flags & O_DIRECT) != 0;
    }
}
