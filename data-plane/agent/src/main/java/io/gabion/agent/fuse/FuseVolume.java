package io.gabion.agent.fuse;

import static io.gabion.agent.fuse.FuseProtocol.FILE_NODE;
import static io.gabion.agent.fuse.FuseProtocol.ROOT_NODE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.gabion.agent.linux.Errno;
import io.gabion.agent.nbd.BlockExport;
import io.gabion.model.BlockGeometry;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A volume as the one file of a file system: understands the kernel's requests about names and attributes itself and passes
 * reads, writes, syncs and holes on. Called by reader threads; nothing in it waits.
 */
final class FuseVolume {
    private static final Logger LOG = LoggerFactory.getLogger(FuseVolume.class);
    static final String FILE_NAME = "disk";
    /** One request carries at most as much as one message to a storage node. */
    static final int MAX_IO_BYTES = BlockGeometry.MAX_IO_BYTES;
    /** Asynchronous requests that the kernel keeps here at a time; the loop device has 128 of its own behind them. */
    static final int MAX_BACKGROUND = 64;

    private static final int CONGESTION_THRESHOLD = MAX_BACKGROUND * 3 / 4;
    private static final int PAGE_BYTES = 4096;
    private static final int SECTOR_BYTES = 512;
    /** The name cannot change meaning; attributes can (the size grows), so those are asked for each time. */
    private static final long NAME_VALID_SECONDS = 3600;

    private static final int FILE_TYPE = 8;
    private static final int PERMISSIONS_DIRECTORY = 0700;
    private static final int PERMISSIONS_FILE = 0600;
    private static final int PERMISSIONS_READ_ONLY = 0400;

    private final BlockExport export;
    private final FuseReplies replies;
    private final FuseTransfers transfers;
    private final boolean wantsResend;
    private final CompletableFuture<Long> features = new CompletableFuture<>();

    /**
     * @param transfers answers with {@code replies} too
     * @param wantsResend let the kernel send again what a killed process had read, where it can
     */
    FuseVolume(BlockExport export, FuseReplies replies, FuseTransfers transfers, boolean wantsResend) {
        this.export = requireNonNull(export, "export is null");
        this.replies = requireNonNull(replies, "replies is null");
        this.transfers = requireNonNull(transfers, "transfers is null");
        this.wantsResend = wantsResend;
    }

    /** The features that kernel and server agreed on, once the kernel has introduced itself. */
    CompletableFuture<Long> features() {
        return features;
    }

    /** Takes one request. The memory is the caller's again when this returns. */
    void handle(FuseRequest request) {
        long unique = request.unique();
        switch (request.operation()) {
            case FuseProtocol.READ, FuseProtocol.WRITE, FuseProtocol.FALLOCATE, FuseProtocol.FSYNC -> {
                if (request.node() == FILE_NODE) {
                    transfers.begin(request);
                } else {
                    replies.failed(unique, Errno.EIO);
                }
            }
            case FuseProtocol.INIT -> initialize(request);
            case FuseProtocol.LOOKUP -> lookup(request);
            case FuseProtocol.GETATTR -> attributes(request);
            case FuseProtocol.OPEN ->
                replies.body(
                        unique,
                        FuseProtocol.OPEN_OUT_BYTES,
                        body -> body.set(
                                JAVA_INT_UNALIGNED,
                                Long.BYTES,
                                FuseProtocol.FOPEN_DIRECT_IO
                                        | FuseProtocol.FOPEN_PARALLEL_DIRECT_WRITES
                                        // Or a last close would wait for a server that may be gone.
                                        | FuseProtocol.FOPEN_NOFLUSH));
            case FuseProtocol.OPENDIR -> replies.body(unique, FuseProtocol.OPEN_OUT_BYTES, _ -> {});
            case FuseProtocol.READDIR -> list(request);
            case FuseProtocol.STATFS -> replies.body(unique, FuseProtocol.STATFS_OUT_BYTES, this::fillStatistics);
            case FuseProtocol.FLUSH,
                    FuseProtocol.RELEASE,
                    FuseProtocol.RELEASEDIR,
                    FuseProtocol.FSYNCDIR,
                    FuseProtocol.ACCESS,
                    FuseProtocol.DESTROY -> replies.done(unique);
            case FuseProtocol.SETATTR -> replies.failed(unique, Errno.EPERM);
            case FuseProtocol.FORGET, FuseProtocol.BATCH_FORGET -> {
                // The kernel wants no answer.
            }
            // Nothing can be interrupted: a write may be on its way to every replica. Told once, the kernel stops
            // asking.
            default -> replies.failed(unique, Errno.ENOSYS);
        }
    }

    private void initialize(FuseRequest request) {
        if (!request.hasBody(FuseProtocol.INIT_IN_BYTES)) {
            replies.failed(request.unique(), Errno.EIO);
            return;
        }
        int major = request.bodyInt(FuseProtocol.INIT_MAJOR);
        int minor = request.bodyInt(FuseProtocol.INIT_MINOR);
        int readAhead = request.bodyInt(FuseProtocol.INIT_READAHEAD);
        long offered = Integer.toUnsignedLong(request.bodyInt(FuseProtocol.INIT_FLAGS));
        if ((offered & FuseProtocol.INIT_EXT) != 0) {
            offered |= Integer.toUnsignedLong(request.bodyInt(FuseProtocol.INIT_FLAGS_HIGH)) << Integer.SIZE;
        }
        long agreed = offered
                & (FuseProtocol.ASYNC_READ
                        | FuseProtocol.BIG_WRITES
                        | FuseProtocol.ASYNC_DIO
                        | FuseProtocol.MAX_PAGES
                        | FuseProtocol.INIT_EXT
                        | (wantsResend ? FuseProtocol.HAS_RESEND : 0));
        LOG.debug("kernel speaks FUSE {}.{}, features {}", major, minor, Long.toHexString(agreed));
        replies.body(request.unique(), FuseProtocol.INIT_OUT_BYTES, body -> {
            int at = 0;
            body.set(JAVA_INT_UNALIGNED, at, FuseProtocol.MAJOR);
            body.set(JAVA_INT_UNALIGNED, at += Integer.BYTES, Math.min(minor, FuseProtocol.MINOR));
            body.set(JAVA_INT_UNALIGNED, at += Integer.BYTES, readAhead);
            body.set(JAVA_INT_UNALIGNED, at += Integer.BYTES, (int) agreed);
            body.set(JAVA_INT_UNALIGNED, at += Integer.BYTES, MAX_BACKGROUND | CONGESTION_THRESHOLD << Short.SIZE);
            body.set(JAVA_INT_UNALIGNED, at += Integer.BYTES, MAX_IO_BYTES);
            // Times to the nanosecond; then the longest request in pages, and no alignment of mappings.
            body.set(JAVA_INT_UNALIGNED, at += Integer.BYTES, 1);
            body.set(JAVA_INT_UNALIGNED, at += Integer.BYTES, MAX_IO_BYTES / PAGE_BYTES);
            body.set(JAVA_INT_UNALIGNED, at + Integer.BYTES, (int) (agreed >>> Integer.SIZE));
        });
        features.complete(agreed);
    }

    private void lookup(FuseRequest request) {
        if (request.node() != ROOT_NODE || !request.name().equals(FILE_NAME)) {
            replies.failed(request.unique(), Errno.ENOENT);
            return;
        }
        replies.body(request.unique(), FuseProtocol.ENTRY_OUT_BYTES, body -> {
            body.set(JAVA_LONG_UNALIGNED, 0, FILE_NODE);
            body.set(JAVA_LONG_UNALIGNED, 2L * Long.BYTES, NAME_VALID_SECONDS);
            fillAttributes(
                    body.asSlice(FuseProtocol.ENTRY_OUT_BYTES - FuseProtocol.ATTR_BYTES, FuseProtocol.ATTR_BYTES),
                    FILE_NODE);
        });
    }

    private void attributes(FuseRequest request) {
        replies.body(
                request.unique(),
                FuseProtocol.ATTR_OUT_BYTES,
                body -> fillAttributes(
                        body.asSlice(FuseProtocol.ATTR_OUT_BYTES - FuseProtocol.ATTR_BYTES, FuseProtocol.ATTR_BYTES),
                        request.node()));
    }

    private void fillAttributes(MemorySegment attributes, long node) {
        boolean file = node == FILE_NODE;
        long size = file ? export.sizeBytes() : 0;
        int permissions = export.readOnly() ? PERMISSIONS_READ_ONLY : PERMISSIONS_FILE;
        int mode = file ? FuseProtocol.MODE_FILE | permissions : FuseProtocol.MODE_DIRECTORY | PERMISSIONS_DIRECTORY;
        attributes.set(JAVA_LONG_UNALIGNED, 0, node);
        attributes.set(JAVA_LONG_UNALIGNED, 8, size);
        attributes.set(JAVA_LONG_UNALIGNED, 16, size / SECTOR_BYTES);
        attributes.set(JAVA_INT_UNALIGNED, 60, mode);
        attributes.set(JAVA_INT_UNALIGNED, 64, 1);
        attributes.set(JAVA_INT_UNALIGNED, 80, BlockGeometry.BLOCK_BYTES);
    }

    /** The block size tells the loop device in which units space can be given back. */
    private void fillStatistics(MemorySegment body) {
        body.set(JAVA_LONG_UNALIGNED, 0, export.sizeBytes() / BlockGeometry.BLOCK_BYTES);
        body.set(JAVA_LONG_UNALIGNED, 24, 1);
        body.set(JAVA_INT_UNALIGNED, 40, BlockGeometry.BLOCK_BYTES);
        body.set(JAVA_INT_UNALIGNED, 44, FILE_NAME.length());
        body.set(JAVA_INT_UNALIGNED, 48, BlockGeometry.BLOCK_BYTES);
    }

    private void list(FuseRequest request) {
        boolean fromTheStart =
                request.hasBody(FuseProtocol.READ_IN_BYTES) && request.bodyLong(FuseProtocol.IO_OFFSET) == 0;
        byte[] name = FILE_NAME.getBytes(UTF_8);
        int length = FuseProtocol.DIRENT_HEADER_BYTES + Long.BYTES;
        if (!fromTheStart || request.bodyInt(FuseProtocol.IO_SIZE) < length) {
            replies.done(request.unique());
            return;
        }
        replies.body(request.unique(), length, body -> {
            body.set(JAVA_LONG_UNALIGNED, 0, FILE_NODE);
            body.set(JAVA_LONG_UNALIGNED, Long.BYTES, 1);
            body.set(JAVA_INT_UNALIGNED, 2L * Long.BYTES, name.length);
            body.set(JAVA_INT_UNALIGNED, 2L * Long.BYTES + Integer.BYTES, FILE_TYPE);
            MemorySegment.copy(MemorySegment.ofArray(name), 0, body, FuseProtocol.DIRENT_HEADER_BYTES, name.length);
        });
    }
}
