package io.gabion.agent.nbd;

import io.gabion.core.message.Payload;
import io.gabion.wire.ByteBufPayload;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transmission phase of one connection: takes requests from the stream, gives them to the export and writes the replies.
 *
 * <pre>
 * request: u32 magic | u16 flags | u16 command | u64 cookie | u64 offset | u32 length | payload of a write
 * </pre>
 *
 * <p>The payload of a write is a slice of the network buffer when it lies there in one piece, and otherwise collected in a
 * buffer of its own. Replies are flushed once per batch of reads or completions. A client that has too much under way (alone, or all
 * together), or does not take its replies, is not read from until that changes.
 */
final class Transmission extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(Transmission.class);

    /** Requests under way per connection; the kernel's client uses at most 128 per socket. */
    static final int MAX_OUTSTANDING_REQUESTS = 256;
    /** Payload under way per connection: two of the longest requests. */
    static final int MAX_OUTSTANDING_BYTES = 2 * NbdProtocol.MAX_PAYLOAD_BYTES;

    private final BlockExport export;
    private final RequestCheck.Features features;
    private final PayloadBudget budget;
    private final Queue<Transaction.Part> completedElsewhere = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean deliveryScheduled = new AtomicBoolean();
    private final ArrayDeque<ByteBuf> unread = new ArrayDeque<>();

    private @Nullable ChannelHandlerContext context;
    private @Nullable EventLoop loop;
    private @Nullable ReplyWriter writer;
    private final ByteBuf partialHeader;
    private Transactions.@Nullable Write receiving;
    private @Nullable ByteBuf receivingPiece;
    private long skipBytes;
    private long skipCookie;
    private NbdErrno skipError = NbdErrno.INVALID;

    private int outstandingRequests;
    private long outstandingBytes;
    private boolean reading;
    private boolean draining;
    private boolean flushScheduled;
    private boolean awaitingBudget;
    private boolean disconnecting;
    private boolean closed;

    /** Owns {@code partialHeader}, an empty buffer with room for one request header. */
    Transmission(BlockExport export, RequestCheck.Features features, PayloadBudget budget, ByteBuf partialHeader) {
        this.export = export;
        this.features = features;
        this.budget = budget;
        this.partialHeader = partialHeader;
    }

    BlockExport export() {
        return export;
    }

    boolean isClosed() {
        return closed;
    }

    ReplyWriter replies() {
        ReplyWriter current = writer;
        if (current == null) {
            throw new IllegalStateException("handler was not added");
        }
        return current;
    }

    void submit(BlockCommand command, BlockCompletion completion) {
        export.submit(command, completion);
    }

    // ---- channel events
    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        loop = ctx.channel().eventLoop();
        writer = new ReplyWriter(ctx, features.structuredReplies());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (closed || disconnecting || !(message instanceof ByteBuf in)) {
            ReferenceCountUtil.release(message);
            return;
        }
        reading = true;
        unread.add(in);
        drain();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        reading = false;
        flushReplies();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        resume();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        close();
        super.channelInactive(ctx);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        close();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        LOG.info("closing connection {} to export {}: {}", ctx.channel(), export.name(), cause.toString());
        var _ = ctx.close();
    }

    private void close() {
        if (closed) {
            return;
        }
        closed = true;
        replies().discard();
        unread.forEach(ByteBuf::release);
        unread.clear();
        partialHeader.release();
        ByteBuf piece = receivingPiece;
        receivingPiece = null;
        if (piece != null) {
            piece.release();
        }
        Transactions.Write unfinished = receiving;
        receiving = null;
        if (unfinished != null) {
            // Its payload will never be complete, so it will never end.
            budget.give(unfinished.payloadBytes());
        }
    }

    // ---- taking requests from the stream
    private boolean mayRead() {
        ChannelHandlerContext ctx = context;
        return !closed
                && !disconnecting
                && outstandingRequests < MAX_OUTSTANDING_REQUESTS
                && outstandingBytes < MAX_OUTSTANDING_BYTES
                && budget.hasRoom()
                && ctx != null
                && ctx.channel().isWritable();
    }

    private void drain() {
        if (draining) {
            return;
        }
        draining = true;
        while (!unread.isEmpty() && (receiving != null || skipBytes > 0 || mayRead())) {
            ByteBuf in = unread.peek();
            take(in);
            if (closed || disconnecting) {
                unread.forEach(ByteBuf::release);
                unread.clear();
            } else if (!in.isReadable()) {
                unread.poll().release();
            }
        }
        draining = false;
        ChannelHandlerContext ctx = context;
        if (ctx != null && !closed) {
            // The payload of a request that was let in must always come in, or it would never end.
            boolean readOn = receiving != null || skipBytes > 0 || mayRead();
            ctx.channel().config().setAutoRead(readOn);
            if (!readOn && !disconnecting && !awaitingBudget && !budget.hasRoom()) {
                awaitingBudget = true;
                budget.await(this::budgetHasRoom);
            }
        }
    }

    /** From any thread. */
    private void budgetHasRoom() {
        EventLoop own = loop;
        if (own != null) {
            own.execute(() -> {
                awaitingBudget = false;
                resume();
            });
        }
    }

    private void resume() {
        if (draining || closed) {
            return;
        }
        ChannelHandlerContext ctx = context;
        if (ctx != null && (!unread.isEmpty() || !ctx.channel().config().isAutoRead())) {
            drain();
            scheduleFlush();
        }
    }

    private void take(ByteBuf in) {
        if (skipBytes > 0) {
            skip(in);
        } else if (receiving != null) {
            takePayload(receiving, in);
        } else if (partialHeader.isReadable() || in.readableBytes() < NbdProtocol.REQUEST_HEADER_BYTES) {
            int missing = NbdProtocol.REQUEST_HEADER_BYTES - partialHeader.readableBytes();
            partialHeader.writeBytes(in, Math.min(missing, in.readableBytes()));
            if (partialHeader.readableBytes() == NbdProtocol.REQUEST_HEADER_BYTES) {
                request(partialHeader);
                if (!closed) {
                    partialHeader.clear();
                }
            }
        } else {
            request(in);
        }
    }

    private void takePayload(Transactions.Write write, ByteBuf in) {
        int length = write.nextPieceBytes();
        ByteBuf piece = receivingPiece;
        if (piece == null && in.readableBytes() >= length) {
            piece = in.readRetainedSlice(length);
        } else {
            if (piece == null) {
                piece = replyContext().alloc().directBuffer(length, length);
                receivingPiece = piece;
            }
            piece.writeBytes(in, Math.min(piece.writableBytes(), in.readableBytes()));
            if (piece.isWritable()) {
                return;
            }
            receivingPiece = null;
        }
        Payload payload = ByteBufPayload.of(piece);
        boolean last = length == write.remainingBytes();
        if (last) {
            receiving = null;
        }
        write.arrived(payload);
    }

    private void skip(ByteBuf in) {
        int length = (int) Math.min(skipBytes, in.readableBytes());
        in.skipBytes(length);
        skipBytes -= length;
        if (skipBytes == 0) {
            replies().failure(skipCookie, skipError);
            scheduleFlush();
        }
    }

    private void request(ByteBuf in) {
        int magic = in.readInt();
        if (magic != NbdProtocol.REQUEST_MAGIC) {
            LOG.info(
                    "closing connection {} to export {}: request magic is {} instead of {}",
                    replyContext().channel(),
                    export.name(),
                    Integer.toHexString(magic),
                    Integer.toHexString(NbdProtocol.REQUEST_MAGIC));
            disconnecting = true;
            var _ = replyContext().close();
            return;
        }
        int flags = in.readUnsignedShort();
        int command = in.readUnsignedShort();
        long cookie = in.readLong();
        long offset = in.readLong();
        long length = in.readUnsignedInt();
        if (command == NbdProtocol.CMD_DISC) {
            disconnecting = true;
            closeWhenIdle();
            return;
        }
        NbdErrno error = RequestCheck.check(command, flags, offset, length, features, new RequestCheck.Device(export));
        if (error == null) {
            start(command, flags, cookie, offset, length);
        } else if (command == NbdProtocol.CMD_WRITE && length > 0) {
            skipBytes = length;
            skipCookie = cookie;
            skipError = error;
        } else {
            replies().failure(cookie, error);
            scheduleFlush();
        }
    }

    private void start(int command, int flags, long cookie, long offset, long length) {
        switch (command) {
            case NbdProtocol.CMD_READ -> {
                boolean chunked = features.structuredReplies() && (flags & NbdProtocol.CMD_FLAG_DF) == 0;
                begin(new Transactions.Read(this, cookie, offset, (int) length, chunked));
            }
            case NbdProtocol.CMD_WRITE -> {
                Transactions.Write write = new Transactions.Write(this, cookie, offset, (int) length);
                receiving = write;
                account(write);
            }
            case NbdProtocol.CMD_FLUSH -> begin(new Transactions.Flush(this, cookie));
            case NbdProtocol.CMD_TRIM ->
                begin(new Transactions.Range(this, cookie, Transactions.RangeKind.TRIM, offset, length));
            case NbdProtocol.CMD_WRITE_ZEROES -> {
                Transactions.RangeKind kind = (flags & NbdProtocol.CMD_FLAG_NO_HOLE) == 0
                        ? Transactions.RangeKind.ZERO
                        : Transactions.RangeKind.ZERO_ALLOCATED;
                begin(new Transactions.Range(this, cookie, kind, offset, length));
            }
            case NbdProtocol.CMD_BLOCK_STATUS -> {
                boolean one = (flags & NbdProtocol.CMD_FLAG_REQ_ONE) != 0;
                begin(new Transactions.Status(this, cookie, offset, length, one));
            }
            case NbdProtocol.CMD_CACHE -> {
                // A hint; the nodes' page and block caches decide for themselves.
                replies().success(cookie);
                scheduleFlush();
            }
            default -> throw new IllegalStateException("command " + command + " passed the check");
        }
    }

    private void account(Transaction transaction) {
        outstandingRequests++;
        outstandingBytes += transaction.payloadBytes();
        budget.take(transaction.payloadBytes());
    }

    private void begin(Transaction transaction) {
        account(transaction);
        transaction.issue();
    }

    // ---- replies
    /** From any thread. */
    void completed(Transaction.Part part) {
        EventLoop own = loop;
        if (own == null) {
            throw new IllegalStateException("handler was not added");
        }
        if (own.inEventLoop()) {
            part.deliver();
            return;
        }
        completedElsewhere.add(part);
        if (deliveryScheduled.compareAndSet(false, true)) {
            try {
                own.execute(this::deliver);
            } catch (RejectedExecutionException stopping) {
                LOG.debug("completion after the end of the event loop", stopping);
            }
        }
    }

    private void deliver() {
        deliveryScheduled.set(false);
        for (Transaction.Part part = completedElsewhere.poll(); part != null; part = completedElsewhere.poll()) {
            part.deliver();
        }
    }

    void ended(Transaction transaction) {
        outstandingRequests--;
        outstandingBytes -= transaction.payloadBytes();
        budget.give(transaction.payloadBytes());
        if (closed) {
            return;
        }
        scheduleFlush();
        if (disconnecting) {
            closeWhenIdle();
        } else {
            resume();
        }
    }

    private void closeWhenIdle() {
        if (outstandingRequests == 0) {
            replies().flush();
            Negotiation.closeAfterWrites(replyContext());
        }
    }

    private void scheduleFlush() {
        EventLoop own = loop;
        if (reading || flushScheduled || closed || own == null) {
            return;
        }
        flushScheduled = true;
        own.execute(() -> {
            flushScheduled = false;
            flushReplies();
        });
    }

    private void flushReplies() {
        if (!closed) {
            replies().flush();
        }
    }

    private ChannelHandlerContext replyContext() {
        ChannelHandlerContext ctx = context;
        if (ctx == null) {
            throw new IllegalStateException("handler was not added");
        }
        return ctx;
    }
}
