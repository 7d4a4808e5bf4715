package io.gabion.faults.cluster;

import static io.gabion.faults.cluster.TestSeeds.report;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gabion.faults.check.LoadShape;
import io.gabion.faults.nbd.NbdClient;
import io.gabion.faults.nbd.NbdReply;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two of three copies are lost: the runbook of docs/recovery.md, step by step. */
@Tag("faults")
@Tag("snapshots")
@Timeout(900)
class RecoverIT {
    private static final String VOLUME = "vol1";
    private static final LoadShape LIGHT = LoadShape.MIXED.withOutstanding(4);

    @Test
    void anOldCopyBecomesTheVolumeOnlyWhenTheLossIsAccepted() throws IOException {
        long seed = TestSeeds.seed("recover");
        try (ClusterFixture cluster = ClusterFixture.start(ClusterSpec.named("recover"));
                ServedVolume volume = ServedVolume.create(cluster, VOLUME, "16MiB")) {
            volume.startLoad(LIGHT, seed);
            volume.awaitWrites(200);
            volume.stopLoad();
            assertThat(volume.client.flush().join()).isInstanceOf(NbdReply.Done.class);
            String old = Contents.sha256(volume.client);
            assertThat(recover(cluster).path("plan").asText()).isEqualTo("nothing");
            VolumeView view = cluster.commands().describe(VOLUME);
            String survivor = cluster.nodes().stream()
                    .filter(node -> !node.equals(view.primaryNode()))
                    .findFirst()
                    .orElseThrow();
            List<String> lost = cluster.nodes().stream()
                    .filter(node -> !node.equals(survivor))
                    .toList();
            cluster.kill(survivor);
            volume.startLoad(LIGHT, seed + 1);
            volume.awaitWrites(200);
            volume.stopLoad();
            String newest = Contents.sha256(volume.client);
            assertThat(newest).isNotEqualTo(old);
            lost.forEach(cluster::kill);
            cluster.start(survivor);
            String id = view.id();
            JsonNode plan = awaitPlan(cluster, "promote");
            assertThat(plan.path("done").asBoolean()).isFalse();
            assertThat(plan.path("explanation").asText()).contains(survivor, "--accept-data-loss");
            Path image = cluster.directory().resolve("newest.raw");
            cluster.commands()
                    .gabion(
                            "store",
                            "export",
                            cluster.directory().resolve(lost.get(0)).toString(),
                            cluster.directory().resolve(lost.get(1)).toString(),
                            "--volume",
                            id,
                            "--out",
                            image.toString())
                    .orThrow();
            assertThat(Digests.sha256(image)).isEqualTo(newest);
            Files.delete(image);
            JsonNode done = cluster.commands()
                    .gabion("volume", "recover", VOLUME, "--accept-data-loss", "-o", "json")
                    .orThrow()
                    .json();
            assertThat(done.path("done").asBoolean()).isTrue();
            cluster.commands()
                    .gabion("volume", "scale", VOLUME, "--replicas", "1")
                    .orThrow();
            cluster.commands().gabion("volume", "detach", VOLUME).orThrow();
            try (NbdClient again = NbdClient.connect(cluster.commands().attach(VOLUME))) {
                assertThat(Contents.sha256(again)).isEqualTo(old);
                assertThat(again.write(0, ByteBuffer.allocate(4096), true).join())
                        .isInstanceOf(NbdReply.Done.class);
            }
            report("recover: the copy of %s holds what it held, and takes writes", survivor);
            cluster.passed();
        }
    }

    private static JsonNode recover(ClusterFixture cluster) throws IOException {
        return cluster.commands()
                .gabion("volume", "recover", VOLUME, "-o", "json")
                .json();
    }

    private static JsonNode awaitPlan(ClusterFixture cluster, String plan) {
        JsonNode[] last = new JsonNode[1];
        Waiting.until(
                "the plan " + plan,
                Duration.ofSeconds(60),
                () -> {
                    try {
                        last[0] = recover(cluster);
                        return last[0].path("plan").asText().equals(plan);
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                },
                () -> String.valueOf(last[0]));
        return last[0];
    }
}
