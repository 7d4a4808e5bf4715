package io.gabion.wire;

import io.gabion.model.NodeName;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Connects to storage nodes. */
public final class WireClient {
    private static final int MAX_PORT = 65535;

    private WireClient() {}

    /** An attempt under way. */
    public interface Attempt {
        /** Gives up; {@link ConnectionHandler#connectFailed} follows unless the attempt ended before. Any thread. */
        void cancel();
    }

    /**
     * Starts to connect to the storage node {@code expected} at {@code host}. Returns at once; all that follows comes to {@code
     * handler} on {@code loop}: either {@code connectFailed}, or {@code connected} and later {@code closed}. Never tries
     * again by itself. Any thread.
     */
    public static Attempt connect(
            WireOptions options, WireLoop loop, String host, int port, NodeName expected, ConnectionHandler handler) {
        if (port < 1 || port > MAX_PORT) {
            throw new IllegalArgumentException("port must be 1 to " + MAX_PORT + ", not " + port);
        }
        Connecting attempt = new Connecting(options, loop, host, port, expected, handler);
        attempt.start();
        return attempt;
    }

    /** From name to TCP connection. All state on the loop. */
    private static final class Connecting implements Attempt {
        private final WireOptions options;
        private final WireLoop loop;
        private final String host;
        private final int port;
        private final NodeName expected;
        private final ConnectionHandler handler;
        private final String peerText;
        private boolean over;
        private @Nullable Channel channel;
        private @Nullable ChannelConnection connection;

        Connecting(
                WireOptions options,
                WireLoop loop,
                String host,
                int port,
                NodeName expected,
                ConnectionHandler handler) {
            this.options = options;
            this.loop = loop;
            this.host = host;
            this.port = port;
            this.expected = expected;
            this.handler = handler;
            this.peerText = Role.NODE + "/" + expected + " at " + host + ":" + port;
        }

        void start() {
            byte[] literal = NetUtil.createByteArrayFromIpAddressString(host);
            if (literal != null) {
                loop.execute(() -> connect(resolved(literal)));
                return;
            }
            // A look-up may block for seconds: never on a loop.
            Thread.ofVirtual().name("resolve " + host).start(() -> {
                try {
                    InetAddress found = InetAddress.getByName(host);
                    loop.execute(() -> connect(found));
                } catch (UnknownHostException e) {
                    loop.execute(() -> fail(new CloseReason.Unreachable(peerText + ": host is unknown")));
                }
            });
            int timeoutMillis = options.limits().connectTimeoutMillis();
            ScheduledFuture<?> unused = loop.schedule(
                    () -> {
                        if (channel == null) {
                            fail(new CloseReason.Unreachable(
                                    peerText + ": no answer to the name look-up in " + timeoutMillis + " ms"));
                        }
                    },
                    TimeUnit.MILLISECONDS.toNanos(timeoutMillis));
        }

        private static InetAddress resolved(byte[] literal) {
            try {
                return InetAddress.getByAddress(literal);
            } catch (UnknownHostException e) {
                throw new IllegalStateException("an address of " + literal.length + " bytes", e);
            }
        }

        private void connect(InetAddress address) {
            if (over) {
                return;
            }
            ChannelFuture future = new Bootstrap()
                    .group(loop.netty())
                    .channel(options.loops().socketClass())
                    .option(
                            ChannelOption.CONNECT_TIMEOUT_MILLIS,
                            options.limits().connectTimeoutMillis())
                    .option(ChannelOption.TCP_NODELAY, true)
                    .option(ChannelOption.SO_KEEPALIVE, true)
                    .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WireServer.waterMarks(options.limits()))
                    // TLS joins when the address is known to lead to another process.
                    .option(ChannelOption.AUTO_READ, false)
                    .handler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel created) {}
                    })
                    .connect(new InetSocketAddress(address, port));
            channel = future.channel();
            future.addListener(_ -> {
                if (over) {
                    ChannelFuture unused = future.channel().close();
                } else if (!future.isSuccess()) {
                    fail(Failures.ofConnect(future.cause(), peerText));
                } else {
                    connected(future.channel());
                }
            });
        }

        private void connected(Channel open) {
            if (open.localAddress().equals(open.remoteAddress())) {
                // Nobody listens, and the kernel chose the very port as the local one: TCP connected to itself.
                ChannelFuture unused = open.close();
                fail(new CloseReason.ConnectRefused(peerText + " does not listen: connected to itself"));
                return;
            }
            over = true;
            SslHandler tls = options.tls().clientHandler(open.alloc());
            tls.setHandshakeTimeout(options.limits().handshakeTimeoutMillis(), TimeUnit.MILLISECONDS);
            ChannelConnection started = new ChannelConnection(
                    options,
                    open,
                    tls,
                    Handshake.connecting(options.self(), expected, handler),
                    host + ":" + port,
                    () -> {});
            connection = started;
            started.begin();
            open.pipeline().addLast(tls, started);
            open.config().setAutoRead(true);
        }

        private void fail(CloseReason reason) {
            if (over) {
                return;
            }
            over = true;
            options.counters().ended(reason);
            Failures.log(reason, host + ":" + port, false, true);
            handler.connectFailed(reason);
        }

        @Override
        public void cancel() {
            loop.execute(() -> {
                ChannelConnection started = connection;
                if (started != null) {
                    started.cancel();
                    return;
                }
                // First the reason: closing completes the connect future, which knows only that the channel ended.
                fail(new CloseReason.ClosedHere("the attempt to reach " + peerText + " was cancelled"));
                Channel connecting = channel;
                if (connecting != null) {
                    ChannelFuture unused = connecting.close();
                }
            });
        }
    }
}
