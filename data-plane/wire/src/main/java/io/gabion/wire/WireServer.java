package io.gabion.wire;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listens for agents and storage nodes. */
public final class WireServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WireServer.class);
    /** Handshakes under way at once: an unknown peer costs a few ten KiB until it is known. More are closed at once. */
    static final int MAX_HANDSHAKES = 256;

    private static final int BACKLOG = 256;

    private final Channel channel;
    private final InetSocketAddress address;

    private WireServer(Channel channel) {
        this.channel = channel;
        this.address = (InetSocketAddress) channel.localAddress();
    }

    /**
     * Listens at {@code address} (port 0 chooses one). Blocks until bound; not to be called on a loop.
     *
     * @param acceptor decides on each peer, after its certificate and Hello were found in order
     * @throws IOException when the address cannot be had; names it
     */
    public static WireServer bind(WireOptions options, InetSocketAddress address, Acceptor acceptor)
            throws IOException {
        ChannelFuture bound = new ServerBootstrap()
                .group(options.loops().netty())
                .channel(options.loops().serverSocketClass())
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMarks(options.limits()))
                .childHandler(new Entrance(options, acceptor))
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "cannot listen at " + address + ": " + bound.cause().getMessage(), bound.cause());
        }
        WireServer server = new WireServer(bound.channel());
        LOG.info("listening at {} as {}", server.address, options.self().identity());
        return server;
    }

    static WriteBufferWaterMark waterMarks(WireLimits limits) {
        return new WriteBufferWaterMark(limits.lowWaterBytes(), limits.highWaterBytes());
    }

    private static final class Entrance extends ChannelInitializer<Channel> {
        private final WireOptions options;
        private final Acceptor acceptor;
        private final AtomicInteger handshakes = new AtomicInteger();

        Entrance(WireOptions options, Acceptor acceptor) {
            this.options = options;
            this.acceptor = acceptor;
        }

        @Override
        protected void initChannel(Channel accepted) {
            String remote = text(accepted);
            if (handshakes.incrementAndGet() > MAX_HANDSHAKES) {
                handshakes.decrementAndGet();
                CloseReason reason = new CloseReason.HandshakeRefused(
                        Refusal.BUSY, false, MAX_HANDSHAKES + " handshakes are under way, refused " + remote);
                options.counters().ended(reason);
                Failures.log(reason, remote, false, false);
                ChannelFuture unused = accepted.close();
                return;
            }
            SslHandler tls = options.tls().serverHandler(accepted.alloc());
            tls.setHandshakeTimeout(options.limits().handshakeTimeoutMillis(), TimeUnit.MILLISECONDS);
            ChannelConnection connection = new ChannelConnection(
                    options,
                    accepted,
                    tls,
                    Handshake.accepting(options.self(), acceptor),
                    remote,
                    handshakes::decrementAndGet);
            accepted.pipeline().addLast(tls, connection);
            connection.begin();
        }
    }

    static String text(Channel channel) {
        return channel.remoteAddress() instanceof InetSocketAddress inet
                ? inet.getHostString() + ":" + inet.getPort()
                : String.valueOf(channel.remoteAddress());
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return address;
    }

    /** Stops listening; connections that stand stay open. Not to be called on a loop. */
    @Override
    public void close() {
        channel.close().awaitUninterruptibly();
    }
}
