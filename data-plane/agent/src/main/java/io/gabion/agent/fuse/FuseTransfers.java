package io.gabion.agent.fuse;

import static java.util.Objects.requireNonNull;

import io.gabion.agent.linux.Errno;
import io.gabion.agent.nbd.BlockCommand;
import io.gabion.agent.nbd.BlockExport;
import io.gabion.agent.nbd.BlockFailure;
import io.gabion.agent.nbd.BlockOutcome;
import io.gabion.core.message.Payload;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.wire.ByteBufPayload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns the kernel's reads, writes, holes and syncs into commands of the export and answers when the last one of each is done.
 * Counts what is under way: a volume that waits for a failover must not take the memory of the others.
 */
final class FuseTransfers {
    private static final Logger LOG = LoggerFactory.getLogger(FuseTransfers.class);
    /** Requests are whole sectors; smaller ones can only come from a program that opens the file itself. */
    private static final int SECTOR_BYTES = 512;
    /** Data of one volume under way: more than a fast network needs at a failover-free latency of some milliseconds. */
    private static final long MOST_BYTES = 32L * 1024 * 1024;

    private final BlockExport export;
    private final FuseReplies replies;
    private final Runnable roomAgain;
    private final AtomicLong bytesUnderWay = new AtomicLong();
    private final AtomicInteger requestsUnderWay = new AtomicInteger();

    /** @param roomAgain called, on any thread, after every completion that makes room */
    FuseTransfers(BlockExport export, FuseReplies replies, Runnable roomAgain) {
        this.export = requireNonNull(export, "export is null");
        this.replies = requireNonNull(replies, "replies is null");
        this.roomAgain = requireNonNull(roomAgain, "roomAgain is null");
    }

    /** May another request be read? The last one may go over the limit. */
    boolean hasRoom() {
        return bytesUnderWay.get() < MOST_BYTES;
    }

    int requestsUnderWay() {
        return requestsUnderWay.get();
    }

    /** Starts a READ, WRITE, FALLOCATE or FSYNC of the file. */
    void begin(FuseRequest request) {
        switch (request.operation()) {
            case FuseProtocol.READ -> read(request);
            case FuseProtocol.WRITE -> write(request);
            case FuseProtocol.FALLOCATE -> zero(request);
            case FuseProtocol.FSYNC -> new Transfer(request.unique(), List.of(BlockCommand.Flush.FLUSH), 0, 0).run();
            default -> throw new IllegalArgumentException("operation " + request.operation() + " moves no data");
        }
    }

    private void read(FuseRequest request) {
        if (!request.hasBody(FuseProtocol.READ_IN_BYTES)) {
            replies.failed(request.unique(), Errno.EIO);
            return;
        }
        long offset = request.bodyLong(FuseProtocol.IO_OFFSET);
        long wanted = Integer.toUnsignedLong(request.bodyInt(FuseProtocol.IO_SIZE));
        long length = Math.min(wanted, Math.max(0, export.sizeBytes() - offset));
        if (offset < 0 || wanted > FuseVolume.MAX_IO_BYTES || isNotWhole(offset, length)) {
            replies.failed(request.unique(), Errno.EINVAL);
        } else if (length == 0) {
            replies.done(request.unique());
        } else {
            List<BlockCommand> commands = new ArrayList<>(2);
            for (ByteRange window : windows(offset, length)) {
                commands.add(new BlockCommand.Read(window));
            }
            new Transfer(request.unique(), commands, length, 0).run();
        }
    }

    private void write(FuseRequest request) {
        if (!request.hasBody(FuseProtocol.WRITE_IN_BYTES)) {
            replies.failed(request.unique(), Errno.EIO);
            return;
        }
        long offset = request.bodyLong(FuseProtocol.IO_OFFSET);
        long length = Integer.toUnsignedLong(request.bodyInt(FuseProtocol.IO_SIZE));
        if (export.readOnly()) {
            replies.failed(request.unique(), Errno.EROFS);
        } else if (!request.hasBody(FuseProtocol.WRITE_IN_BYTES + length)
                || length > FuseVolume.MAX_IO_BYTES
                || isNotWhole(offset, length)) {
            replies.failed(request.unique(), Errno.EINVAL);
        } else if (offset < 0 || offset + length > export.sizeBytes()) {
            replies.failed(request.unique(), Errno.ENOSPC);
        } else if (length == 0) {
            replies.written(request.unique(), 0);
        } else {
            List<BlockCommand> commands = new ArrayList<>(2);
            for (ByteRange window : windows(offset, length)) {
                long at = FuseProtocol.WRITE_IN_BYTES + window.offset() - offset;
                commands.add(new BlockCommand.Write(window, copy(request, at, Math.toIntExact(window.length()))));
            }
            new Transfer(request.unique(), commands, length, Math.toIntExact(length)).run();
        }
    }

    private static Payload copy(FuseRequest request, long at, int length) {
        ByteBuf buffer = ByteBufAllocator.DEFAULT.directBuffer(length, length);
        return ByteBufPayload.of(buffer.writeBytes(request.bodySlice(at, length).asByteBuffer()));
    }

    /** A hole reads as zeros afterwards, also where only a part of a block lies in it: that is more than a trim promises. */
    private void zero(FuseRequest request) {
        if (!request.hasBody(FuseProtocol.FALLOCATE_IN_BYTES)) {
            replies.failed(request.unique(), Errno.EIO);
            return;
        }
        long offset = request.bodyLong(FuseProtocol.FALLOCATE_OFFSET);
        long wanted = request.bodyLong(FuseProtocol.FALLOCATE_LENGTH);
        int mode = request.bodyInt(FuseProtocol.FALLOCATE_MODE);
        boolean known = mode == (FuseProtocol.FALLOC_PUNCH_HOLE | FuseProtocol.FALLOC_KEEP_SIZE)
                || mode == (FuseProtocol.FALLOC_ZERO_RANGE | FuseProtocol.FALLOC_KEEP_SIZE)
                || mode == FuseProtocol.FALLOC_ZERO_RANGE;
        long length = Math.min(wanted, Math.max(0, export.sizeBytes() - offset));
        if (!known) {
            replies.failed(request.unique(), Errno.EOPNOTSUPP);
        } else if (export.readOnly()) {
            replies.failed(request.unique(), Errno.EROFS);
        } else if (offset < 0 || wanted < 0 || isNotWhole(offset, length)) {
            replies.failed(request.unique(), Errno.EINVAL);
        } else if (length == 0) {
            replies.done(request.unique());
        } else {
            new Zeroing(request.unique(), new ByteRange(offset, length)).run();
        }
    }

    private static boolean isNotWhole(long offset, long length) {
        return offset % SECTOR_BYTES != 0 || length % SECTOR_BYTES != 0;
    }

    /** Cuts a range at the borders that no read or write may cross. */
    static List<ByteRange> windows(long offset, long length) {
        List<ByteRange> result = new ArrayList<>(2);
        long end = offset + length;
        for (long at = offset; at < end; ) {
            long border = (at / BlockGeometry.MAX_IO_BYTES + 1) * BlockGeometry.MAX_IO_BYTES;
            long next = Math.min(border, end);
            result.add(new ByteRange(at, next - at));
            at = next;
        }
        return result;
    }

    private void started(long bytes) {
        requestsUnderWay.incrementAndGet();
        bytesUnderWay.addAndGet(bytes);
    }

    private void ended(long bytes) {
        bytesUnderWay.addAndGet(-bytes);
        requestsUnderWay.decrementAndGet();
        roomAgain.run();
    }

    private static int errno(BlockFailure failure) {
        return switch (failure) {
            case OUT_OF_RANGE, UNREADABLE, CLOSED -> Errno.EIO;
            case NO_SPACE -> Errno.ENOSPC;
            case READ_ONLY -> Errno.EROFS;
        };
    }

    /** A request whose commands run side by side. */
    private final class Transfer {
        private final long unique;
        private final List<BlockCommand> commands;
        private final long bytes;
        private final int written;
        private final AtomicInteger left;
        private final AtomicReferenceArray<@Nullable Payload> found;
        private volatile @Nullable BlockFailure failure;

        /** @param written what to answer to a write, 0 for others */
        Transfer(long unique, List<BlockCommand> commands, long bytes, int written) {
            this.unique = unique;
            this.commands = commands;
            this.bytes = bytes;
            this.written = written;
            this.left = new AtomicInteger(commands.size());
            this.found = new AtomicReferenceArray<>(commands.size());
        }

        void run() {
            started(bytes);
            for (int i = 0; i < commands.size(); i++) {
                int index = i;
                export.submit(requireNonNull(commands.get(i)), outcome -> complete(index, outcome));
            }
        }

        private void complete(int index, BlockOutcome outcome) {
            switch (outcome) {
                case BlockOutcome.Done _ -> {}
                case BlockOutcome.Found(var payload) -> found.set(index, payload);
                case BlockOutcome.Failed(var why) -> failure = why;
                case BlockOutcome.Allocation _ -> failure = BlockFailure.UNREADABLE;
            }
            if (left.decrementAndGet() == 0) {
                answer();
                ended(bytes);
            }
        }

        private void answer() {
            List<Payload> pieces = new ArrayList<>(found.length());
            for (int i = 0; i < found.length(); i++) {
                Payload piece = found.get(i);
                if (piece != null) {
                    pieces.add(piece);
                }
            }
            BlockFailure why = failure;
            try {
                if (why != null) {
                    replies.failed(unique, errno(why));
                } else if (written > 0) {
                    replies.written(unique, written);
                } else {
                    replies.data(unique, pieces);
                }
            } catch (RuntimeException e) {
                LOG.error("volume {}: a request could not be answered", export.name(), e);
            } finally {
                pieces.forEach(Payload::release);
            }
        }
    }

    /**
     * A hole, one command after the other: it may be as long as the volume. Commands that complete within their submission are
     * followed by the next one in the loop, not by a deeper call.
     */
    private final class Zeroing {
        private final long unique;
        private final ByteRange range;
        private final AtomicInteger turns = new AtomicInteger();
        private long at;

        Zeroing(long unique, ByteRange range) {
            this.unique = unique;
            this.range = range;
            this.at = range.offset();
        }

        void run() {
            started(0);
            proceed();
        }

        private void proceed() {
            if (turns.getAndIncrement() > 0) {
                return;
            }
            do {
                if (at == range.end()) {
                    replies.done(unique);
                    ended(0);
                    return;
                }
                long length = Math.min(BlockGeometry.MAX_TRIM_BYTES, range.end() - at);
                ByteRange part = new ByteRange(at, length);
                at += length;
                export.submit(new BlockCommand.Zero(part), this::complete);
            } while (turns.decrementAndGet() > 0);
        }

        private void complete(BlockOutcome outcome) {
            if (outcome instanceof BlockOutcome.Failed(var why)) {
                replies.failed(unique, errno(why));
                ended(0);
                return;
            }
            proceed();
        }
    }
}
