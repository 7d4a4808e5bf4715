package io.gabion.node.kubernetes;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.internal.SSLUtils;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * Stands between the adapter and a real API server and does what a network and a busy server do: loses requests and replies,
 * answers with errors, ends watches. Speaks plain HTTP to the adapter, so watches are streams, not web sockets.
 */
final class ApiProxy implements AutoCloseable {
    private static final String GONE = """
            {"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410,\
            "message":"too old resource version"}}
            """;

    /** Within which a client opens a watch again that has ended. */
    private static final Duration REOPENED = Duration.ofSeconds(30);

    private final HttpClient upstream;
    private final URI target;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Set<InputStream> watches = ConcurrentHashMap.newKeySet();
    private final List<String> seen = new CopyOnWriteArrayList<>();
    private volatile CountDownLatch watchesToExpire = new CountDownLatch(0);
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Weather weather = new Weather.Fair();
    private volatile UnaryOperator<String> onPatched = UnaryOperator.identity();
    private volatile HttpServer server;
    private final int port;

    /** What happens to the requests that are no watches. */
    sealed interface Weather {
        record Fair() implements Weather {}

        /** The API server does what is asked, and the connection is lost before it can say so. */
        record RepliesLost() implements Weather {}

        /** Nothing arrives and nothing comes back. */
        record Silent() implements Weather {}

        /** Nothing is done. */
        record Failing(int status) implements Weather {}
    }

    ApiProxy(KubernetesClient administrator) throws Exception {
        Config config = administrator.getConfiguration();
        this.target = URI.create(config.getMasterUrl());
        this.upstream = HttpClient.newBuilder()
                .sslContext(SSLUtils.sslContext(config))
                .version(HttpClient.Version.HTTP_1_1)
                .build();
        this.server = listen(0);
        this.port = server.getAddress().getPort();
    }

    private HttpServer listen(int onPort) throws IOException {
        HttpServer made = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), onPort), 0);
        made.setExecutor(threads);
        made.createContext("/", this::answer);
        made.start();
        return made;
    }

    /** For a client that goes through this proxy. */
    Config config() {
        return new ConfigBuilder(Config.empty())
                .withMasterUrl("http://127.0.0.1:" + port + "/")
                .withOnlyHttpWatches(true)
                .build();
    }

    void weather(Weather next) {
        weather = next;
    }

    /** Nobody listens, and watches end. */
    void stop() {
        server.stop(0);
        endWatches();
    }

    void restart() throws IOException {
        server = listen(port);
    }

    /** Ends the open watches; the next one is told that it begins too long ago. */
    void expireWatches() {
        watchesToExpire = new CountDownLatch(watches.size());
        endWatches();
    }

    /** Waits until every watch was told; false when one was not. */
    boolean awaitToldExpired() throws InterruptedException {
        return watchesToExpire.await(REOPENED.toSeconds(), TimeUnit.SECONDS);
    }

    /** Changes what the adapter reads in the answers to patches. */
    void tamper(UnaryOperator<String> change) {
        onPatched = change;
    }

    private void endWatches() {
        for (InputStream watch : watches) {
            try {
                watch.close();
            } catch (IOException e) {
                // Ended by itself.
            }
        }
    }

    /** Requests of this method since the last call of {@link #forget()}. */
    long count(String method) {
        return seen.stream().filter(method::equals).count();
    }

    void forget() {
        seen.clear();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            boolean watch = Objects.requireNonNullElse(exchange.getRequestURI().getQuery(), "")
                    .contains("watch=true");
            if (watch) {
                watch(exchange);
                return;
            }
            seen.add(exchange.getRequestMethod());
            switch (weather) {
                case Weather.Fair() -> reply(exchange, forward(exchange, body));
                case Weather.RepliesLost() -> forward(exchange, body);
                case Weather.Silent() -> closed.await();
                case Weather.Failing(int status) -> send(exchange, status, "{}".getBytes(StandardCharsets.UTF_8));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private HttpRequest.Builder request(HttpExchange exchange) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(target.resolve(exchange.getRequestURI().toString()));
        for (String name : List.of("Content-Type", "Accept")) {
            String value = exchange.getRequestHeaders().getFirst(name);
            if (value != null) {
                request.setHeader(name, value);
            }
        }
        return request;
    }

    private HttpResponse<byte[]> forward(HttpExchange exchange, byte[] body) throws IOException, InterruptedException {
        return upstream.send(
                request(exchange)
                        .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(body))
                        .build(),
                HttpResponse.BodyHandlers.ofByteArray());
    }

    private void reply(HttpExchange exchange, HttpResponse<byte[]> response) throws IOException {
        byte[] body = response.body();
        if (exchange.getRequestMethod().equals("PATCH")) {
            body = onPatched.apply(new String(body, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
        }
        send(exchange, response.statusCode(), body);
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    private synchronized boolean isToExpire() {
        CountDownLatch left = watchesToExpire;
        boolean expires = left.getCount() > 0;
        left.countDown();
        return expires;
    }

    private void watch(HttpExchange exchange) throws IOException, InterruptedException {
        if (isToExpire()) {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(GONE.getBytes(StandardCharsets.UTF_8));
            return;
        }
        HttpResponse<InputStream> response =
                upstream.send(request(exchange).GET().build(), HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream events = response.body();
                OutputStream out = exchange.getResponseBody()) {
            watches.add(events);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(response.statusCode(), 0);
            out.flush();
            byte[] buffer = new byte[1 << 16];
            for (int read = events.read(buffer); read >= 0; read = events.read(buffer)) {
                out.write(buffer, 0, read);
                out.flush();
            }
        } finally {
            watches.remove(response.body());
        }
    }

    @Override
    public void close() {
        closed.countDown();
        stop();
        threads.shutdownNow();
    }
}
