package io.gabion.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.node.configstore.ConfigurationStoreClient;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The client against the real server: what is known, what is not, and that it comes back. */
@Timeout(120)
class ConfigurationStoreClientIT {
    private static final long MIB = 1 << 20;

    @TempDir
    private Path directory;

    private Cluster cluster;
    private ConfigurationStoreClient client;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

    @BeforeEach
    void start() throws Exception {
        cluster = new Cluster(directory);
        ControlTls tls = ControlTls.load(
                cluster.id(), cluster.ca("node-n1.pem"), cluster.ca("node-n1.key"), cluster.ca("ca.pem"));
        client = new ConfigurationStoreClient(
                ControlChannels.secure("127.0.0.1", cluster.storePort(), tls, Set.of(ControlRole.CONFIGURATION_STORE)),
                "configuration store",
                new NodeName("n1"),
                timer);
    }

    @AfterEach
    void stop() {
        client.close();
        timer.shutdownNow();
        cluster.close();
    }

    private ReadOutcome read(VolumeId volume) throws Exception {
        CompletableFuture<ReadOutcome> answer = new CompletableFuture<>();
        client.read(volume, answer::complete);
        return answer.get(20, TimeUnit.SECONDS);
    }

    private SwapOutcome swap(VolumeRecord next) throws Exception {
        CompletableFuture<SwapOutcome> answer = new CompletableFuture<>();
        client.swap(next, true, answer::complete);
        return answer.get(20, TimeUnit.SECONDS);
    }

    private static VolumeRecord next(VolumeRecord record) {
        return record.withConfig(record.config()
                .withMembers(record.config().primary(), record.config().inSync(), "n1/" + UUID.randomUUID()));
    }

    @Test
    void everyOutcomeIsToldApart() throws Exception {
        assertThat(read(new VolumeId(UUID.randomUUID()))).isInstanceOf(ReadOutcome.Absent.class);
        VolumeRecord record = cluster.createVolume(MIB, new NodeName("a1"));
        assertThat(read(record.id())).isEqualTo(new ReadOutcome.Found(record));
        VolumeRecord second = next(record);
        assertThat(swap(second)).isEqualTo(new SwapOutcome.Won(second));
        assertThat(swap(next(record))).isEqualTo(new SwapOutcome.Lost(second));
        VolumeRecord wrong = second.withConfig(second.config().withSizeBytes(4096, "n1/x"));
        assertThat(swap(wrong))
                .isInstanceOfSatisfying(SwapOutcome.Refused.class, refused -> assertThat(refused.violations())
                        .contains("size never shrinks"));
    }

    @Test
    void outageMeansUnavailableReadsAndUnknownSwapsAndEndsByItself() throws Exception {
        VolumeRecord record = cluster.createVolume(MIB, new NodeName("a1"));
        assertThat(read(record.id())).isInstanceOf(ReadOutcome.Found.class);
        cluster.stopStore();
        assertThat(read(record.id())).isInstanceOf(ReadOutcome.Unavailable.class);
        assertThat(swap(next(record))).isInstanceOf(SwapOutcome.Unknown.class);
        assertThat(client.reachable()).isFalse();
        cluster.restartStore();
        long begun = System.nanoTime();
        ReadOutcome outcome = read(record.id());
        while (!(outcome instanceof ReadOutcome.Found)) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(30));
            outcome = read(record.id());
        }
        assertThat(client.reachable()).isTrue();
        assertThat(List.of(outcome)).containsExactly(new ReadOutcome.Found(record));
    }
}
