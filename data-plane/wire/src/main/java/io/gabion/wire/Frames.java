package io.gabion.wire;

import io.gabion.model.BlockGeometry;

/** Sizes of frames; {@code docs/wire-format.md} draws them. All integers are big-endian. */
final class Frames {
    /**
     * <pre>
     *  0                   1                   2                   3
     *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
     * +-------------------------------+---------------+---------------+
     * | magic 0x6742 ("gB")           | type          | flags (0)     |  0
     * +-------------------------------+---------------+---------------+
     * | body length in bytes                                          |  4
     * +---------------------------------------------------------------+
     * | payload length in bytes                                       |  8
     * +---------------------------------------------------------------+
     * | payload CRC32C (0 without payload, or with several)           | 12
     * +---------------------------------------------------------------+
     * | body CRC32C                                                   | 16
     * +---------------------------------------------------------------+
     * | header CRC32C, of the 20 bytes before                         | 20
     * +---------------------------------------------------------------+
     * | body ...                                                      | 24
     * +---------------------------------------------------------------+
     * | payload ...                                                   |
     * +---------------------------------------------------------------+
     * </pre>
     */
    static final int HEADER_BYTES = 24;

    static final int MAGIC = 0x6742;

    static final int TYPE_AT = 2;
    static final int FLAGS_AT = 3;
    static final int BODY_LENGTH_AT = 4;
    static final int PAYLOAD_LENGTH_AT = 8;
    static final int PAYLOAD_CRC_AT = 12;
    static final int BODY_CRC_AT = 16;
    static final int HEADER_CRC_AT = 20;

    /** All payloads of one frame together: one region, the longest I/O. */
    static final int MAX_PAYLOAD_BYTES = BlockGeometry.MAX_IO_BYTES;

    /** Body of types that hold no list: fixed fields, a reason or a name. */
    static final int SMALL_BODY_BYTES = 4 * 1024;
    /** Body of types whose lists follow what is in flight or placed. */
    static final int LIST_BODY_BYTES = 4 * 1024 * 1024;
    /** Body of types that hold a region table: {@link #MAX_REGIONS} entries of 28 bytes and some room. */
    static final int TABLE_BODY_BYTES = 64 * 1024 * 1024;

    /** Regions in one table: a volume of 2 TiB. */
    static final int MAX_REGIONS = 2 * 1024 * 1024;
    /** Operations in a tail and remembered requests: far above what all sessions of a volume may have in flight. */
    static final int MAX_REQUESTS = 64 * 1024;
    /** Runs of one Reconcile or Blocks: every second block of 16 regions. */
    static final int MAX_RUNS = 4096;
    /** Versions in one FetchBlocks: the blocks of a region. */
    static final int MAX_VERSIONS = BlockGeometry.BLOCKS_PER_REGION;
    /** Extents in one BlockStatusDone; the node answers for a shorter range rather than send more. */
    static final int MAX_EXTENTS = 64 * 1024;
    /** Volumes named in one heartbeat. */
    static final int MAX_PROMISED = 64 * 1024;
    /** Replicas, placements or attachments of one volume's record. */
    static final int MAX_PLACEMENTS = 1024;

    /** Text for people is cut to this many bytes of UTF-8. */
    static final int MAX_REASON_BYTES = 1024;
    /** Names and writers: 253 characters of at most 4 bytes, and a counter. */
    static final int MAX_TEXT_BYTES = 1100;

    private Frames() {}
}
