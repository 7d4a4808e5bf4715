package io.gabion.agent.nbd;

/** Numbers of the NBD protocol (fixed newstyle), as its specification gives them, and the bounds that this server keeps. */
final class NbdProtocol {
    static final long GREETING_MAGIC = 0x4e42444d41474943L;
    static final long OPTION_MAGIC = 0x49484156454F5054L;
    static final long OPTION_REPLY_MAGIC = 0x3e889045565a9L;
    static final int REQUEST_MAGIC = 0x25609513;
    static final int SIMPLE_REPLY_MAGIC = 0x67446698;
    static final int STRUCTURED_REPLY_MAGIC = 0x668e33ef;

    // Handshake flags (server) and their answers (client) share values.
    static final int FLAG_FIXED_NEWSTYLE = 1;
    static final int FLAG_NO_ZEROES = 1 << 1;
    /** Zeros after the export's description where the client did not ask to leave them out. */
    static final int EXPORT_NAME_PADDING_BYTES = 124;

    static final int OPT_EXPORT_NAME = 1;
    static final int OPT_ABORT = 2;
    static final int OPT_LIST = 3;
    static final int OPT_STARTTLS = 5;
    static final int OPT_INFO = 6;
    static final int OPT_GO = 7;
    static final int OPT_STRUCTURED_REPLY = 8;
    static final int OPT_LIST_META_CONTEXT = 9;
    static final int OPT_SET_META_CONTEXT = 10;

    static final int REP_ACK = 1;
    static final int REP_SERVER = 2;
    static final int REP_INFO = 3;
    static final int REP_META_CONTEXT = 4;
    static final int REP_ERR_UNSUP = 0x80000001;
    static final int REP_ERR_POLICY = 0x80000002;
    static final int REP_ERR_INVALID = 0x80000003;
    static final int REP_ERR_TLS_REQD = 0x80000005;
    static final int REP_ERR_UNKNOWN = 0x80000006;
    static final int REP_ERR_TOO_BIG = 0x80000009;

    static final int INFO_EXPORT = 0;
    static final int INFO_NAME = 1;
    static final int INFO_BLOCK_SIZE = 3;

    static final int TRANSMISSION_HAS_FLAGS = 1;
    static final int TRANSMISSION_READ_ONLY = 1 << 1;
    static final int TRANSMISSION_SEND_FLUSH = 1 << 2;
    static final int TRANSMISSION_SEND_FUA = 1 << 3;
    static final int TRANSMISSION_SEND_TRIM = 1 << 5;
    static final int TRANSMISSION_SEND_WRITE_ZEROES = 1 << 6;
    static final int TRANSMISSION_SEND_DF = 1 << 7;
    static final int TRANSMISSION_CAN_MULTI_CONN = 1 << 8;
    static final int TRANSMISSION_SEND_CACHE = 1 << 10;
    static final int TRANSMISSION_SEND_FAST_ZERO = 1 << 11;

    static final int CMD_READ = 0;
    static final int CMD_WRITE = 1;
    static final int CMD_DISC = 2;
    static final int CMD_FLUSH = 3;
    static final int CMD_TRIM = 4;
    static final int CMD_CACHE = 5;
    static final int CMD_WRITE_ZEROES = 6;
    static final int CMD_BLOCK_STATUS = 7;

    static final int CMD_FLAG_FUA = 1;
    static final int CMD_FLAG_NO_HOLE = 1 << 1;
    static final int CMD_FLAG_DF = 1 << 2;
    static final int CMD_FLAG_REQ_ONE = 1 << 3;
    static final int CMD_FLAG_FAST_ZERO = 1 << 4;

    static final int REPLY_FLAG_DONE = 1;
    static final int REPLY_TYPE_NONE = 0;
    static final int REPLY_TYPE_OFFSET_DATA = 1;
    static final int REPLY_TYPE_OFFSET_HOLE = 2;
    static final int REPLY_TYPE_BLOCK_STATUS = 5;
    static final int REPLY_TYPE_ERROR = (1 << 15) + 1;

    static final String BASE_ALLOCATION = "base:allocation";
    static final int BASE_ALLOCATION_ID = 1;
    static final int STATE_HOLE = 1;
    static final int STATE_ZERO = 1 << 1;

    static final int REQUEST_HEADER_BYTES = 28;
    static final int OPTION_HEADER_BYTES = 16;

    /** Smallest unit of offset and length: sectors of disk images; the session edits blocks that are written in part. */
    static final int MIN_BLOCK_BYTES = 512;

    static final int PREFERRED_BLOCK_BYTES = 4096;
    /** Longest read or write; the specification's "maximum portability". Longer than one I/O of the volume: split here. */
    static final int MAX_PAYLOAD_BYTES = 32 * 1024 * 1024;
    /** The specification's limit for every string. */
    static final int MAX_NAME_BYTES = 4096;
    /** Longest option that is read into memory: a name and some thousand queries; longer ones are skipped and refused. */
    static final int MAX_OPTION_BYTES = 64 * 1024;
    /** A client that haggles longer than this only keeps us busy. */
    static final int MAX_OPTIONS = 1024;

    private NbdProtocol() {}
}
