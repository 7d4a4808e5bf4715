package io.gabion.node.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.node.metrics.IoMeters.IoKind;
import io.gabion.node.metrics.IoMeters.Phase;
import io.gabion.process.HealthServer;
import io.gabion.process.Probe;
import io.gabion.process.Readiness;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NodeMetricsTest {
    private static final VolumeSample VOLUME =
            new VolumeSample("v", "name", "r", "primary", 3, 2, 3, 1024, 512, 2, 128, true, 4, 1.5, 0, 0, 0);
    private static final NodeSample SAMPLE = new NodeSample(
            List.of(VOLUME),
            Map.of("n2", true, "n3", false),
            new NodeSample.DiskSample("d", 100, 50, 10, 40, 0, 1, 2, 3, 4, 5, "suspect", 1, 2, 3),
            new NodeSample.ScrubSample(65536, 1, 4096, 0),
            true,
            0,
            1,
            new NodeSample.WireSample(1, 2, 3, Map.of("reset", 4L)));

    @Test
    void everyMeterIsScrapedUnderItsName() throws Exception {
        NodeMetrics metrics = new NodeMetrics();
        metrics.describe("n1", "threads", "epoll");
        metrics.sample(() -> SAMPLE);
        metrics.io().io(IoKind.WRITE, Phase.LOCAL, 0.001);
        metrics.io().acknowledged("n2", 0.002);
        metrics.io().batchDurable(0.003);
        metrics.noticed("activated");
        metrics.snapshotTaken(1500);
        metrics.rebuildEnded("finished");
        String text;
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (HealthServer server = HealthServer.start(any, metrics.registry(), Probe.FINE, new Readiness());
                HttpClient client = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + server.port() + "/metrics");
            text = client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                    .body();
        }
        assertThat(text)
                .contains("gabion_replication_link_up{peer=\"n2\"} 1.0")
                .contains("gabion_volume_degraded_seconds_total{volume=\"v\"} 1.5")
                .contains("gabion_protocol_errors_total{reason=\"reset\"} 4.0")
                .contains("jvm_memory_used_bytes");
        for (Meter meter : Meter.values()) {
            if (meter.name().startsWith("REBUILD_")) {
                continue; // Only while a resync is under way.
            }
            assertThat(text).contains(meter.metric());
        }
    }
}
