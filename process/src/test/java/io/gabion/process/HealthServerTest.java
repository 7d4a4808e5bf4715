package io.gabion.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
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
    void anAddressInUseIsNamed() {
        InetSocketAddress taken = new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port());
        assertThatThrownBy(() -> HealthServer.start(taken, new PrometheusRegistry(), Probe.FINE, Probe.FINE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(Integer.toString(server.port()));
    }
}
