package io.gabion.csi;

import static org.assertj.core.api.Assertions.assertThat;

import csi.v1.GetPluginCapabilitiesRequest;
import csi.v1.GetPluginInfoRequest;
import csi.v1.IdentityGrpc;
import csi.v1.IdentityGrpc.IdentityBlockingStub;
import csi.v1.PluginCapability;
import csi.v1.ProbeRequest;
import io.gabion.csi.fake.TestDriver;
import io.gabion.csi.health.BoundedProbe;
import io.gabion.protocol.control.ControlChannels;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pluginregistration.v1.InfoRequest;
import pluginregistration.v1.PluginInfo;
import pluginregistration.v1.RegistrationGrpc;
import pluginregistration.v1.RegistrationGrpc.RegistrationBlockingStub;
import pluginregistration.v1.RegistrationStatus;

/** The process: identity, registration with the kubelet, health and metrics. */
final class CsiProcessTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int OK = 200;
    private static final int UNAVAILABLE = 503;

    @TempDir
    private Path directory = Path.of("");

    private TestDriver driver;
    private ManagedChannel kubelet;
    private HttpClient http;

    @BeforeEach
    void start() throws IOException {
        driver = new TestDriver(directory, true);
        kubelet = ControlChannels.unixSocket(driver.registrationSocket);
        http = HttpClient.newHttpClient();
    }

    @AfterEach
    void stop() {
        http.close();
        kubelet.shutdownNow();
        driver.close();
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return get(driver.httpPort(), path);
    }

    private HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .timeout(LIMIT)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void theDriverNamesItselfAndWhatItOffers() {
        IdentityBlockingStub identity = IdentityGrpc.newBlockingStub(driver.channel());

        assertThat(identity.getPluginInfo(GetPluginInfoRequest.getDefaultInstance())
                        .getName())
                .isEqualTo("csi.gabion.io")
                .matches("[a-zA-Z][A-Za-z0-9-._]{0,61}[a-zA-Z]");
        assertThat(identity.getPluginCapabilities(GetPluginCapabilitiesRequest.getDefaultInstance())
                        .getCapabilitiesList())
                .extracting(c -> c.hasService()
                        ? c.getService().getType().name()
                        : c.getVolumeExpansion().getType().name())
                .containsExactlyInAnyOrder(
                        PluginCapability.Service.Type.CONTROLLER_SERVICE.name(),
                        PluginCapability.Service.Type.VOLUME_ACCESSIBILITY_CONSTRAINTS.name(),
                        PluginCapability.VolumeExpansion.Type.ONLINE.name());
    }

    @Test
    void theKubeletFindsTheDriverAndARefusalOfItCallsForARestart() throws Exception {
        RegistrationBlockingStub registration = RegistrationGrpc.newBlockingStub(kubelet);
        PluginInfo info = registration.getInfo(InfoRequest.getDefaultInstance());
        assertThat(info.getType()).isEqualTo("CSIPlugin");
        assertThat(info.getName()).isEqualTo("csi.gabion.io");
        assertThat(info.getEndpoint()).isEqualTo(driver.socket.toString());
        assertThat(info.getSupportedVersionsList()).containsExactly("1.0.0");
        var unused = registration.notifyRegistrationStatus(
                RegistrationStatus.newBuilder().setPluginRegistered(true).build());
        assertThat(get("/healthz").statusCode()).isEqualTo(OK);

        unused = registration.notifyRegistrationStatus(
                RegistrationStatus.newBuilder().setError("topology changed").build());
        assertThat(get("/healthz").statusCode()).isEqualTo(UNAVAILABLE);
        assertThat(get("/healthz").body()).isEqualTo("the kubelet refused the driver: topology changed\n");
    }

    @Test
    void aSocketThatSomebodyRemovedCallsForARestart() throws Exception {
        Files.delete(driver.registrationSocket);

        assertThat(get("/healthz").body()).contains("reg.sock was removed");
    }

    @Test
    void aClusterOrAnAgentThatIsAwayIsNoReasonForARestart() throws Exception {
        IdentityBlockingStub identity = IdentityGrpc.newBlockingStub(driver.channel());
        assertThat(get("/readyz").body()).isEqualTo("ok\n");
        assertThat(identity.probe(ProbeRequest.getDefaultInstance()).getReady().getValue())
                .isTrue();

        driver.agent.setReachable(false);
        assertThat(get("/readyz").statusCode()).isEqualTo(UNAVAILABLE);
        assertThat(get("/readyz").body()).isEqualTo("the agent does not answer\n");
        assertThat(identity.probe(ProbeRequest.getDefaultInstance()).getReady().getValue())
                .isFalse();
        assertThat(get("/healthz").statusCode()).isEqualTo(OK);

        driver.agent.setReachable(true);
        driver.volumes.setReachable(false);
        assertThat(get("/readyz").body()).isEqualTo("the API server cannot be reached\n");
    }

    @Test
    void aDriverThatWaitsForItsClusterIsAliveAndSaysWhatItWaitsFor() throws Exception {
        CountDownLatch cluster = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(1);
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Thread waiting = Thread.ofVirtual().start(() -> {
            try {
                CsiProcess.start(driver.nodeOptions("waiting", port), waitingFor -> {
                    waitingFor.accept("cannot read node");
                    asked.countDown();
                    awaitQuietly(cluster);
                    throw new IOException("the test is over");
                });
            } catch (IOException e) {
                assertThat(e).hasMessage("the test is over");
            }
        });
        assertThat(asked.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();

        assertThat(get(port, "/healthz").statusCode()).isEqualTo(OK);
        assertThat(get(port, "/readyz").statusCode()).isEqualTo(UNAVAILABLE);
        assertThat(get(port, "/readyz").body()).isEqualTo("starting: cannot read node\n");
        cluster.countDown();
        assertThat(waiting.join(LIMIT)).isTrue();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aQuestionThatIsNotAnsweredHoldsNoProbe() throws Exception {
        CountDownLatch answer = new CountDownLatch(1);
        AtomicInteger asked = new AtomicInteger();
        BoundedProbe readiness = new BoundedProbe("somebody", () -> {
            asked.incrementAndGet();
            awaitQuietly(answer);
        });

        assertThat(readiness.obstacle()).contains("somebody does not answer within 2 s");
        assertThat(readiness.obstacle()).isPresent();
        assertThat(asked).hasValue(1);
        answer.countDown();
        assertThat(readiness.obstacle()).isEmpty();
    }

    @Test
    void warmingUpNeedsNoClusterAndLeavesNothing() throws Exception {
        WarmUp.run();
    }

    @Test
    void metricsTellWhatRunsAndEveryCall() throws Exception {
        var unused = IdentityGrpc.newBlockingStub(driver.channel()).probe(ProbeRequest.getDefaultInstance());

        assertThat(get("/metrics").body())
                .contains("gabion_build_info{")
                .contains("process=\"csi-all\"")
                .contains("gabion_csi_calls_total{code=\"OK\",method=\"Probe\"} 1")
                .contains("gabion_csi_call_seconds_bucket{method=\"Probe\"")
                .contains("gabion_csi_host_commands_stuck 0")
                .contains("jvm_memory_used_bytes");
    }
}
