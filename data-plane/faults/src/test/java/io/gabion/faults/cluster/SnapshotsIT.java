package io.gabion.faults.cluster;

import static io.gabion.faults.cluster.TestSeeds.report;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gabion.faults.check.LoadShape;
import io.gabion.faults.nbd.NbdClient;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The shipped command takes and deletes snapshots of a volume under load while its primary dies by kill -9. */
@Tag("faults")
@Tag("snapshots")
@Timeout(1200)
class SnapshotsIT {
    private static final int ROUNDS = Integer.getInteger("gabion.snapshot.kills", 3);
    private static final LoadShape LIGHT = LoadShape.MIXED.withOutstanding(4);
    private static final String VOLUME = "vol1";

    @Test
    void setsAndDigestsAreTheSameOnAllReplicasWheneverThePrimaryDies() throws Exception {
        Random random = new Random(TestSeeds.seed("snapshots"));
        Set<String> names = new TreeSet<>();
        try (ClusterFixture cluster = ClusterFixture.start(ClusterSpec.named("snapshots"));
                ServedVolume volume = ServedVolume.create(cluster, VOLUME, "32MiB")) {
            volume.startLoad(LIGHT, random.nextLong());
            volume.awaitWrites(100);
            for (int round = 1; round <= ROUNDS; round++) {
                String name = "round-" + round;
                killWhile(cluster, random, "snapshot", "create", VOLUME, name);
                names.add(name);
                if (round % 2 == 0) {
                    String doomed = names.iterator().next();
                    killWhile(cluster, random, "snapshot", "delete", VOLUME, doomed, "--yes");
                    names.remove(doomed);
                }
                volume.awaitWrites(50);
                volume.assertSound();
                assertEqualEverywhere(cluster, names);
                report("snapshots: round %d: %s equal on all replicas", round, names);
            }
            volume.stopLoad();
            volume.checkAll();
            volume.assertSound();
            volume.assertVerified();
            cloneHoldsWhatTheSnapshotHeld(cluster, volume, random);
            cluster.passed();
        }
    }

    /** Runs a command and kills the primary at a random moment of it; the command has to succeed all the same. */
    private static void killWhile(ClusterFixture cluster, Random random, String... command)
            throws IOException, InterruptedException, ExecutionException {
        String primary = cluster.commands().describe(VOLUME).primaryNode();
        CompletableFuture<CommandResult> result = CompletableFuture.supplyAsync(() -> {
            try {
                return cluster.commands().gabion(command);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        Waiting.pass(Duration.ofMillis(random.nextInt(1_500)));
        cluster.kill(primary);
        Waiting.pass(Duration.ofMillis(random.nextInt(2_000)));
        cluster.start(primary);
        result.get().orThrow();
        cluster.commands().awaitInSync(VOLUME, 3);
    }

    private static void assertEqualEverywhere(ClusterFixture cluster, Set<String> names) throws IOException {
        Set<String> ready = new TreeSet<>();
        for (JsonNode snapshot : cluster.commands()
                .gabion("snapshot", "list", VOLUME, "-o", "json")
                .orThrow()
                .json()) {
            assertThat(snapshot.path("state").asText()).as("%s", snapshot).isEqualTo("READY");
            ready.add(snapshot.path("name").asText());
        }
        assertThat(ready).isEqualTo(names);
        for (String name : names) {
            assertThat(cluster.commands()
                            .gabion("snapshot", "verify", VOLUME, name)
                            .orThrow()
                            .output())
                    .contains("replicas identical");
        }
        for (String node : cluster.nodes()) {
            assertThat(cluster.metric(node, "gabion_volume_snapshots"))
                    .as("snapshots on %s", node)
                    .isEqualTo(names.size());
        }
    }

    private static void cloneHoldsWhatTheSnapshotHeld(ClusterFixture cluster, ServedVolume volume, Random random)
            throws IOException {
        String before = Contents.sha256(volume.client);
        cluster.commands().gabion("snapshot", "create", VOLUME, "quiet").orThrow();
        volume.startLoad(LIGHT, random.nextLong());
        volume.awaitWrites(200);
        cluster.commands()
                .gabion("volume", "create", "copy", "--from", VOLUME + "@quiet")
                .orThrow();
        cluster.commands().awaitInSync("copy", 3);
        cluster.commands()
                .gabion("snapshot", "delete", VOLUME, "quiet", "--yes")
                .orThrow();
        volume.stopLoad();
        volume.assertSound();
        assertThat(Contents.sha256(volume.client)).isNotEqualTo(before);
        try (NbdClient clone = NbdClient.connect(cluster.commands().attach("copy"))) {
            assertThat(Contents.sha256(clone)).isEqualTo(before);
        }
        assertThat(cluster.commands().verify("copy")).contains("replicas identical");
    }
}
