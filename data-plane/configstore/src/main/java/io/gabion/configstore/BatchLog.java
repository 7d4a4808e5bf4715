package io.gabion.configstore;

import io.gabion.model.ClusterId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The durable form of the records: a file of batches, each written and synced before the next one begins. So only the last
 * batch can be torn; anything else that cannot be read is damage, and the log refuses to open. One thread at a time.
 *
 * <pre>
 *   file   = magic "GABCFG01" 8 | cluster id 16 | crc32c of both 4 | batch*
 *   batch  = "BTCH" 4 | sequence 8 | length 4 | crc32c of sequence, length and changes 4 | changes (see Change)
 *   all numbers big-endian; sequence is contiguous
 * </pre>
 *
 * A batch that the disk has no room for leaves no trace. A failed sync breaks the log for good: what reached the disk is
 * unknown, and only reading it again after a restart tells.
 */
final class BatchLog implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(BatchLog.class);

    static final String FILE = "records.log";
    private static final String NEW_FILE = "records.log.new";
    private static final String LOCK_FILE = "lock";
    private static final byte[] FILE_MAGIC = "GABCFG01".getBytes(StandardCharsets.US_ASCII);
    private static final int BATCH_MAGIC = 0x42544348;
    static final int FILE_HEADER_BYTES = 28;
    static final int BATCH_HEADER_BYTES = 20;
    /** Compaction writes all records as one batch; nothing comes near, a larger length is damage. */
    private static final int MAX_BATCH_BYTES = 256 * 1024 * 1024;
    /** The whole file is read at start; far above what compaction leaves of 100 000 volumes. */
    private static final long MAX_FILE_BYTES = 1L << 30;
    /** Below this size compaction is not worth its syncs. */
    private static final long COMPACTION_FLOOR_BYTES = 4 * 1024 * 1024;
    /** Rewriting costs as much as it saves when the file is this many times what is live. */
    private static final long COMPACTION_RATIO = 4;

    private final Path directory;
    private final ClusterId cluster;
    private final FileChannel lockChannel;
    private FileChannel channel;
    private long position;
    private long sequence;
    private long sizeAfterCompaction;
    private boolean broken;

    private BatchLog(Path directory, ClusterId cluster, FileChannel lockChannel, FileChannel channel) {
        this.directory = directory;
        this.cluster = cluster;
        this.lockChannel = lockChannel;
        this.channel = channel;
    }

    /**
     * Opens or creates the log and hands every change to {@code replay} in order. Throws {@link IOException} that names the
     * place and the remedy when another process uses the directory, it belongs to another cluster, or it is damaged.
     */
    static BatchLog open(Path directory, ClusterId cluster, Consumer<Change> replay) throws IOException {
        Files.createDirectories(directory);
        FileChannel lockChannel = lock(directory);
        try {
            Files.deleteIfExists(directory.resolve(NEW_FILE));
            Path file = directory.resolve(FILE);
            if (!Files.exists(file)) {
                writeFresh(directory, cluster, List.of(), 0);
                exchange(directory);
            }
            FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
            BatchLog opened = new BatchLog(directory, cluster, lockChannel, channel);
            opened.replay(file, replay);
            return opened;
        } catch (IOException | RuntimeException e) {
            lockChannel.close();
            throw e;
        }
    }

    private static FileChannel lock(Path directory) throws IOException {
        FileChannel channel =
                FileChannel.open(directory.resolve(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held;
        try {
            held = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            held = null;
        }
        if (held == null) {
            channel.close();
            throw new IOException("data directory " + directory
                    + " is in use by another configuration store: stop it, or choose another --data");
        }
        return channel;
    }

    /** Bytes of the file. */
    long sizeBytes() {
        return position;
    }

    boolean wantsCompaction() {
        return position > Math.max(COMPACTION_FLOOR_BYTES, COMPACTION_RATIO * sizeAfterCompaction);
    }

    /**
     * Makes the changes durable as one batch. {@link NoRoomException}: none of it happened, go on. Any other {@link
     * IOException}: the outcome is unknown and the log must not be used any more.
     */
    void append(List<Change> changes) throws IOException {
        if (broken) {
            throw new IOException("the log failed earlier");
        }
        ByteBuffer batch = encode(sequence + 1, changes);
        int length = batch.remaining();
        try {
            writeFully(channel, batch, position);
        } catch (IOException e) {
            takeBack(e);
            throw new NoRoomException(
                    "the log " + directory.resolve(FILE) + " cannot be written: " + e.getMessage(), e);
        }
        sync();
        position += length;
        sequence++;
    }

    /** Replaces the file by one that holds these records only; fails as {@link #append} does. */
    void compact(List<Change> records) throws IOException {
        FileChannel old = channel;
        try {
            writeFresh(directory, cluster, records, sequence);
        } catch (IOException e) {
            throw new NoRoomException("the log cannot be compacted: " + e.getMessage(), e);
        }
        // From here on the name may lead to the new file: what goes to the old one could be lost.
        broken = true;
        exchange(directory);
        channel = FileChannel.open(directory.resolve(FILE), StandardOpenOption.READ, StandardOpenOption.WRITE);
        position = channel.size();
        sizeAfterCompaction = position;
        sequence++;
        broken = false;
        old.close();
    }

    private void takeBack(IOException cause) throws IOException {
        try {
            channel.truncate(position);
        } catch (IOException e) {
            broken = true;
            e.addSuppressed(cause);
            throw e;
        }
        sync();
    }

    private void sync() throws IOException {
        try {
            channel.force(false);
        } catch (IOException e) {
            broken = true;
            throw e;
        }
    }

    // ---- reading
    private void replay(Path file, Consumer<Change> replay) throws IOException {
        long size = channel.size();
        if (size > MAX_FILE_BYTES) {
            throw new IOException("log " + file + " has " + size + " bytes, more than " + MAX_FILE_BYTES
                    + ": it is not a log of this program");
        }
        ByteBuffer content = ByteBuffer.allocate((int) size);
        while (content.hasRemaining() && channel.read(content, content.position()) > 0) {
            // until the end
        }
        content.flip();
        checkHeader(file, content);
        int at = FILE_HEADER_BYTES;
        while (at < content.limit()) {
            if (!isBatch(content, at, sequence + 1, at == FILE_HEADER_BYTES)) {
                cutTornTail(file, content, at);
                break;
            }
            sequence = content.getLong(at + 4);
            int length = content.getInt(at + 12);
            ByteBuffer changes = content.slice(at + BATCH_HEADER_BYTES, length);
            while (changes.hasRemaining()) {
                try {
                    replay.accept(Change.decode(changes));
                } catch (IOException e) {
                    throw new IOException(
                            "log " + file + ", batch at byte " + at + ": " + e.getMessage()
                                    + "; start the version that wrote it, or restore the directory from a copy",
                            e);
                }
            }
            at += BATCH_HEADER_BYTES + length;
        }
        position = at;
        sizeAfterCompaction = 0;
    }

    private void checkHeader(Path file, ByteBuffer content) throws IOException {
        if (content.limit() < FILE_HEADER_BYTES
                || content.getInt(24) != crc(content.slice(0, 24))
                || !content.slice(0, 8).equals(ByteBuffer.wrap(FILE_MAGIC))) {
            throw new IOException("log " + file + ": the first " + FILE_HEADER_BYTES
                    + " bytes are not the header of a configuration store's log; restore the directory from a copy,"
                    + " or choose another --data");
        }
        ClusterId found = new ClusterId(new UUID(content.getLong(8), content.getLong(16)));
        if (!found.equals(cluster)) {
            throw new IOException("log " + file + " belongs to the cluster " + found + ", not to " + cluster
                    + ": check --data and --cluster");
        }
    }

    /** Nothing readable follows: the write was cut by a crash and never acknowledged. Otherwise the log is damaged. */
    private void cutTornTail(Path file, ByteBuffer content, int at) throws IOException {
        for (int later = at + 1; later + BATCH_HEADER_BYTES <= content.limit(); later++) {
            if (content.getInt(later) == BATCH_MAGIC && isBatch(content, later, sequence + 2, true)) {
                throw new IOException("log " + file + " is damaged: the batch at byte " + at
                        + " cannot be read but a later one at byte " + later
                        + " can, so acknowledged changes would be lost. Restore the directory from a copy; the nodes'"
                        + " disks hold a full copy of every volume's record");
            }
        }
        log.warn(
                "log {}: removing {} bytes from byte {} on, a batch that a crash interrupted before it was acknowledged",
                file,
                content.limit() - at,
                at);
        channel.truncate(at);
        channel.force(true);
    }

    private static boolean isBatch(ByteBuffer content, int at, long atLeast, boolean laterToo) {
        if (content.limit() - at < BATCH_HEADER_BYTES || content.getInt(at) != BATCH_MAGIC) {
            return false;
        }
        long number = content.getLong(at + 4);
        int length = content.getInt(at + 12);
        if (length < 0 || length > MAX_BATCH_BYTES || length > content.limit() - at - BATCH_HEADER_BYTES) {
            return false;
        }
        return (laterToo ? number >= atLeast : number == atLeast)
                && content.getInt(at + 16)
                        == crc(content.slice(at + 4, 12), content.slice(at + BATCH_HEADER_BYTES, length));
    }

    // ---- writing
    private static ByteBuffer encode(long number, List<Change> changes) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        changes.forEach(change -> body.writeBytes(change.encode()));
        ByteBuffer batch = ByteBuffer.allocate(BATCH_HEADER_BYTES + body.size())
                .putInt(BATCH_MAGIC)
                .putLong(number)
                .putInt(body.size())
                .putInt(0)
                .put(body.toByteArray());
        batch.putInt(16, crc(batch.slice(4, 12), batch.slice(BATCH_HEADER_BYTES, body.size())));
        return batch.flip();
    }

    private static void writeFresh(Path directory, ClusterId cluster, List<Change> records, long sequence)
            throws IOException {
        Path fresh = directory.resolve(NEW_FILE);
        ByteBuffer header = ByteBuffer.allocate(FILE_HEADER_BYTES)
                .put(FILE_MAGIC)
                .putLong(cluster.value().getMostSignificantBits())
                .putLong(cluster.value().getLeastSignificantBits());
        header.putInt(crc(header.slice(0, 24))).flip();
        try (FileChannel out = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            writeFully(out, header, 0);
            if (!records.isEmpty() || sequence > 0) {
                writeFully(out, encode(sequence + 1, records), FILE_HEADER_BYTES);
            }
            out.force(true);
        }
    }

    private static void exchange(Path directory) throws IOException {
        Path fresh = directory.resolve(NEW_FILE);
        Files.move(fresh, directory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel parent = FileChannel.open(directory, StandardOpenOption.READ)) {
            parent.force(true);
        }
    }

    private static void writeFully(FileChannel out, ByteBuffer bytes, long at) throws IOException {
        long next = at;
        while (bytes.hasRemaining()) {
            next += out.write(bytes, next);
        }
    }

    private static int crc(ByteBuffer... parts) {
        CRC32C crc = new CRC32C();
        for (ByteBuffer part : parts) {
            crc.update(part);
        }
        return (int) crc.getValue();
    }

    @Override
    public void close() throws IOException {
        channel.close();
        lockChannel.close();
    }

    /** The disk did not take the batch; the log is as it was before. */
    static final class NoRoomException extends IOException {
        private static final long serialVersionUID = 1;

        NoRoomException(String message, IOException cause) {
            super(message, cause);
        }
    }
}
