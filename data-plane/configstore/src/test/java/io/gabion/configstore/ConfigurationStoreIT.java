package io.gabion.configstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlCodec;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.HostPort;
import io.gabion.protocol.control.TestCertificates;
import io.gabion.protocol.control.v1.ConfigurationStoreGrpc;
import io.gabion.protocol.control.v1.GetVolumeRequest;
import io.gabion.protocol.control.v1.ListVolumesRequest;
import io.gabion.protocol.control.v1.RemoveVolumeRequest;
import io.gabion.protocol.control.v1.SwapResult;
import io.gabion.protocol.control.v1.SwapVolumeRequest;
import io.gabion.protocol.control.v1.SwapVolumeResponse;
import io.gabion.protocol.control.v1.VolumeChange;
import io.gabion.protocol.control.v1.WatchVolumesRequest;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationStoreIT {
    @TempDir
    Path directory;

    private final List<ManagedChannel> channels = new ArrayList<>();
    private TestCertificates certificates;
    private ConfigurationStoreServer server;

    @BeforeEach
    void start() throws IOException {
        certificates = TestCertificates.create(directory.resolve("tls"), TestRecords.CLUSTER);
        startServer();
    }

    @AfterEach
    void stop() {
        channels.forEach(ManagedChannel::shutdownNow);
        server.close();
    }

    @Test
    void exactlyOneOfManyRivalsWinsEachVersion() throws Exception {
        var operator = stub(ControlRole.OPERATOR, "ops");
        VolumeRecord volume = TestRecords.volume("data", "n1");
        assertThat(swap(operator, 0, volume).getResult()).isEqualTo(SwapResult.SWAP_RESULT_WON);
        int rivals = 8;
        int rounds = 50;
        AtomicInteger won = new AtomicInteger();
        try (ExecutorService pool = Executors.newFixedThreadPool(rivals)) {
            List<Callable<Integer>> tasks = new ArrayList<>();
            for (int i = 0; i < rivals; i++) {
                String writer = "rival-" + i;
                tasks.add(() -> {
                    int mine = 0;
                    while (mine < rounds) {
                        VolumeRecord now = get(operator, volume);
                        VolumeRecord next = now.withConfig(now.config().withNextVersion(writer + "/" + mine));
                        SwapVolumeResponse answer = swap(operator, now.config().version(), next);
                        if (answer.getResult() == SwapResult.SWAP_RESULT_WON) {
                            mine++;
                            won.incrementAndGet();
                        } else {
                            assertThat(answer.getRecord().getConfig().getVersion())
                                    .isGreaterThan(now.config().version());
                        }
                    }
                    return mine;
                });
            }
            for (Future<Integer> done : pool.invokeAll(tasks)) {
                assertThat(done.get()).isEqualTo(rounds);
            }
        }
        assertThat(get(operator, volume).config().version()).isEqualTo(1L + won.get());
        server.close();
        startServer();
        assertThat(get(stub(ControlRole.OPERATOR, "ops"), volume).config().version())
                .isEqualTo(1L + won.get());
    }

    @Test
    void aWatchSendsWhatStandsThenEveryChangeOfItsNode() throws IOException {
        var operator = stub(ControlRole.OPERATOR, "ops");
        VolumeRecord mine = TestRecords.volume("mine", "n1", "n2");
        swap(operator, 0, mine);
        swap(operator, 0, TestRecords.volume("other", "n3"));
        Iterator<VolumeChange> watch = stub(ControlRole.NODE, "n1")
                .watchVolumes(WatchVolumesRequest.newBuilder().setNode("n1").build());
        assertThat(watch.next().getRecord().getId()).isEqualTo(mine.id().toString());
        assertThat(watch.next().getInitialListComplete()).isTrue();
        VolumeRecord deleting = mine.withDeleting("ops/1");
        swap(operator, 1, deleting);
        VolumeRecord empty = deleting.withPlacement(List.of(), List.of(), "ops/2");
        swap(operator, 2, empty);
        operator.removeVolume(RemoveVolumeRequest.newBuilder()
                .setId(mine.id().toString())
                .setExpectedVersion(3)
                .build());
        assertThat(watch.next().getRecord().getDeleting()).isTrue();
        assertThat(watch.next().getRecord().getPlacementCount()).isZero();
        assertThat(watch.next().getRemoved()).isTrue();
    }

    @Test
    void agentsAreRefusedAndInvalidRecordsNamed() throws IOException {
        var agent = stub(ControlRole.AGENT, "consumer");
        assertThatThrownBy(() -> agent.listVolumes(ListVolumesRequest.getDefaultInstance()))
                .hasMessageContaining("PERMISSION_DENIED");
        var operator = stub(ControlRole.OPERATOR, "ops");
        assertThatThrownBy(() -> operator.swapVolume(SwapVolumeRequest.getDefaultInstance()))
                .hasMessageContaining("INVALID_ARGUMENT")
                .hasMessageContaining("spec: missing");
        assertThatThrownBy(() -> operator.getVolume(
                        GetVolumeRequest.newBuilder().setId("nonsense").build()))
                .hasMessageContaining("nonsense");
        VolumeRecord volume = TestRecords.volume("data", "n1");
        swap(operator, 0, volume);
        var stranger = stub(ControlRole.NODE, "n9");
        assertThatThrownBy(() ->
                        swap(stranger, 1, volume.withConfig(volume.config().withNextVersion("n9/1"))))
                .hasMessageContaining("/node/n9 may not");
    }

    @Test
    void theMetricsEndpointCountsAndBindsToLoopbackOnly() throws Exception {
        var operator = stub(ControlRole.OPERATOR, "ops");
        swap(operator, 0, TestRecords.volume("data", "n1"));
        swap(operator, 0, TestRecords.volume("data", "n1"));
        URI uri = URI.create("http://127.0.0.1:" + server.metricsPort().orElseThrow() + "/metrics");
        String text;
        try (HttpClient client = HttpClient.newHttpClient()) {
            text = client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                    .body();
        }
        assertThat(text)
                .contains("gabion_configuration_store_swaps_total{result=\"won\"} 1.0")
                .contains("gabion_configuration_store_swaps_total{result=\"refused\"} 1.0")
                .contains("gabion_configuration_store_sync_seconds_count 1")
                .contains("gabion_configuration_store_records{kind=\"volume\"} 1.0")
                .contains("gabion_build_info")
                .contains("jvm_");
        assertThatThrownBy(() -> ConfigurationStoreServer.start(
                        directory.resolve("second"),
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        Optional.of(new HostPort("0.0.0.0", 0)),
                        certificates.issue(ControlRole.CONFIGURATION_STORE, "store"),
                        () -> {}))
                .hasMessageContaining("loopback");
    }

    private void startServer() throws IOException {
        server = ConfigurationStoreServer.start(
                directory.resolve("data"),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Optional.of(new HostPort("127.0.0.1", 0)),
                certificates.issue(ControlRole.CONFIGURATION_STORE, "store"),
                () -> {});
    }

    private ConfigurationStoreGrpc.ConfigurationStoreBlockingStub stub(ControlRole role, String name)
            throws IOException {
        ManagedChannel channel = ControlChannels.secure(
                "127.0.0.1", server.port(), certificates.issue(role, name), Set.of(ControlRole.CONFIGURATION_STORE));
        channels.add(channel);
        return ConfigurationStoreGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
    }

    private static SwapVolumeResponse swap(
            ConfigurationStoreGrpc.ConfigurationStoreBlockingStub stub, long expected, VolumeRecord next) {
        return stub.swapVolume(SwapVolumeRequest.newBuilder()
                .setExpectedVersion(expected)
                .setNext(ControlCodec.toProto(next))
                .build());
    }

    private static VolumeRecord get(ConfigurationStoreGrpc.ConfigurationStoreBlockingStub stub, VolumeRecord volume) {
        return ControlCodec.fromProto(stub.getVolume(GetVolumeRequest.newBuilder()
                        .setId(volume.id().toString())
                        .build())
                .getRecord());
    }
}
