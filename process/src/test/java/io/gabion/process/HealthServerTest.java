package io.gabion.process;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.process.testing.Waiting;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HealthServerTest {
    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Readiness alive = new Readiness();
    private final Readiness ready = new Readiness();
    private final HttpClient client = HttpClient.newHttpClient();
    private HealthServer server;

    @BeforeEach
    void start() throws IOException {
        server = HealthServer.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), registry, alive, ready);
    }

    @AfterEach
    void stop() {
        server.close();
        client.close();
    }

    private HttpResponse<String> get(String path) throws Exception {
        URI address = URI.create("http://127.0.0.1:" + server.port() + path);
        return client.send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofString());
    }

    @Test
    void aProbeIsAnsweredWithTheReason() throws Exception {
        assertThat(get("/readyz").statusCode()).isEqualTo(503);
        assertThat(get("/readyz").body()).isEqualTo("starting\n");
        ready.ready();
        assertThat(get("/readyz").statusCode()).isEqualTo(200);
        assertThat(get("/readyz").body()).isEqualTo("ok\n");
        assertThat(get("/healthz").statusCode()).isEqualTo(503);
        alive.ready();
        assertThat(get("/healthz").statusCode()).isEqualTo(200);
        ready.notReady("the disk is gone");
        assertThat(get("/readyz").body()).isEqualTo("the disk is gone\n");
    }

    @Test
    void scrapesTellWhatThisIs() throws Exception {
        ProcessMetrics.register(registry, "agent", "n1");
        assertThat(get("/metrics").body())
                .contains("gabion_build_info{name=\"n1\",process=\"agent\",version=\"" + BuildVersion.text() + "\"}")
                .contains("jvm_memory_used_bytes");
        assertThat(BuildVersion.text()).doesNotContain("$").isNotEqualTo("development");
    }

    @Test
    void whatElseThereIsIsSaid() throws Exception {
        assertThat(get("/other").statusCode()).isEqualTo(404);
        assertThat(get("/other").body()).contains("/readyz");
    }

    @Test
    void whoHangsUpDuringAScrapeLeavesNoStackInTheLog() throws Exception {
        List<LogRecord> said = new CopyOnWriteArrayList<>();
        Handler log = listener(said);
        Logger exporter = Logger.getLogger("io.prometheus.metrics.exporter.httpserver");
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch hungUp = new CountDownLatch(1);
        AtomicReference<Thread> scraper = new AtomicReference<>();
        GaugeWithCallback.builder()
                .name("slow")
                .callback(gauge -> {
                    asked.countDown();
                    awaitQuietly(hungUp);
                    scraper.set(Thread.currentThread());
                })
                .register(registry);
        exporter.addHandler(log);
        try {
            try (Socket scrape = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                scrape.getOutputStream().write("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(US_ASCII));
                asked.await();
                // Reset, as a client that gives up does: whatever is sent from now on fails.
                scrape.setSoLinger(true, 0);
            }
            hungUp.countDown();
            Waiting.until("the scrape ends", Duration.ofSeconds(30), () -> isIdle(scraper.get()));
        } finally {
            exporter.removeHandler(log);
        }
        assertThat(said).isEmpty();
    }

    private static boolean isIdle(@Nullable Thread scraper) {
        return scraper != null
                && (!scraper.isAlive()
                        || scraper.getState() == Thread.State.WAITING
                        || scraper.getState() == Thread.State.TIMED_WAITING);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Handler listener(List<LogRecord> said) {
        return new Handler() {
            @Override
            public void publish(LogRecord entry) {
                said.add(entry);
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
    }

    @Test
    void anAddressInUseIsNamed() {
        InetSocketAddress taken = new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port());
        assertThatThrownBy(() -> HealthServer.start(taken, new PrometheusRegistry(), Probe.FINE, Probe.FINE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(Integer.toString(server.port()));
    }
}
