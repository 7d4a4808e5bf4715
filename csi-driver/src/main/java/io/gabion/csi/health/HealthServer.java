package io.gabion.csi.health;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.prometheus.metrics.exporter.httpserver.MetricsHandler;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * One port for probes and scrapes: {@code /healthz} (would a restart help?), {@code /readyz} (can it work now?) and
 * {@code /metrics}.
 */
public final class HealthServer implements AutoCloseable {
    private static final int BACKLOG = 16;
    private static final int THREADS = 4;
    private static final int OK = 200;
    private static final int UNAVAILABLE = 503;

    private final HttpServer server;
    private final ExecutorService threads;

    private HealthServer(HttpServer server, ExecutorService threads) {
        this.server = server;
        this.threads = threads;
    }

    /** Throws {@link IOException} that names the address when it cannot be had. */
    public static HealthServer start(
            InetSocketAddress listen, PrometheusRegistry registry, Readiness alive, Readiness ready)
            throws IOException {
        HttpServer server;
        try {
            server = HttpServer.create(listen, BACKLOG);
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen for metrics on " + listen.getHostString() + ":" + listen.getPort() + ": "
                            + e.getMessage() + " (stop the process that uses the port, or choose another one)",
                    e);
        }
        ExecutorService threads = Executors.newFixedThreadPool(
                THREADS, Thread.ofPlatform().daemon().name("health-", 0).factory());
        server.setExecutor(threads);
        server.createContext("/metrics", new MetricsHandler(registry));
        server.createContext("/healthz", exchange -> answer(exchange, alive));
        server.createContext("/readyz", exchange -> answer(exchange, ready));
        server.start();
        return new HealthServer(server, threads);
    }

    public int port() {
        return server.getAddress().getPort();
    }

    private static void answer(HttpExchange exchange, Readiness readiness) throws IOException {
        try (exchange) {
            Optional<String> problem = readiness.problem();
            byte[] body = (problem.orElse("ok") + "\n").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(problem.isEmpty() ? OK : UNAVAILABLE, body.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
