package io.gabion.agent.nbd;

import static java.util.Objects.requireNonNull;

import io.gabion.wire.Backend;
import io.gabion.wire.EventLoops;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * NBD server: fixed newstyle on a Unix socket that only this user may open, and on TCP with mutual TLS where asked for. Serves
 * what is in the {@link ExportTable}. Thread-safe; the listen methods block until bound.
 */
public final class NbdServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NbdServer.class);
    /** Bounds sockets and buffers; payloads are bounded by the {@link PayloadBudget}. */
    private static final int MAX_CONNECTIONS = 256;
    /** The longest that a Unix socket's address may be on Linux, without the final zero. */
    private static final int MAX_SOCKET_PATH_BYTES = 107;

    /** Keeps the private directory, in which a socket is made, short. */
    private static final int HIDDEN_NAMES = 100_000;

    private static final int READ_BUFFER_MIN_BYTES = 4 * 1024;
    private static final int READ_BUFFER_FIRST_BYTES = 16 * 1024;
    /** About what a Unix socket holds; payloads that lie in one buffer are not copied. */
    private static final int READ_BUFFER_MAX_BYTES = 256 * 1024;
    /** A client that leaves so much unread is not read from. */
    private static final int WRITE_HIGH_WATER_BYTES = 8 * 1024 * 1024;

    private static final int WRITE_LOW_WATER_BYTES = 2 * 1024 * 1024;

    private final EventLoops loops;
    private final ExportTable exports;
    private final boolean listExports;
    private final PayloadBudget budget;
    private final List<Channel> listening = new ArrayList<>();
    private final List<Path> socketFiles = new ArrayList<>();
    private final ChannelGroup connections = new DefaultChannelGroup("nbd", GlobalEventExecutor.INSTANCE, true);

    /**
     * @param listExports answer NBD_OPT_LIST; off, clients must know the name
     */
    public NbdServer(EventLoops loops, ExportTable exports, boolean listExports) {
        this(loops, exports, listExports, PayloadBudget.ofThisProcess());
    }

    NbdServer(EventLoops loops, ExportTable exports, boolean listExports, PayloadBudget budget) {
        this.loops = requireNonNull(loops, "loops is null");
        this.exports = requireNonNull(exports, "exports is null");
        this.listExports = listExports;
        this.budget = budget;
    }

    /**
     * Listens on a Unix socket with mode 0600. A file that nobody listens on any more is replaced.
     *
     * @throws IOException naming the path, when somebody listens there already or it cannot be made
     */
    public synchronized void listenUnix(Path socket) throws IOException {
        Path target = socket.toAbsolutePath();
        // Bound in a private directory and moved, so that at no moment anybody else could connect.
        Path hidden = target.resolveSibling(".n" + ProcessHandle.current().pid() % HIDDEN_NAMES);
        Path bound = hidden.resolve("s");
        for (Path path : List.of(target, bound)) {
            if (path.toString().getBytes(StandardCharsets.UTF_8).length > MAX_SOCKET_PATH_BYTES) {
                throw new IOException("socket path " + path + " is longer than the " + MAX_SOCKET_PATH_BYTES
                        + " bytes that Linux takes: choose a shorter directory");
            }
        }
        if (isAnswered(target)) {
            throw new IOException("socket " + target + " is in use by another process");
        }
        Files.deleteIfExists(bound);
        Files.deleteIfExists(hidden);
        Files.createDirectory(
                hidden, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try {
            SocketAddress address = loops.backend() == Backend.NIO
                    ? UnixDomainSocketAddress.of(bound)
                    : new DomainSocketAddress(bound.toString());
            listening.add(bind(loops.serverDomainSocketClass(), address, null));
            Files.setPosixFilePermissions(bound, PosixFilePermissions.fromString("rw-------"));
            Files.move(bound, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            socketFiles.add(target);
        } finally {
            Files.deleteIfExists(bound);
            Files.deleteIfExists(hidden);
        }
        LOG.info("NBD on {}", target);
    }

    /**
     * Listens on TCP; clients must use STARTTLS.
     *
     * @return where it listens, with the port chosen where 0 was asked for
     * @throws IOException naming the address when it cannot be had
     */
    public synchronized InetSocketAddress listenTcp(InetSocketAddress address, SslContext tls) throws IOException {
        Channel channel = bind(loops.serverSocketClass(), address, requireNonNull(tls, "tls is null"));
        listening.add(channel);
        LOG.info("NBD with TLS on {}", channel.localAddress());
        return (InetSocketAddress) channel.localAddress();
    }

    private static boolean isAnswered(Path socket) {
        if (!Files.exists(socket)) {
            return false;
        }
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return probe.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException nobodyThere) {
            return false;
        }
    }

    private Channel bind(Class<? extends ServerChannel> type, SocketAddress address, @Nullable SslContext tls)
            throws IOException {
        ChannelFuture bound = new ServerBootstrap()
                .group(loops.netty())
                .channel(type)
                .childOption(
                        ChannelOption.RECVBUF_ALLOCATOR,
                        new AdaptiveRecvByteBufAllocator(
                                READ_BUFFER_MIN_BYTES, READ_BUFFER_FIRST_BYTES, READ_BUFFER_MAX_BYTES))
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(WRITE_LOW_WATER_BYTES, WRITE_HIGH_WATER_BYTES))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel, tls);
                    }

                    @Override
                    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                        LOG.warn("NBD connection refused: {}", cause.toString());
                        var _ = ctx.close();
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        Throwable failure = bound.cause();
        if (failure != null) {
            throw new IOException(
                    "cannot listen on " + address + " for NBD: " + failure.getMessage()
                            + " (stop the process that uses it, or choose another one)",
                    failure);
        }
        return bound.channel();
    }

    private void accept(Channel channel, @Nullable SslContext tls) {
        if (connections.size() >= MAX_CONNECTIONS) {
            LOG.warn("NBD connection refused: {} are open already", MAX_CONNECTIONS);
            var _ = channel.close();
            return;
        }
        connections.add(channel);
        if (channel.remoteAddress() instanceof InetSocketAddress) {
            channel.config().setOption(ChannelOption.TCP_NODELAY, true);
        }
        channel.pipeline().addLast("negotiation", new Negotiation(exports, budget, listExports, tls));
    }

    /** Open connections, also those that still negotiate. */
    public int connectionCount() {
        return connections.size();
    }

    /** Closes all connections to an export that was removed; what they have under way gets no reply. */
    public void closeConnections(BlockExport export) {
        for (Channel channel : connections) {
            Transmission transmission = channel.pipeline().get(Transmission.class);
            if (transmission != null && transmission.export() == export) {
                var _ = channel.close();
            }
        }
    }

    /** Stops listening and closes all connections. */
    @Override
    public synchronized void close() {
        for (Channel channel : listening) {
            channel.close().awaitUninterruptibly();
        }
        listening.clear();
        for (Path file : socketFiles) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException e) {
                LOG.warn("cannot remove socket {}: {}", file, e.toString());
            }
        }
        socketFiles.clear();
        connections.close().awaitUninterruptibly();
    }
}
