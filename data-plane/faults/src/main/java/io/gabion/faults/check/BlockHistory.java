package io.gabion.faults.check;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Checks that a volume is one register per 4 KiB block: an acknowledged write is never lost, no read returns an older
 * value than one that was certainly replaced, no block mixes two writes, no byte is wrong. What was not acknowledged may
 * be there or not, and may appear late.
 *
 * <p>The volume must be all zeros at the start and written by this history's client alone. Tell the history about each
 * operation before it is sent and after its answer came; an operation without an answer is simply never finished.
 *
 * <p>Thread safe. Memory: about 100 bytes per block that was touched.
 */
public final class BlockHistory {
    public static final int BLOCK_BYTES = StampedBlock.BLOCK_BYTES;
    /** Enough to find the cause; the counters count all. */
    private static final int MAX_DETAILS = 40;

    /** An operation under way. */
    public static final class Operation {
        private final long id;
        private final long offset;
        private final int lengthBytes;
        private final long invoked;

        private Operation(long id, long offset, int lengthBytes, long invoked) {
            this.id = id;
            this.offset = offset;
            this.lengthBytes = lengthBytes;
            this.invoked = invoked;
        }

        public long offset() {
            return offset;
        }

        public int lengthBytes() {
            return lengthBytes;
        }
    }

    /**
     * What was found so far.
     *
     * @param acknowledged writes and trims that were answered
     * @param blocksRead blocks of all reads together
     * @param lostBlocks blocks in which a read found less than what was acknowledged or seen before
     * @param wrongBlocks blocks that mix writes or hold bytes nobody wrote there
     * @param details of the first of them
     */
    public record Findings(
            long acknowledged, long blocksRead, long lostBlocks, long wrongBlocks, List<String> details) {
        public Findings {
            details = List.copyOf(details);
        }

        public boolean clean() {
            return lostBlocks == 0 && wrongBlocks == 0;
        }
    }

    private final int client;
    private final @Nullable BlockRegister[] blocks;
    private final TreeSet<Long> readsUnderWay = new TreeSet<>();
    private final List<String> details = new ArrayList<>();
    private long clock;
    private long operations;
    private long acknowledged;
    private long blocksRead;
    private long lostBlocks;
    private long wrongBlocks;

    /**
     * @param client distinguishes writers, 1 to 32767
     * @param sizeBytes of the volume, a multiple of 4096, at most 2 TiB
     */
    public BlockHistory(int client, long sizeBytes) {
        this.client = client;
        this.blocks = new BlockRegister[Math.toIntExact(sizeBytes / BLOCK_BYTES)];
    }

    public long sizeBytes() {
        return (long) blocks.length * BLOCK_BYTES;
    }

    /** Begins a write and fills the buffer, from position to limit, with what it must write. */
    public Operation beginWrite(long offset, ByteBuffer data) {
        Operation write;
        long stamp;
        synchronized (this) {
            write = begin(offset, data.remaining());
            stamp = StampedBlock.stamp(client, write.id);
            for (int block = first(write); block < end(write); block++) {
                register(block).begin(write.id, stamp, write.invoked);
            }
        }
        StampedBlock.fill(data, stamp, offset);
        return write;
    }

    /** Begins a trim or a write of zeros. */
    public synchronized Operation beginTrim(long offset, int lengthBytes) {
        Operation trim = begin(offset, lengthBytes);
        for (int block = first(trim); block < end(trim); block++) {
            register(block).begin(trim.id, StampedBlock.ZEROS, trim.invoked);
        }
        return trim;
    }

    public synchronized Operation beginRead(long offset, int lengthBytes) {
        Operation read = begin(offset, lengthBytes);
        readsUnderWay.add(read.invoked);
        return read;
    }

    /** A write or trim was acknowledged. */
    public synchronized void acknowledge(Operation change) {
        long now = ++clock;
        acknowledged++;
        for (int block = first(change); block < end(change); block++) {
            register(block).finish(change.id, now, oldestRead());
        }
    }

    /** A read ended without data. */
    public synchronized void abandonRead(Operation read) {
        readsUnderWay.remove(read.invoked);
    }

    /** A read was answered with this data, which begins at position 0. */
    public void check(Operation read, ByteBuffer data) {
        int count = read.lengthBytes / BLOCK_BYTES;
        long[] stamps = new long[count];
        for (int i = 0; i < count; i++) {
            stamps[i] = StampedBlock.read(data, i * BLOCK_BYTES, read.offset + (long) i * BLOCK_BYTES);
        }
        synchronized (this) {
            long now = ++clock;
            readsUnderWay.remove(read.invoked);
            long oldest = Math.min(oldestRead(), read.invoked);
            for (int i = 0; i < count; i++) {
                judge(first(read) + i, stamps[i], read, now, oldest, data);
            }
            blocksRead += count;
        }
    }

    private void judge(int block, long stamp, Operation read, long now, long oldest, ByteBuffer data) {
        int at = (block - first(read)) * BLOCK_BYTES;
        long offset = (long) block * BLOCK_BYTES;
        boolean ours = stamp == StampedBlock.ZEROS
                || (stamp != StampedBlock.DAMAGED
                        && StampedBlock.clientOf(stamp) == client
                        && StampedBlock.operationOf(stamp) <= operations);
        if (!ours) {
            wrongBlocks++;
            note("wrong bytes at offset " + offset + ": " + StampedBlock.describe(data, at, offset));
            return;
        }
        String contradiction = register(block).observe(stamp, read.invoked, now, oldest);
        if (contradiction != null) {
            lostBlocks++;
            note("lost write at offset " + offset + ": read " + StampedBlock.nameOf(stamp) + ", but " + contradiction);
        }
    }

    private void note(String detail) {
        if (details.size() < MAX_DETAILS) {
            details.add(detail);
        }
    }

    private Operation begin(long offset, int lengthBytes) {
        if (offset % BLOCK_BYTES != 0
                || lengthBytes % BLOCK_BYTES != 0
                || lengthBytes <= 0
                || offset < 0
                || offset + lengthBytes > sizeBytes()) {
            throw new IllegalArgumentException(
                    "offset " + offset + " length " + lengthBytes + " is not a run of whole blocks of the volume");
        }
        return new Operation(++operations, offset, lengthBytes, ++clock);
    }

    private BlockRegister register(int block) {
        BlockRegister register = blocks[block];
        if (register == null) {
            register = new BlockRegister();
            blocks[block] = register;
        }
        return register;
    }

    private long oldestRead() {
        return readsUnderWay.isEmpty() ? clock + 1 : readsUnderWay.first();
    }

    private static int first(Operation operation) {
        return Math.toIntExact(operation.offset / BLOCK_BYTES);
    }

    private static int end(Operation operation) {
        return first(operation) + operation.lengthBytes / BLOCK_BYTES;
    }

    public synchronized Findings findings() {
        return new Findings(acknowledged, blocksRead, lostBlocks, wrongBlocks, details);
    }

    /** Values remembered over all blocks: bounded by blocks and operations in flight. */
    public synchronized long remembered() {
        long sum = 0;
        for (BlockRegister register : blocks) {
            sum += register == null ? 0 : register.size();
        }
        return sum;
    }
}
