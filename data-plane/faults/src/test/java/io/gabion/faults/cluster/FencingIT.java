package io.gabion.faults.cluster;

import static io.gabion.faults.cluster.TestSeeds.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.faults.check.BlockLoad;
import io.gabion.faults.check.LoadShape;
import io.gabion.faults.check.Pauses;
import io.gabion.faults.nbd.NbdAddress;
import io.gabion.faults.nbd.NbdClient;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who was replaced without knowing it is refused: an old primary, an old agent. */
@Tag("faults")
@Tag("fencing")
@Timeout(300)
class FencingIT {
    private static final Duration SUSPENDED = Duration.ofSeconds(20);

    @Test
    void aPrimaryThatSleepsTwentySecondsIsReplacedAndRefusedWhenItWakes() throws IOException {
        Random random = new Random(TestSeeds.seed("fencing of a primary"));
        try (ClusterFixture cluster = ClusterFixture.start(ClusterSpec.named("fence-primary"));
                ServedVolume volume = ServedVolume.create(cluster, "vol1", "64MiB")) {
            volume.startLoad(LoadShape.MIXED, random.nextLong());
            volume.awaitWrites(200);
            VolumeView before = cluster.commands().describe(volume.name);
            String old = before.primaryNode();
            volume.load().pauses().mark();
            long begun = System.nanoTime();
            cluster.suspend(old);
            volume.awaitWrites(500);
            Pauses.Window window = volume.load().pauses().mark();
            VolumeView during = cluster.commands().describe(volume.name);
            assertThat(during.primaryNode()).isNotEqualTo(old);
            assertThat(during.epoch()).isGreaterThan(before.epoch());
            Waiting.pass(SUSPENDED.minusNanos(System.nanoTime() - begun));
            cluster.resume(old);
            cluster.commands().awaitInSync(volume.name, 3);
            volume.awaitWrites(200);
            volume.stopLoad();
            volume.checkAll();
            String fate = deposed(cluster, old);
            report(
                    "fencing: %s slept 20 s; %s served after %.0f ms; stale refusals %.0f; %s: %s",
                    old, during.primaryNode(), window.longestRequestMillis(), refusals(cluster), old, fate);
            volume.reportSummary("fencing of a primary");
            volume.assertSound();
            assertThat(fate)
                    .as("the old primary says that it is not primary any more")
                    .isNotEmpty();
            volume.assertVerified();
            cluster.passed();
        }
    }

    private static double refusals(ClusterFixture cluster) throws IOException {
        double sum = 0;
        for (String node : cluster.nodes()) {
            if (cluster.isRunning(node)) {
                sum += cluster.metric(node, "gabion_stale_refusals_total");
            }
        }
        return sum;
    }

    private static String deposed(ClusterFixture cluster, String node) {
        return cluster.process(node)
                .lastLines(10_000)
                .lines()
                .filter(line -> line.contains("no longer primary"))
                .reduce((first, second) -> second)
                .orElse("");
    }

    @Test
    void theOlderOfTwoAgentsIsRefusedByEveryReplicaAndTheNewerWrites() throws IOException {
        Random random = new Random(TestSeeds.seed("fencing of an agent"));
        try (ClusterFixture cluster = ClusterFixture.start(ClusterSpec.named("fence-agent"));
                ServedVolume volume = ServedVolume.create(cluster, "vol1", "64MiB")) {
            BlockLoad older = volume.startLoad(LoadShape.MIXED, random.nextLong());
            volume.awaitWrites(200);
            int second = cluster.startSecondAgent();
            NbdAddress address = cluster.commands().attach(second, volume.name);
            try (NbdClient newerClient = NbdClient.connect(address);
                    BlockLoad newer =
                            BlockLoad.start(newerClient, volume.history, LoadShape.MIXED, random.nextLong())) {
                Waiting.until("errors at the older agent", Duration.ofSeconds(30), () -> older.errors() > 0);
                older.stop();
                long refusedAt = older.answers();
                Waiting.until("writes of the newer agent", Duration.ofMinutes(1), () -> newer.writesAnswered() > 500);
                // Each node leads in turn: the older agent is refused by all of them, not by the first alone.
                for (String node : cluster.nodes()) {
                    moveTo(cluster, volume.name, node);
                    long answered = newer.writesAnswered();
                    Waiting.until(
                            "writes with " + node + " as primary",
                            Duration.ofMinutes(1),
                            () -> newer.writesAnswered() > answered + 100);
                    assertThat(cluster.commands().describe(volume.name).primaryNode())
                            .isEqualTo(node);
                    assertThat(older.answers()).isEqualTo(refusedAt);
                }
                newer.stop();
                BlockLoad.checkAll(newerClient, volume.history);
                report(
                        "fencing: older agent refused (%s); newer wrote %d times; lost writes %d, wrong bytes %d",
                        older.errorDetails().getFirst(),
                        newer.writesAnswered(),
                        volume.history.findings().lostBlocks(),
                        volume.history.findings().wrongBlocks());
                assertThat(newer.errorDetails()).isEmpty();
                assertThat(volume.history.findings().details()).isEmpty();
            }
            volume.assertVerified();
            cluster.passed();
        }
    }

    private static void moveTo(ClusterFixture cluster, String volume, String node) throws IOException {
        if (!cluster.commands().describe(volume).primaryNode().equals(node)) {
            cluster.commands()
                    .gabion("volume", "handover", volume, "--to", node)
                    .orThrow();
        }
    }
}
