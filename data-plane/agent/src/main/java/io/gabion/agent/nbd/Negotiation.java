package io.gabion.agent.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fixed newstyle negotiation of one connection; replaces itself by {@link Transmission}.
 *
 * <pre>
 * server: "NBDMAGIC" | "IHAVEOPT" | u16 flags
 * client: u32 flags, then options: "IHAVEOPT" | u32 option | u32 length | data
 * server: u64 magic | u32 option | u32 reply type | u32 length | data
 * </pre>
 *
 * <p>With TLS (TCP only) every option but STARTTLS and ABORT is refused until TLS runs, and nothing that was said before counts
 * afterwards: bytes that came along with STARTTLS in the clear end the connection.
 */
final class Negotiation extends ByteToMessageDecoder {
    private static final Logger LOG = LoggerFactory.getLogger(Negotiation.class);
    /** Someone who needs longer to say which export they want is no client. */
    private static final long TIMEOUT_SECONDS = 10;

    private final ExportTable exports;
    private final PayloadBudget budget;
    private final boolean listExports;
    /** Null where TLS is not offered. */
    private final @Nullable SslContext tls;

    private boolean tlsRunning;
    private boolean greeted;
    private boolean padded = true;
    private boolean structured;
    /** Export for which base:allocation was selected. */
    private @Nullable String metaContextExport;

    private boolean ended;
    private int options;
    private long skipBytes;
    private int skippedOption;
    private @Nullable ScheduledFuture<?> timeout;

    Negotiation(ExportTable exports, PayloadBudget budget, boolean listExports, @Nullable SslContext tls) {
        this.exports = exports;
        this.budget = budget;
        this.listExports = listExports;
        this.tls = tls;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) throws Exception {
        timeout = ctx.executor()
                .schedule(() -> refuse(ctx, "negotiation took too long"), TIMEOUT_SECONDS, TimeUnit.SECONDS);
        ByteBuf greeting = ctx.alloc().buffer(18);
        greeting.writeLong(NbdProtocol.GREETING_MAGIC)
                .writeLong(NbdProtocol.OPTION_MAGIC)
                .writeShort(NbdProtocol.FLAG_FIXED_NEWSTYLE | NbdProtocol.FLAG_NO_ZEROES);
        var _ = ctx.writeAndFlush(greeting);
        super.channelActive(ctx);
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext ctx) {
        ended = true;
        ScheduledFuture<?> pending = timeout;
        if (pending != null) {
            pending.cancel(false);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        refuse(ctx, cause.toString());
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (ended) {
            in.skipBytes(in.readableBytes());
        } else if (!greeted) {
            clientFlags(ctx, in);
        } else if (skipBytes > 0) {
            int length = (int) Math.min(skipBytes, in.readableBytes());
            in.skipBytes(length);
            skipBytes -= length;
            if (skipBytes == 0) {
                reply(ctx, skippedOption, NbdProtocol.REP_ERR_TOO_BIG, "option data is too long");
                ctx.flush();
            }
        } else {
            optionHeader(ctx, in);
        }
    }

    private void clientFlags(ChannelHandlerContext ctx, ByteBuf in) {
        if (in.readableBytes() < Integer.BYTES) {
            return;
        }
        int flags = in.readInt();
        if ((flags & ~(NbdProtocol.FLAG_FIXED_NEWSTYLE | NbdProtocol.FLAG_NO_ZEROES)) != 0
                || (flags & NbdProtocol.FLAG_FIXED_NEWSTYLE) == 0) {
            refuse(ctx, "client flags are " + Integer.toHexString(flags) + ", fixed newstyle is needed");
            return;
        }
        padded = (flags & NbdProtocol.FLAG_NO_ZEROES) == 0;
        greeted = true;
    }

    private void optionHeader(ChannelHandlerContext ctx, ByteBuf in) {
        if (in.readableBytes() < NbdProtocol.OPTION_HEADER_BYTES) {
            return;
        }
        int start = in.readerIndex();
        long magic = in.getLong(start);
        int option = in.getInt(start + 8);
        long length = in.getUnsignedInt(start + 12);
        if (magic != NbdProtocol.OPTION_MAGIC) {
            refuse(ctx, "option magic is " + Long.toHexString(magic));
        } else if (option == NbdProtocol.OPT_EXPORT_NAME && length > NbdProtocol.MAX_NAME_BYTES) {
            refuse(ctx, "export name of " + length + " bytes");
        } else if (length > NbdProtocol.MAX_OPTION_BYTES) {
            in.skipBytes(NbdProtocol.OPTION_HEADER_BYTES);
            skippedOption = option;
            skipBytes = length;
            countOption(ctx);
        } else if (in.readableBytes() >= NbdProtocol.OPTION_HEADER_BYTES + length) {
            in.skipBytes(NbdProtocol.OPTION_HEADER_BYTES);
            countOption(ctx);
            ByteBuf data = in.readSlice((int) length);
            if (!ended) {
                option(ctx, option, data, in);
                ctx.flush();
            }
        }
    }

    private void countOption(ChannelHandlerContext ctx) {
        options++;
        if (options > NbdProtocol.MAX_OPTIONS) {
            refuse(ctx, "more than " + NbdProtocol.MAX_OPTIONS + " options");
        }
    }

    private void option(ChannelHandlerContext ctx, int option, ByteBuf data, ByteBuf following) {
        if (option == NbdProtocol.OPT_ABORT) {
            ended = true;
            reply(ctx, option, NbdProtocol.REP_ACK, "");
            closeAfterWrites(ctx);
            return;
        }
        if (option == NbdProtocol.OPT_STARTTLS) {
            startTls(ctx, data, following);
            return;
        }
        if (tls != null && !tlsRunning) {
            if (option == NbdProtocol.OPT_EXPORT_NAME) {
                refuse(ctx, "EXPORT_NAME before STARTTLS");
            } else {
                reply(ctx, option, NbdProtocol.REP_ERR_TLS_REQD, "this server insists on TLS: send STARTTLS first");
            }
            return;
        }
        switch (option) {
            case NbdProtocol.OPT_EXPORT_NAME -> exportName(ctx, data);
            case NbdProtocol.OPT_LIST -> list(ctx, data);
            case NbdProtocol.OPT_INFO, NbdProtocol.OPT_GO -> go(ctx, option, data);
            case NbdProtocol.OPT_STRUCTURED_REPLY -> {
                if (data.isReadable()) {
                    reply(ctx, option, NbdProtocol.REP_ERR_INVALID, "STRUCTURED_REPLY takes no data");
                } else {
                    structured = true;
                    reply(ctx, option, NbdProtocol.REP_ACK, "");
                }
            }
            case NbdProtocol.OPT_LIST_META_CONTEXT, NbdProtocol.OPT_SET_META_CONTEXT -> metaContext(ctx, option, data);
            default ->
                reply(ctx, option, NbdProtocol.REP_ERR_UNSUP, "unknown option " + Integer.toUnsignedString(option));
        }
    }

    private void startTls(ChannelHandlerContext ctx, ByteBuf data, ByteBuf following) {
        SslContext offered = tls;
        if (offered == null) {
            reply(ctx, NbdProtocol.OPT_STARTTLS, NbdProtocol.REP_ERR_POLICY, "no TLS on this socket");
        } else if (tlsRunning || data.isReadable()) {
            String why = tlsRunning ? "TLS runs already" : "STARTTLS takes no data";
            reply(ctx, NbdProtocol.OPT_STARTTLS, NbdProtocol.REP_ERR_INVALID, why);
        } else if (following.isReadable()) {
            // Whoever put it there wants it to be taken for something said under TLS.
            refuse(ctx, "unencrypted data after STARTTLS");
        } else {
            reply(ctx, NbdProtocol.OPT_STARTTLS, NbdProtocol.REP_ACK, "");
            ctx.flush();
            tlsRunning = true;
            structured = false;
            metaContextExport = null;
            SslHandler handler = offered.newHandler(ctx.alloc());
            handler.setHandshakeTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            ctx.pipeline().addFirst("tls", handler);
        }
    }

    private void list(ChannelHandlerContext ctx, ByteBuf data) {
        int option = NbdProtocol.OPT_LIST;
        if (data.isReadable()) {
            reply(ctx, option, NbdProtocol.REP_ERR_INVALID, "LIST takes no data");
        } else if (!listExports) {
            reply(ctx, option, NbdProtocol.REP_ERR_POLICY, "exports are not listed here: ask for one by name");
        } else {
            for (String name : exports.names()) {
                byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
                ByteBuf out = replyHeader(ctx, option, NbdProtocol.REP_SERVER, Integer.BYTES + bytes.length);
                var _ = ctx.write(out.writeInt(bytes.length).writeBytes(bytes));
            }
            reply(ctx, option, NbdProtocol.REP_ACK, "");
        }
    }

    private void exportName(ChannelHandlerContext ctx, ByteBuf data) {
        String name = OptionRequest.name(data);
        BlockExport export = name == null ? null : exports.find(name);
        if (export == null) {
            refuse(ctx, "unknown export " + printable(name));
            return;
        }
        ByteBuf out = ctx.alloc().buffer();
        out.writeLong(export.sizeBytes()).writeShort(transmissionFlags(export));
        if (padded) {
            out.writeZero(NbdProtocol.EXPORT_NAME_PADDING_BYTES);
        }
        var _ = ctx.write(out);
        transmit(ctx, export);
    }

    private void go(ChannelHandlerContext ctx, int option, ByteBuf data) {
        OptionRequest.Go request = OptionRequest.go(data);
        if (request == null) {
            reply(ctx, option, NbdProtocol.REP_ERR_INVALID, "malformed option data");
            return;
        }
        BlockExport export = exports.find(request.exportName());
        if (export == null) {
            reply(ctx, option, NbdProtocol.REP_ERR_UNKNOWN, "no export of that name is attached here");
            return;
        }
        var _ = ctx.write(replyHeader(ctx, option, NbdProtocol.REP_INFO, 12)
                .writeShort(NbdProtocol.INFO_EXPORT)
                .writeLong(export.sizeBytes())
                .writeShort(transmissionFlags(export)));
        if (request.wanted().contains(NbdProtocol.INFO_BLOCK_SIZE)) {
            var _ = ctx.write(replyHeader(ctx, option, NbdProtocol.REP_INFO, 14)
                    .writeShort(NbdProtocol.INFO_BLOCK_SIZE)
                    .writeInt(NbdProtocol.MIN_BLOCK_BYTES)
                    .writeInt(NbdProtocol.PREFERRED_BLOCK_BYTES)
                    .writeInt(NbdProtocol.MAX_PAYLOAD_BYTES));
        }
        if (request.wanted().contains(NbdProtocol.INFO_NAME)) {
            byte[] name = export.name().getBytes(StandardCharsets.UTF_8);
            var _ = ctx.write(replyHeader(ctx, option, NbdProtocol.REP_INFO, Short.BYTES + name.length)
                    .writeShort(NbdProtocol.INFO_NAME)
                    .writeBytes(name));
        }
        reply(ctx, option, NbdProtocol.REP_ACK, "");
        if (option == NbdProtocol.OPT_GO) {
            transmit(ctx, export);
        }
    }

    private void metaContext(ChannelHandlerContext ctx, int option, ByteBuf data) {
        boolean set = option == NbdProtocol.OPT_SET_META_CONTEXT;
        if (set) {
            metaContextExport = null;
        }
        OptionRequest.MetaContext request = OptionRequest.metaContext(data);
        if (request == null || !structured) {
            String why = request == null ? "malformed option data" : "needs STRUCTURED_REPLY first";
            reply(ctx, option, NbdProtocol.REP_ERR_INVALID, why);
            return;
        }
        if (exports.find(request.exportName()) == null) {
            reply(ctx, option, NbdProtocol.REP_ERR_UNKNOWN, "no export of that name is attached here");
            return;
        }
        boolean named = request.queries().contains(NbdProtocol.BASE_ALLOCATION);
        boolean listed = request.queries().isEmpty() || request.queries().contains("base:");
        if (named || (!set && listed)) {
            byte[] name = NbdProtocol.BASE_ALLOCATION.getBytes(StandardCharsets.UTF_8);
            var _ = ctx.write(replyHeader(ctx, option, NbdProtocol.REP_META_CONTEXT, Integer.BYTES + name.length)
                    .writeInt(set ? NbdProtocol.BASE_ALLOCATION_ID : 0)
                    .writeBytes(name));
            if (set) {
                metaContextExport = request.exportName();
            }
        }
        reply(ctx, option, NbdProtocol.REP_ACK, "");
    }

    private int transmissionFlags(BlockExport export) {
        return NbdProtocol.TRANSMISSION_HAS_FLAGS
                | (export.readOnly() ? NbdProtocol.TRANSMISSION_READ_ONLY : 0)
                | NbdProtocol.TRANSMISSION_SEND_FLUSH
                | NbdProtocol.TRANSMISSION_SEND_FUA
                | NbdProtocol.TRANSMISSION_SEND_TRIM
                | NbdProtocol.TRANSMISSION_SEND_WRITE_ZEROES
                | (structured ? NbdProtocol.TRANSMISSION_SEND_DF : 0)
                | NbdProtocol.TRANSMISSION_CAN_MULTI_CONN
                | NbdProtocol.TRANSMISSION_SEND_CACHE
                | NbdProtocol.TRANSMISSION_SEND_FAST_ZERO;
    }

    private void transmit(ChannelHandlerContext ctx, BlockExport export) {
        ctx.flush();
        boolean allocation = structured && export.name().equals(metaContextExport);
        Transmission transmission = new Transmission(
                export,
                new RequestCheck.Features(structured, allocation),
                budget,
                ctx.alloc().buffer(NbdProtocol.REQUEST_HEADER_BYTES, NbdProtocol.REQUEST_HEADER_BYTES));
        ctx.pipeline().addAfter(ctx.name(), "transmission", transmission);
        // What the client sent after its last option goes to the next handler.
        ctx.pipeline().remove(this);
    }

    private static void reply(ChannelHandlerContext ctx, int option, int type, String message) {
        byte[] text = message.getBytes(StandardCharsets.UTF_8);
        var _ = ctx.write(replyHeader(ctx, option, type, text.length).writeBytes(text));
    }

    private static ByteBuf replyHeader(ChannelHandlerContext ctx, int option, int type, int length) {
        return ctx.alloc()
                .buffer(20 + length)
                .writeLong(NbdProtocol.OPTION_REPLY_MAGIC)
                .writeInt(option)
                .writeInt(type)
                .writeInt(length);
    }

    private void refuse(ChannelHandlerContext ctx, String why) {
        if (!ended) {
            LOG.info("closing connection {} in negotiation: {}", ctx.channel(), why);
            ended = true;
            closeAfterWrites(ctx);
        }
    }

    /** Closes when everything written before has left. */
    static void closeAfterWrites(ChannelHandlerContext ctx) {
        var _ = ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    private static String printable(@Nullable String name) {
        return name == null ? "(not a name)" : "\"" + name.replaceAll("\\p{Cntrl}", "?") + "\"";
    }
}
