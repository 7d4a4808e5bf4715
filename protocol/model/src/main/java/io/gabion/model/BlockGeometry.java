package io.gabion.model;

/** The fixed sizes of the data format, in bytes. Part of the on-disk and wire formats: changing one changes their versions. */
public final class BlockGeometry {
    /** Unit of mapping, checksum and replication. */
    public static final int BLOCK_BYTES = 4096;
    /** An extent never crosses a chunk, so one chunk holds all that a block's mapping can depend on. */
    public static final int CHUNK_BYTES = 128 * 1024;
    /** Unit of the region table. */
    public static final int REGION_BYTES = 1024 * 1024;

    public static final int BLOCKS_PER_CHUNK = CHUNK_BYTES / BLOCK_BYTES;
    public static final int BLOCKS_PER_REGION = REGION_BYTES / BLOCK_BYTES;

    /** Longest range of one read, write or copy; bounds every buffer that a request can cause. */
    public static final int MAX_IO_BYTES = 1024 * 1024;
    /** Longest range of one trim; it carries no data, but bounds the work of applying it. */
    public static final int MAX_TRIM_BYTES = 64 * 1024 * 1024;

    private BlockGeometry() {}
}
