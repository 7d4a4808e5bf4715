package io.gabion.operator.metrics;

import com.sun.net.httpserver.HttpExchange;
import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Supplier;

/** {@code /metrics}, {@code /healthz} (this process works) and {@code /readyz} (it has seen the cluster). */
public final class HealthServer implements AutoCloseable {
    private final HTTPServer server;

    /**
     * Starts serving.
     *
     * @param sick why the process should be restarted; empty while it should not
     * @param obstacle what it waits for; empty when it is ready
     */
    public HealthServer(
            InetAddress address,
            int port,
            PrometheusRegistry registry,
            Supplier<Optional<String>> sick,
            Supplier<Optional<String>> obstacle)
            throws IOException {
        server = HTTPServer.builder()
                .inetAddress(address)
                .port(port)
                .registry(registry)
                .defaultHandler(exchange -> answer(exchange, sick, obstacle))
                .buildAndStart();
    }

    private static void answer(
            HttpExchange exchange, Supplier<Optional<String>> sick, Supplier<Optional<String>> obstacle)
            throws IOException {
        try (exchange) {
            switch (exchange.getRequestURI().getPath()) {
                case "/healthz" -> send(exchange, sick.get());
                case "/readyz" -> send(exchange, obstacle.get());
                default -> send(exchange, HttpURLConnection.HTTP_NOT_FOUND, "there are /metrics, /healthz and /readyz");
            }
        }
    }

    private static void send(HttpExchange exchange, Optional<String> problem) throws IOException {
        send(
                exchange,
                problem.isEmpty() ? HttpURLConnection.HTTP_OK : HttpURLConnection.HTTP_UNAVAILABLE,
                problem.orElse("ok"));
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
