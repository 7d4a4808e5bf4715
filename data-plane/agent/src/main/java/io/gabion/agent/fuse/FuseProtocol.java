package io.gabion.agent.fuse;

/**
 * The numbers of the kernel's FUSE protocol that this server uses: operations, flags and the places of fields in its structures
 * (all in the byte order of the machine). Fixed by the kernel's interface {@code linux/fuse.h}.
 */
final class FuseProtocol {
    static final int MAJOR = 7;
    /** Structures as of this minor version; a newer kernel speaks it too. */
    static final int MINOR = 41;

    // ---- operations
    static final int LOOKUP = 1;
    static final int FORGET = 2;
    static final int GETATTR = 3;
    static final int SETATTR = 4;
    static final int OPEN = 14;
    static final int READ = 15;
    static final int WRITE = 16;
    static final int STATFS = 17;
    static final int RELEASE = 18;
    static final int FSYNC = 20;
    static final int FLUSH = 25;
    static final int INIT = 26;
    static final int OPENDIR = 27;
    static final int READDIR = 28;
    static final int RELEASEDIR = 29;
    static final int FSYNCDIR = 30;
    static final int ACCESS = 34;
    static final int INTERRUPT = 36;
    static final int DESTROY = 38;
    static final int BATCH_FORGET = 42;
    static final int FALLOCATE = 43;

    /** A notification: send again every request that was read and not answered. */
    static final int NOTIFY_RESEND = 7;
    /** Marks a request that was sent before, in its number. */
    static final long RESENT_BIT = 1L << 63;

    // ---- features, 64 bits in two fields
    static final long ASYNC_READ = 1;
    static final long BIG_WRITES = 1L << 5;
    static final long ASYNC_DIO = 1L << 15;
    static final long MAX_PAGES = 1L << 22;
    static final long INIT_EXT = 1L << 30;
    static final long HAS_RESEND = 1L << 39;

    // ---- flags
    static final int FOPEN_DIRECT_IO = 1;
    static final int FOPEN_NOFLUSH = 1 << 5;
    static final int FOPEN_PARALLEL_DIRECT_WRITES = 1 << 6;
    static final int FALLOC_KEEP_SIZE = 1;
    static final int FALLOC_PUNCH_HOLE = 2;
    static final int FALLOC_ZERO_RANGE = 0x10;

    // ---- request header
    static final int IN_HEADER_BYTES = 40;
    static final int IN_LENGTH = 0;
    static final int IN_OPERATION = 4;
    static final int IN_UNIQUE = 8;
    static final int IN_NODE = 16;

    // ---- reply header
    static final int OUT_HEADER_BYTES = 16;

    // ---- what follows the request header; READ and WRITE begin alike
    static final int IO_OFFSET = 8;
    static final int IO_SIZE = 16;
    static final int READ_IN_BYTES = 40;
    static final int WRITE_IN_BYTES = 40;
    static final int FALLOCATE_OFFSET = 8;
    static final int FALLOCATE_LENGTH = 16;
    static final int FALLOCATE_MODE = 24;
    static final int FALLOCATE_IN_BYTES = 32;
    static final int INIT_MAJOR = 0;
    static final int INIT_MINOR = 4;
    static final int INIT_READAHEAD = 8;
    static final int INIT_FLAGS = 12;
    static final int INIT_FLAGS_HIGH = 16;
    /** Without the later fields, which nothing is read from. */
    static final int INIT_IN_BYTES = 20;

    // ---- replies
    static final int INIT_OUT_BYTES = 64;
    static final int ATTR_BYTES = 88;
    static final int ENTRY_OUT_BYTES = 40 + ATTR_BYTES;
    static final int ATTR_OUT_BYTES = 16 + ATTR_BYTES;
    static final int OPEN_OUT_BYTES = 16;
    static final int WRITE_OUT_BYTES = 8;
    static final int STATFS_OUT_BYTES = 80;
    static final int DIRENT_HEADER_BYTES = 24;

    static final long ROOT_NODE = 1;
    static final long FILE_NODE = 2;
    static final int MODE_DIRECTORY = 0040000;
    static final int MODE_FILE = 0100000;

    private FuseProtocol() {}
}
