package io.gabion.node.metrics;

import com.sun.net.httpserver.HttpExchange;
import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/**
 * Answers scrapes and probes over plain HTTP; what it tells is no secret and it changes nothing.
 *
 * <ul>
 *   <li>{@code /metrics}
 *   <li>{@code /healthz}: 200 while the process answers at all; never depends on others
 *   <li>{@code /readyz}: 200 when the node serves, else 503 with the reason
 * </ul>
 */
public final class MetricsServer implements AutoCloseable {
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final int UNAVAILABLE = 503;

    private final HTTPServer server;

    private MetricsServer(HTTPServer server) {
        this.server = server;
    }

    /** Throws {@link IOException} that names the address when it cannot be had. */
    public static MetricsServer start(InetSocketAddress listen, PrometheusRegistry registry, Readiness readiness)
            throws IOException {
        try {
            return new MetricsServer(HTTPServer.builder()
                    .inetAddress(listen.getAddress())
                    .port(listen.getPort())
                    .registry(registry)
                    .defaultHandler(exchange -> answer(exchange, readiness))
                    .buildAndStart());
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen for metrics on " + listen.getHostString() + ":" + listen.getPort() + ": "
                            + e.getMessage() + " (stop the process that uses the port, or choose another one)",
                    e);
        }
    }

    private static void answer(HttpExchange exchange, Readiness readiness) throws IOException {
        try (exchange) {
            switch (exchange.getRequestURI().getPath()) {
                case "/healthz" -> send(exchange, OK, "ok");
                case "/readyz" ->
                    send(
                            exchange,
                            readiness.obstacle().isEmpty() ? OK : UNAVAILABLE,
                            readiness.obstacle().orElse("ok"));
                default -> send(exchange, NOT_FOUND, "there are /metrics, /healthz and /readyz");
            }
        }
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = (text + "\n").getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }

    public int port() {
        return server.getPort();
    }

    @Override
    public void close() {
        server.close();
    }
}
