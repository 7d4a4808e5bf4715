package io.gabion.protocol.control;

import io.gabion.protocol.control.ControlChannels.UnixLoops;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** Servers of the control interfaces. Services run on the executor given; virtual threads suit blocking ones. */
public final class ControlServers {
    /** Clients keep alive every {@link ControlChannels#KEEP_ALIVE_SECONDS}; half of it leaves room for jitter. */
    private static final int PERMITTED_KEEP_ALIVE_SECONDS = ControlChannels.KEEP_ALIVE_SECONDS / 2;

    private ControlServers() {}

    /**
     * Starts a server under mutual TLS that answers callers of this cluster with one of {@code clientRoles}; services find
     * the caller under {@link ControlTls#PEER}. Throws {@link IOException} that names the address when it is in use.
     */
    public static Server startSecure(
            InetSocketAddress listen,
            ControlTls tls,
            Set<ControlRole> clientRoles,
            Executor executor,
            List<? extends BindableService> services)
            throws IOException {
        return startSecure(listen, tls, Callers.of(clientRoles), executor, services);
    }

    /** Starts such a server that answers {@code callers}, some of them not everything. */
    public static Server startSecure(
            InetSocketAddress listen,
            ControlTls tls,
            Callers callers,
            Executor executor,
            List<? extends BindableService> services)
            throws IOException {
        NettyServerBuilder builder = NettyServerBuilder.forAddress(listen)
                .sslContext(tls.serverContext())
                .intercept(new IdentityInterceptor(tls.cluster(), callers))
                .executor(executor)
                .maxInboundMessageSize(ControlChannels.MAX_MESSAGE_BYTES)
                .permitKeepAliveTime(PERMITTED_KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true);
        services.forEach(builder::addService);
        try {
            return builder.build().start();
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen on " + listen.getAddress().getHostAddress() + ":" + listen.getPort() + ": "
                            + reason(e) + " (stop the process that uses the port, or choose another one)",
                    e);
        }
    }

    /**
     * Starts a server on a Unix socket that only this user may use (0600). A file left there by an earlier process is
     * replaced. No identity is under {@link ControlTls#PEER}; whoever may open the socket may do everything.
     */
    public static Server startOnUnixSocket(Path socket, Executor executor, List<? extends BindableService> services)
            throws IOException {
        Path target = socket.toAbsolutePath();
        Path parent = target.getParent();
        if (parent == null) {
            throw new IOException("socket " + target + " has no directory");
        }
        // Bound in a private directory and moved, so that at no moment anybody else could connect.
        Path hidden = Files.createTempDirectory(
                parent, ".s", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path bound = hidden.resolve("s");
        try {
            NettyServerBuilder builder = NettyServerBuilder.forAddress(new DomainSocketAddress(bound.toString()))
                    .bossEventLoopGroup(UnixLoops.GROUP)
                    .workerEventLoopGroup(UnixLoops.GROUP)
                    .channelType(EpollServerDomainSocketChannel.class)
                    .executor(executor)
                    .maxInboundMessageSize(ControlChannels.MAX_MESSAGE_BYTES);
            services.forEach(builder::addService);
            Server server = builder.build().start();
            Files.setPosixFilePermissions(bound, PosixFilePermissions.fromString("rw-------"));
            Files.move(bound, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return server;
        } catch (IOException e) {
            throw new IOException("cannot listen on the Unix socket " + target + ": " + reason(e), e);
        } finally {
            Files.deleteIfExists(bound);
            Files.deleteIfExists(hidden);
        }
    }

    private static String reason(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException && cause.getMessage() != null) {
                return cause.getMessage();
            }
        }
        Throwable last = e.getCause() == null ? e : e.getCause();
        return String.valueOf(last.getMessage());
    }
}
