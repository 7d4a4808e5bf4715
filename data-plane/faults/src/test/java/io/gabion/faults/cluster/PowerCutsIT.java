package io.gabion.faults.cluster;

import static io.gabion.faults.cluster.TestSeeds.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.faults.check.BlockHistory;
import io.gabion.faults.check.BlockLoad;
import io.gabion.faults.check.LoadShape;
import io.gabion.faults.powerloss.CutReport;
import io.gabion.faults.powerloss.PowerLossOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The power of all three storage machines fails under load, again and again; agent and configuration store stay up. */
@Tag("faults")
@Tag("power-cuts")
@Timeout(1500)
class PowerCutsIT {
    private static final int CUTS = Integer.getInteger("gabion.cuts", 20);
    private static final int STUBBED_CUTS = 4;
    /** All that was written between two cuts stays in memory, far below what makes the layer write back. */
    private static final long STUBBED_WRITTEN_BYTES = 20L << 20;

    private static final Duration SERVES_OR_NOT = Duration.ofSeconds(45);
    /** More than a node says in such a short life. */
    private static final int LOG_LINES = 5_000;

    private static final String SIZE = "64MiB";

    @Test
    void nothingAcknowledgedIsLostInAnyCut() throws IOException {
        long seed = TestSeeds.seed("power cuts");
        Random random = new Random(seed);
        ClusterSpec spec = ClusterSpec.named("power-cuts").withPowerLoss(PowerLossOptions.DEFAULT);
        try (ClusterFixture cluster = ClusterFixture.start(spec);
                ServedVolume volume = ServedVolume.create(cluster, "vol1", SIZE)) {
            volume.startLoad(LoadShape.MIXED, random.nextLong());
            volume.awaitWrites(200);
            List<Long> pauses = new ArrayList<>();
            long unsyncedTaken = 0;
            for (int cut = 1; cut <= CUTS; cut++) {
                long begun = System.nanoTime();
                List<CutReport> reports = cluster.powerCut(random.nextLong());
                unsyncedTaken +=
                        reports.stream().filter(CutReport::lostAnything).count();
                volume.awaitWrites(16);
                pauses.add((System.nanoTime() - begun) / 1_000_000);
                volume.checkAll();
                volume.assertSound();
                // Some cuts hit a full set, others one that still catches up from the cut before.
                if (random.nextInt(3) > 0) {
                    cluster.commands().awaitInSync(volume.name, 3);
                }
                volume.awaitWrites(random.nextInt(50, 600));
            }
            cluster.commands().awaitInSync(volume.name, 3);
            volume.stopLoad();
            volume.checkAll();
            volume.reportSummary("power cuts: " + CUTS + " cuts of all three nodes");
            report("power cuts: back and writing after ms %s", pauses);
            report("power cuts: unsynced data was lost on %d of %d disks", unsyncedTaken, 3 * CUTS);
            volume.assertSound();
            volume.assertVerified();
            for (String node : cluster.nodes()) {
                assertThat(cluster.disk(node).counts().writtenBack()).isZero();
            }
            cluster.passed();
        }
    }

    @Test
    void withSyncStubbedOutTheSameRunFindsTheLoss() throws IOException {
        long seed = TestSeeds.seed("power cuts with sync stubbed out");
        Random random = new Random(seed);
        ClusterSpec spec = ClusterSpec.named("stubbed-sync").withPowerLoss(PowerLossOptions.DEFAULT);
        try (ClusterFixture cluster = ClusterFixture.start(spec);
                ServedVolume volume = ServedVolume.create(cluster, "vol1", SIZE)) {
            for (String node : cluster.nodes()) {
                cluster.disk(node).syncAll();
                cluster.disk(node).faults().ignoreSync(true);
            }
            String found = "";
            int cuts = 0;
            while (found.isEmpty() && cuts < STUBBED_CUTS) {
                cuts++;
                volume.startLoad(LoadShape.MIXED.withMaxWrittenBytes(STUBBED_WRITTEN_BYTES), random.nextLong());
                volume.awaitWrites(300);
                cluster.cutWithoutRestart(random.nextLong());
                found = lossAfterRestart(cluster, volume);
            }
            report("power cuts with sync stubbed out: found after %d cuts: %s", cuts, found);
            assertThat(found)
                    .as("a disk that ignores sync loses data, and somebody says so")
                    .isNotEmpty();
            for (String node : cluster.nodes()) {
                assertThat(cluster.disk(node).counts().writtenBack()).isZero();
                assertThat(cluster.disk(node).counts().ignoredSyncs()).isPositive();
            }
            cluster.passed();
        }
    }

    /** What the checker or the nodes say of a loss; empty when nobody says anything. */
    private static String lossAfterRestart(ClusterFixture cluster, ServedVolume volume) throws IOException {
        try {
            cluster.startTogether(cluster.nodes());
        } catch (IllegalStateException e) {
            return "a node refuses to start: "
                    + String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        }
        long answered = volume.load().answers();
        Waiting.happens(
                SERVES_OR_NOT,
                () -> volume.load().answers() > answered + 20
                        || !volume.history.findings().clean());
        // A volume that lost all its copies need not serve: judged is what was read within the time. A request without
        // an answer proves no loss, so it does not count.
        Thread check = Thread.ofPlatform().daemon().start(() -> BlockLoad.checkAll(volume.client, volume.history));
        Waiting.happens(SERVES_OR_NOT, () -> !check.isAlive());
        volume.load().close();
        BlockHistory.Findings findings = volume.history.findings();
        List<String> faulted = new ArrayList<>(cluster.nodes());
        faulted.removeIf(node -> !cluster.process(node).lastLines(LOG_LINES).contains("the copy here is faulted"));
        if (findings.clean() && faulted.isEmpty()) {
            return "";
        }
        return findings.lostBlocks() + " lost writes, " + findings.wrongBlocks()
                + " wrong blocks; damaged copies reported by " + faulted;
    }
}
