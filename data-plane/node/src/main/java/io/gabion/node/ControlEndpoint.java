package io.gabion.node;

import io.gabion.protocol.control.Callers;
import io.gabion.protocol.control.ControlServers;
import io.gabion.protocol.control.ControlTls;
import io.grpc.BindableService;
import io.grpc.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * The control interface of a node. A server keeps the certificate that it was started with, so it is started anew when the
 * certificate was renewed; callers try again. Safe for any thread.
 */
final class ControlEndpoint implements AutoCloseable {
    private static final long END_SECONDS = 2;

    private final NodeOptions options;
    private final List<BindableService> services;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final int port;
    // Guarded by this.
    private Server server;
    private boolean closed;

    ControlEndpoint(NodeOptions options, ControlTls tls, List<BindableService> services) throws IOException {
        this.options = options;
        this.services = List.copyOf(services);
        this.server = start(tls, options.controlListen());
        this.port = server.getPort();
    }

    private Server start(ControlTls tls, InetSocketAddress listen) throws IOException {
        return ControlServers.startSecure(listen, tls, Callers.OF_STORAGE_NODES, threads, services);
    }

    int port() {
        return port;
    }

    /** Uses the certificate files as they are now. May be tried again when it failed. */
    synchronized void reload() throws IOException, InterruptedException {
        if (closed) {
            return;
        }
        ControlTls renewed = ControlTls.load(options.cluster(), options.certificate(), options.key(), options.ca());
        server.shutdownNow();
        if (!server.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
            throw new IOException("the control interface with the old certificate does not end");
        }
        server = start(renewed, new InetSocketAddress(options.controlListen().getAddress(), port));
    }

    @Override
    public synchronized void close() {
        closed = true;
        server.shutdownNow();
        threads.shutdown();
    }
}
