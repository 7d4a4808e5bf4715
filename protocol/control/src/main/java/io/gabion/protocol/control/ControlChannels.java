package io.gabion.protocol.control;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Client channels of the control interfaces. A channel connects by itself when first used and again after every loss; the
 * caller puts a deadline on each call and shuts the channel down in the end.
 */
public final class ControlChannels {
    /** Bounds one message: about 20 000 volume records. */
    public static final int MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
    /** How soon a silent, dead connection under a watch is noticed. */
    static final int KEEP_ALIVE_SECONDS = 10;

    private static final int KEEP_ALIVE_TIMEOUT_SECONDS = 5;

    private ControlChannels() {}

    /**
     * A channel under mutual TLS to a server whose certificate names this cluster and one of {@code serverRoles}.
     *
     * @param host name or address; not compared with the certificate
     */
    public static ManagedChannel secure(String host, int port, ControlTls tls, Set<ControlRole> serverRoles)
            throws IOException {
        return NettyChannelBuilder.forAddress(host, port)
                .sslContext(tls.clientContext(serverRoles))
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
                .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .build();
    }

    /** A channel to a process of this machine; the permissions of the socket are the protection. */
    public static ManagedChannel unixSocket(Path socket) {
        return NettyChannelBuilder.forAddress(
                        new DomainSocketAddress(socket.toAbsolutePath().toString()))
                .eventLoopGroup(UnixLoops.GROUP)
                .channelType(EpollDomainSocketChannel.class, DomainSocketAddress.class)
                .usePlaintext()
                // gRPC wants an authority; an HTTP/2 one cannot hold a path.
                .overrideAuthority("localhost")
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .build();
    }

    /** Loops of Unix sockets, client and server; daemon threads, made on first use and kept. */
    static final class UnixLoops {
        /** One thread is plenty for control traffic. */
        static final EventLoopGroup GROUP =
                new EpollEventLoopGroup(1, new DefaultThreadFactory("gabion-control-unix", true));

        private UnixLoops() {}
    }
}
