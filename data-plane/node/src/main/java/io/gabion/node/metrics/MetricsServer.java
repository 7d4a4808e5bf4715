package io.gabion.node.metrics;

import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;

/** Answers scrapes over plain HTTP; what it tells is no secret and it changes nothing. */
public final class MetricsServer implements AutoCloseable {
    private final HTTPServer server;

    private MetricsServer(HTTPServer server) {
        this.server = server;
    }

    /** Throws {@link IOException} that names the address when it cannot be had. */
    public static MetricsServer start(InetSocketAddress listen, PrometheusRegistry registry) throws IOException {
        try {
            return new MetricsServer(HTTPServer.builder()
                    .inetAddress(listen.getAddress())
                    .port(listen.getPort())
                    .registry(registry)
                    .buildAndStart());
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen for metrics on " + listen.getHostString() + ":" + listen.getPort() + ": "
                            + e.getMessage() + " (stop the process that uses the port, or choose another one)",
                    e);
        }
    }

    public int port() {
        return server.getPort();
    }

    @Override
    public void close() {
        server.close();
    }
}
