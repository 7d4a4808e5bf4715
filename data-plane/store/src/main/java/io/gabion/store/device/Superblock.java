package io.gabion.store.device;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ClusterId;
import io.gabion.model.DiskId;
import io.gabion.model.NodeName;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * Who a disk is. Two copies, A and B, written in turn; the valid one with the higher {@code sequence} counts.
 *
 * <pre>
 *   0 magic "GABIONSB"   8 crc32c of bytes 12..4095   12 format version (4)
 *  16 cluster (16)      32 disk (16)                  48 boot id (16)     64 salt of the log (16)
 *  80 sequence (8)      88 open count (8)             96 capacity in blocks (8)
 * 104 batch of the log up to which the index was durable (8); the last one when clean
 * 112 clean (1)        113 damaged (1)
 * 116 node: length (4), UTF-8 (at most 253)           384 pool: length (4), UTF-8 (at most 253)
 * </pre>
 *
 * @param salt secret of the disk that enters the checksum of every log header, so that no content of a volume can pass for one
 * @param lastBatch the index was durable up to this batch of the log: one that knows less was damaged. When the disk was closed
 *     cleanly, the last batch
 * @param damaged the index was found to be damaged: the disk must be formatted anew
 */
public record Superblock(
        ClusterId cluster,
        DiskId disk,
        NodeName node,
        String pool,
        UUID bootId,
        UUID salt,
        long sequence,
        long openCount,
        long capacityBlocks,
        long lastBatch,
        boolean clean,
        boolean damaged) {
    public static final int BYTES = 4096;
    public static final int FORMAT_VERSION = 1;

    private static final long MAGIC = 0x474142494f4e5342L;
    private static final int NODE_AT = 116;
    private static final int POOL_AT = 384;
    private static final int MAX_NAME_BYTES = 253;

    public Superblock {
        requireNonNull(cluster, "cluster is null");
        requireNonNull(disk, "disk is null");
        requireNonNull(node, "node is null");
        requireNonNull(pool, "pool is null");
        if (pool.getBytes(StandardCharsets.UTF_8).length > MAX_NAME_BYTES) {
            throw new IllegalArgumentException("pool name is longer than " + MAX_NAME_BYTES + " bytes: " + pool);
        }
    }

    /** The superblock of an opening. */
    public Superblock opened(long newOpenCount, UUID newBootId, NodeName newNode, String newPool) {
        return new Superblock(
                cluster,
                disk,
                newNode,
                newPool,
                newBootId,
                salt,
                sequence + 1,
                newOpenCount,
                capacityBlocks,
                lastBatch,
                false,
                damaged);
    }

    /** The index became durable up to a batch of the log. */
    public Superblock checkpointed(long batch) {
        return next(batch, false, damaged);
    }

    /** The superblock of a shutdown in good order. */
    public Superblock closed(long newLastBatch) {
        return next(newLastBatch, true, damaged);
    }

    /** The index is damaged. */
    public Superblock beyondRepair() {
        return next(lastBatch, false, true);
    }

    private Superblock next(long newLastBatch, boolean newClean, boolean newDamaged) {
        return new Superblock(
                cluster,
                disk,
                node,
                pool,
                bootId,
                salt,
                sequence + 1,
                openCount,
                capacityBlocks,
                newLastBatch,
                newClean,
                newDamaged);
    }

    public byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(BYTES);
        out.putLong(0, MAGIC).putInt(12, FORMAT_VERSION);
        putUuid(out, 16, cluster.value());
        putUuid(out, 32, disk.value());
        putUuid(out, 48, bootId);
        putUuid(out, 64, salt);
        out.putLong(80, sequence)
                .putLong(88, openCount)
                .putLong(96, capacityBlocks)
                .putLong(104, lastBatch);
        out.put(112, (byte) (clean ? 1 : 0));
        out.put(113, (byte) (damaged ? 1 : 0));
        putName(out, NODE_AT, node.value());
        putName(out, POOL_AT, pool);
        out.putInt(8, checksum(out.array()));
        return out.array();
    }

    /** Empty when the bytes are no superblock or damaged; throws {@link IllegalArgumentException} for a version that is not known. */
    public static Optional<Superblock> decode(byte[] bytes) {
        if (bytes.length != BYTES) {
            return Optional.empty();
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (in.getLong(0) != MAGIC || in.getInt(8) != checksum(bytes)) {
            return Optional.empty();
        }
        int version = in.getInt(12);
        if (version != FORMAT_VERSION) {
            throw new IllegalArgumentException("the disk has format version " + version
                    + "; this program knows version " + FORMAT_VERSION + " only");
        }
        return Optional.of(new Superblock(
                new ClusterId(uuid(in, 16)),
                new DiskId(uuid(in, 32)),
                new NodeName(name(in, NODE_AT)),
                name(in, POOL_AT),
                uuid(in, 48),
                uuid(in, 64),
                in.getLong(80),
                in.getLong(88),
                in.getLong(96),
                in.getLong(104),
                in.get(112) != 0,
                in.get(113) != 0));
    }

    private static int checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 12, BYTES - 12);
        return (int) crc.getValue();
    }

    private static void putUuid(ByteBuffer out, int at, UUID value) {
        out.putLong(at, value.getMostSignificantBits()).putLong(at + 8, value.getLeastSignificantBits());
    }

    private static UUID uuid(ByteBuffer in, int at) {
        return new UUID(in.getLong(at), in.getLong(at + 8));
    }

    private static void putName(ByteBuffer out, int at, String name) {
        byte[] encoded = name.getBytes(StandardCharsets.UTF_8);
        out.putInt(at, encoded.length);
        out.put(at + 4, encoded);
    }

    private static String name(ByteBuffer in, int at) {
        int length = in.getInt(at);
        if (length < 0 || length > MAX_NAME_BYTES) {
            throw new IllegalArgumentException("superblock holds a name of " + length + " bytes");
        }
        byte[] encoded = new byte[length];
        in.get(at + 4, encoded);
        return new String(encoded, StandardCharsets.UTF_8);
    }
}
