package io.gabion.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import io.prometheus.metrics.exporter.httpserver.HttpExchangeAdapter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.logging.LogRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers scrapes and probes over plain HTTP; what it tells is no secret and it changes nothing. Its threads are daemons.
 *
 * <ul>
 *   <li>{@code /metrics}
 *   <li>{@code /healthz}: would a restart help? 200 while it would not, else 503 with the reason
 *   <li>{@code /readyz}: 200 when the process serves, else 503 with the reason
 * </ul>
 */
public final class HealthServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HealthServer.class);
    /** Of the exporter. Held, because the filter would be lost with it. */
    private static final java.util.logging.Logger SCRAPES =
            java.util.logging.Logger.getLogger(HttpExchangeAdapter.class.getName());

    static {
        SCRAPES.setFilter(HealthServer::isNews);
    }

    private final HTTPServer server;

    private HealthServer(HTTPServer server) {
        this.server = server;
    }

    /** Throws {@link IOException} that names the address when it cannot be had. */
    public static HealthServer start(InetSocketAddress listen, PrometheusRegistry registry, Probe alive, Probe ready)
            throws IOException {
        try {
            return new HealthServer(HTTPServer.builder()
                    .inetAddress(listen.getAddress())
                    .port(listen.getPort())
                    .registry(registry)
                    .defaultHandler(exchange -> answer(exchange, alive, ready))
                    .buildAndStart());
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen for metrics on " + listen.getHostString() + ":" + listen.getPort() + ": "
                            + e.getMessage() + " (stop the process that uses the port, or choose another one)",
                    e);
        }
    }

    /** That somebody hung up before the answer ended is no fault of this process, and no stack says more. */
    private static boolean isNews(LogRecord said) {
        if (said.getThrown() instanceof IOException hungUp) {
            LOG.debug("a scrape ended before its answer did: {}", hungUp.getMessage());
            return false;
        }
        return true;
    }

    private static void answer(HttpExchange exchange, Probe alive, Probe ready) throws IOException {
        try (exchange) {
            switch (exchange.getRequestURI().getPath()) {
                case "/healthz" -> send(exchange, alive.obstacle());
                case "/readyz" -> send(exchange, ready.obstacle());
                default -> send(exchange, HttpURLConnection.HTTP_NOT_FOUND, "there are /metrics, /healthz and /readyz");
            }
        }
    }

    private static void send(HttpExchange exchange, Optional<String> obstacle) throws IOException {
        send(
                exchange,
                obstacle.isEmpty() ? HttpURLConnection.HTTP_OK : HttpURLConnection.HTTP_UNAVAILABLE,
                obstacle.orElse("ok"));
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = (text + "\n").getBytes(UTF_8);
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
