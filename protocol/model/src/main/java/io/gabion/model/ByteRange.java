package io.gabion.model;

/** Bytes {@code [offset, offset + length)} of a volume; both in bytes, never negative, the end fits in a long. */
public record ByteRange(long offset, long length) {
    public ByteRange {
        if (offset < 0 || length < 0 || offset + length < 0) {
            throw new IllegalArgumentException("range out of bounds: offset " + offset + " length " + length);
        }
    }

    public long end() {
        return offset + length;
    }

    public boolean isEmpty() {
        return length == 0;
    }

    public boolean overlaps(ByteRange other) {
        return offset < other.end() && other.offset < end();
    }

    /** True when both ends lie on a multiple of {@link BlockGeometry#BLOCK_BYTES}. */
    public boolean isBlockAligned() {
        return ((offset | length) & (BlockGeometry.BLOCK_BYTES - 1)) == 0;
    }

    public long firstBlock() {
        return offset / BlockGeometry.BLOCK_BYTES;
    }

    /** Number of blocks; only meaningful for an aligned range. */
    public int blockCount() {
        return Math.toIntExact(length / BlockGeometry.BLOCK_BYTES);
    }

    public static ByteRange ofBlocks(long firstBlock, long blocks) {
        return new ByteRange(firstBlock * BlockGeometry.BLOCK_BYTES, blocks * BlockGeometry.BLOCK_BYTES);
    }

    @Override
    public String toString() {
        return "[" + offset + "+" + length + "]";
    }
}
