package io.gabion.faults.cluster;

import static io.gabion.faults.cluster.TestSeeds.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.faults.check.BlockLoad;
import io.gabion.faults.check.LoadShape;
import io.gabion.faults.check.Pauses;
import io.gabion.faults.nbd.NbdClient;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
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

    /**
     * Two agents of one generation, three times: the one in charge sleeps, another opens the volume and another node becomes
     * primary. What the sleeper says when it wakes meets a primary that never spoke with it, a different node each time.
     */
    @Test
    void theOlderOfTwoAgentsIsRefusedByEveryReplicaAndTheNewerWrites() throws IOException {
        Random random = new Random(TestSeeds.seed("fencing of an agent"));
        try (ClusterFixture cluster = ClusterFixture.start(ClusterSpec.named("fence-agent"));
                ServedVolume volume = ServedVolume.create(cluster, "vol1", "64MiB")) {
            BlockLoad first = volume.startLoad(LoadShape.MIXED, random.nextLong());
            volume.awaitWrites(200);
            List<String> nodes = cluster.nodes();
            try (Successor second = succeed(cluster, volume, 0, first, nodes.get(0), random.nextLong());
                    Successor third = succeed(cluster, volume, 1, second.load, nodes.get(1), random.nextLong());
                    Successor fourth = succeed(cluster, volume, 2, third.load, nodes.get(2), random.nextLong())) {
                fourth.load.stop();
                assertThat(fourth.load.errorDetails()).isEmpty();
                BlockLoad.checkAll(fourth.client, volume.history);
                report(
                        "fencing: older agents refused by %s as primary, %d writes after it; lost writes %d, wrong bytes %d",
                        nodes,
                        fourth.load.writesAnswered(),
                        volume.history.findings().lostBlocks(),
                        volume.history.findings().wrongBlocks());
                assertThat(volume.history.findings().details()).isEmpty();
            }
            volume.assertVerified();
            cluster.passed();
        }
    }

    private record Successor(NbdClient client, BlockLoad load) implements AutoCloseable {
        @Override
        public void close() {
            load.close();
            client.close();
        }
    }

    /** Another agent takes the volume over while the older one sleeps; then the older one wakes at the given primary. */
    private static Successor succeed(
            ClusterFixture cluster, ServedVolume volume, int agent, BlockLoad older, String primary, long seed)
            throws IOException {
        assertThat(older.errorDetails()).isEmpty();
        cluster.agent(agent).suspend();
        int next = cluster.startAnotherAgent();
        NbdClient client = NbdClient.connect(cluster.commands().attach(next, volume.name));
        BlockLoad newer = BlockLoad.start(client, volume.history, LoadShape.MIXED, seed);
        awaitWrites(newer);
        moveTo(cluster, volume.name, primary);
        awaitWrites(newer);
        cluster.agent(agent).resume();
        Waiting.until("errors at the older agent", Duration.ofSeconds(60), () -> older.errors() > 0);
        older.stop();
        awaitWrites(newer);
        assertThat(cluster.commands().describe(volume.name).primaryNode()).isEqualTo(primary);
        report(
                "fencing: agent %d woke with %s as primary: %s",
                agent, primary, older.errorDetails().getFirst());
        return new Successor(client, newer);
    }

    private static void awaitWrites(BlockLoad load) {
        long answered = load.writesAnswered();
        Waiting.until("writes", Duration.ofMinutes(1), () -> load.writesAnswered() > answered + 200);
    }

    private static void moveTo(ClusterFixture cluster, String volume, String node) throws IOException {
        if (!cluster.commands().describe(volume).primaryNode().equals(node)) {
            cluster.commands()
                    .gabion("volume", "handover", volume, "--to", node)
                    .orThrow();
        }
    }
}
