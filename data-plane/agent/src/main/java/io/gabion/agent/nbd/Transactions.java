package io.gabion.agent.nbd;

import io.gabion.core.message.ClientMessage.Extent;
import io.gabion.core.message.Payload;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.wire.ByteBufPayload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The kinds of requests, each with its way of cutting and replying. */
final class Transactions {
    private static final ByteBuf ZEROS = Unpooled.unreleasableBuffer(Unpooled.directBuffer(BlockGeometry.MAX_IO_BYTES)
            .writeZero(BlockGeometry.MAX_IO_BYTES)
            .asReadOnly());

    private Transactions() {}

    /** All such payloads share one block of memory. */
    private static Payload zeros(int length) {
        return ByteBufPayload.of(ZEROS.slice(0, length));
    }

    /** End of the piece that begins at {@code at}: pieces never cross a multiple of {@code window}. */
    static long pieceEnd(long at, long end, long window) {
        return Math.min(end, (at / window + 1) * window);
    }

    private static int pieceCount(long offset, long length, long window) {
        return Math.toIntExact((offset + length - 1) / window - offset / window + 1);
    }

    /** Payload arrives piece by piece and is passed on as it comes. */
    static final class Write extends Transaction {
        private final int length;
        private final long end;
        private long at;
        private @Nullable Payload arrived;

        Write(Transmission connection, long cookie, long offset, int length) {
            super(connection, cookie);
            this.length = length;
            this.at = offset;
            this.end = offset + length;
        }

        /** Length of the next piece that has to arrive; 0 when all did. */
        int nextPieceBytes() {
            return (int) (pieceEnd(at, end, BlockGeometry.MAX_IO_BYTES) - at);
        }

        long remainingBytes() {
            return end - at;
        }

        /** Takes a piece of {@link #nextPieceBytes} bytes over. */
        void arrived(Payload piece) {
            if (hasFailed()) {
                at += piece.length();
                piece.release();
            } else {
                arrived = piece;
            }
            issue();
        }

        @Override
        @Nullable
        BlockCommand next() {
            Payload piece = arrived;
            if (piece == null) {
                return null;
            }
            arrived = null;
            ByteRange range = new ByteRange(at, piece.length());
            at += piece.length();
            return new BlockCommand.Write(range, piece);
        }

        /** What arrived is in memory already: nothing is gained by holding it back. */
        @Override
        int maxParallel() {
            return Integer.MAX_VALUE;
        }

        @Override
        boolean exhausted() {
            return at == end;
        }

        @Override
        boolean waitsForClient() {
            return at < end;
        }

        @Override
        void succeeded(int index, BlockOutcome outcome, ReplyWriter replies) {}

        @Override
        void reply(ReplyWriter replies) {
            replies.success(cookie);
        }

        @Override
        void abandon() {
            Payload piece = arrived;
            arrived = null;
            if (piece != null) {
                piece.release();
            }
        }

        @Override
        int payloadBytes() {
            return length;
        }
    }

    /** Sent as chunks as the pieces come, or as a whole where the client cannot take chunks. */
    static final class Read extends Transaction {
        private final long offset;
        private final int length;
        private final boolean chunked;
        private final @Nullable Payload[] gathered;
        private final int pieces;
        private long at;

        Read(Transmission connection, long cookie, long offset, int length, boolean chunked) {
            super(connection, cookie);
            this.offset = offset;
            this.length = length;
            this.chunked = chunked;
            this.at = offset;
            this.pieces = pieceCount(offset, length, BlockGeometry.MAX_IO_BYTES);
            this.gathered = new @Nullable Payload[chunked ? 0 : pieces];
        }

        @Override
        @Nullable
        BlockCommand next() {
            if (exhausted()) {
                return null;
            }
            long start = at;
            at = pieceEnd(at, offset + length, BlockGeometry.MAX_IO_BYTES);
            return new BlockCommand.Read(new ByteRange(start, at - start));
        }

        @Override
        boolean exhausted() {
            return at == offset + length;
        }

        @Override
        void succeeded(int index, BlockOutcome outcome, ReplyWriter replies) {
            if (!(outcome instanceof BlockOutcome.Found(var payload))) {
                throw new IllegalStateException("a read ended with " + outcome);
            }
            if (!chunked) {
                gathered[index] = payload;
                return;
            }
            long window = offset / BlockGeometry.MAX_IO_BYTES + index;
            replies.readChunks(cookie, Math.max(offset, window * BlockGeometry.MAX_IO_BYTES), payload, pieces == 1);
        }

        @Override
        void reply(ReplyWriter replies) {
            if (!chunked) {
                List<Payload> content = new ArrayList<>(pieces);
                for (int i = 0; i < pieces; i++) {
                    Payload piece = gathered[i];
                    if (piece != null) {
                        content.add(piece);
                    }
                }
                replies.wholeRead(cookie, offset, length, content);
            } else if (pieces > 1) {
                replies.readFinished(cookie);
            }
        }

        @Override
        void abandon() {
            for (int i = 0; i < gathered.length; i++) {
                Payload piece = gathered[i];
                if (piece != null) {
                    piece.release();
                }
            }
            Arrays.fill(gathered, null);
        }

        @Override
        int payloadBytes() {
            return length;
        }
    }

    /** What a {@link Range} does with its pieces. */
    enum RangeKind {
        TRIM,
        ZERO,
        /** Zeros that take space: written out. */
        ZERO_ALLOCATED
    }

    /** Trim and zero. */
    static final class Range extends Transaction {
        private final RangeKind kind;
        private final long end;
        private long at;

        Range(Transmission connection, long cookie, RangeKind kind, long offset, long length) {
            super(connection, cookie);
            this.kind = kind;
            this.at = offset;
            this.end = offset + length;
        }

        @Override
        @Nullable
        BlockCommand next() {
            if (exhausted()) {
                return null;
            }
            long start = at;
            long window = kind == RangeKind.ZERO_ALLOCATED ? BlockGeometry.MAX_IO_BYTES : BlockGeometry.MAX_TRIM_BYTES;
            at = pieceEnd(at, end, window);
            ByteRange range = new ByteRange(start, at - start);
            return switch (kind) {
                case TRIM -> new BlockCommand.Trim(range);
                case ZERO -> new BlockCommand.Zero(range);
                case ZERO_ALLOCATED -> new BlockCommand.Write(range, zeros((int) range.length()));
            };
        }

        @Override
        boolean exhausted() {
            return at == end;
        }

        @Override
        void succeeded(int index, BlockOutcome outcome, ReplyWriter replies) {}

        @Override
        void reply(ReplyWriter replies) {
            replies.success(cookie);
        }

        @Override
        int payloadBytes() {
            return 0;
        }
    }

    /** Everything that was acknowledged before is durable. */
    static final class Flush extends Transaction {
        private boolean begun;

        Flush(Transmission connection, long cookie) {
            super(connection, cookie);
        }

        @Override
        @Nullable
        BlockCommand next() {
            if (begun) {
                return null;
            }
            begun = true;
            return BlockCommand.Flush.FLUSH;
        }

        @Override
        boolean exhausted() {
            return begun;
        }

        @Override
        void succeeded(int index, BlockOutcome outcome, ReplyWriter replies) {}

        @Override
        void reply(ReplyWriter replies) {
            replies.success(cookie);
        }

        @Override
        int payloadBytes() {
            return 0;
        }
    }

    /** Allocation of the beginning of the range; clients ask again for the rest. */
    static final class Status extends Transaction {
        /** Answered at once: bounds the queries, and the extents of the reply to 16,384. */
        private static final long MAX_ANSWERED_BYTES = 64L * 1024 * 1024;

        private final boolean one;
        private final long offset;
        private final long end;
        private final @Nullable List<Extent>[] found;
        private long at;

        @SuppressWarnings({"unchecked", "rawtypes"}) // arrays of a generic type cannot be made otherwise
        Status(Transmission connection, long cookie, long offset, long length, boolean one) {
            super(connection, cookie);
            this.one = one;
            this.offset = offset;
            this.at = offset;
            this.end = one
                    ? pieceEnd(offset, offset + length, BlockGeometry.MAX_IO_BYTES)
                    : offset + Math.min(length, MAX_ANSWERED_BYTES);
            this.found = new List[pieceCount(offset, end - offset, BlockGeometry.MAX_IO_BYTES)];
        }

        @Override
        @Nullable
        BlockCommand next() {
            if (exhausted()) {
                return null;
            }
            long start = at;
            at = pieceEnd(at, end, BlockGeometry.MAX_IO_BYTES);
            return new BlockCommand.Status(new ByteRange(start, at - start));
        }

        @Override
        boolean exhausted() {
            return at == end;
        }

        @Override
        void succeeded(int index, BlockOutcome outcome, ReplyWriter replies) {
            if (!(outcome instanceof BlockOutcome.Allocation(var extents))) {
                throw new IllegalStateException("a status query ended with " + outcome);
            }
            found[index] = extents;
        }

        @Override
        void reply(ReplyWriter replies) {
            List<Extent> merged = new ArrayList<>();
            for (List<Extent> extents : found) {
                for (Extent extent : extents == null ? List.<Extent>of() : extents) {
                    Extent previous = merged.isEmpty() ? null : merged.getLast();
                    if (previous != null && previous.hole() == extent.hole()) {
                        merged.removeLast();
                        merged.add(new Extent(previous.lengthBytes() + extent.lengthBytes(), extent.hole()));
                    } else {
                        merged.add(extent);
                    }
                }
            }
            long covered = merged.stream().mapToLong(Extent::lengthBytes).sum();
            if (covered != end - offset) {
                throw new IllegalStateException(
                        "status of " + (end - offset) + " bytes at " + offset + " covers " + covered);
            }
            replies.blockStatus(cookie, one ? merged.subList(0, 1) : merged);
        }

        @Override
        int payloadBytes() {
            return 0;
        }
    }
}
