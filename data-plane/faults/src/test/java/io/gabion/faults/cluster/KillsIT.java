package io.gabion.faults.cluster;

import static io.gabion.faults.cluster.TestSeeds.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.faults.check.LoadShape;
import io.gabion.faults.check.Pauses;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Processes die by kill -9 under load: clients see pauses, never errors. */
@Tag("faults")
@Tag("kills")
@Timeout(1500)
class KillsIT {
    private static final int KILLS = Integer.getInteger("gabion.kills", 4);
    private static final int SECONDS = Integer.getInteger("gabion.kills.seconds", 100);
    /** The bars of the kill test, over all kills: what a client may have to wait. */
    private static final double MEDIAN_PAUSE_MILLIS = 1_000;

    private static final double LONGEST_PAUSE_MILLIS = 6_000;
    private static final int FIO_MEBIBYTES = 32;
    private static final LoadShape LIGHT = LoadShape.MIXED.withOutstanding(4);

    @Test
    void randomKillsOfStorageProcessesAreShortPausesAndNothingElse() throws IOException, InterruptedException {
        long seed = TestSeeds.seed("kills");
        Random random = new Random(seed);
        try (ClusterFixture cluster = ClusterFixture.start(ClusterSpec.named("kills"));
                ServedVolume witnessed = ServedVolume.create(cluster, "fio", "64MiB");
                ServedVolume checked = ServedVolume.create(cluster, "checked", "64MiB");
                FioVerify fio = FioVerify.start(
                        witnessed.address, cluster.directory().resolve("log/fio.log"), FIO_MEBIBYTES, 8)) {
            checked.startLoad(LIGHT, random.nextLong());
            checked.awaitWrites(100);
            long begun = System.nanoTime();
            List<Double> pauses = new ArrayList<>();
            for (int kill = 1; kill <= KILLS; kill++) {
                pauses.add(killOne(cluster, checked, random, kill));
                cluster.commands().awaitInSync(witnessed.name, 3);
                assertThat(fio.failure()).isEmpty();
                checked.assertSound();
                Duration next = Duration.ofSeconds((long) SECONDS * kill / KILLS);
                Waiting.pass(next.minusNanos(System.nanoTime() - begun));
            }
            checked.stopLoad();
            assertThat(fio.finish()).isEmpty();
            checked.checkAll();
            List<Double> sorted = pauses.stream().sorted().toList();
            double median = (sorted.get((KILLS - 1) / 2) + sorted.get(KILLS / 2)) / 2;
            double longest = sorted.getLast();
            report(
                    "kills: %d kills in %d s: median pause %.0f ms, longest %.0f ms; fio: %d rounds of %d MiB, 0 errors",
                    KILLS, (System.nanoTime() - begun) / 1_000_000_000, median, longest, fio.rounds(), FIO_MEBIBYTES);
            checked.reportSummary("kills");
            checked.assertSound();
            checked.assertVerified();
            witnessed.assertVerified();
            assertDumpsEqual(cluster, List.of(witnessed, checked));
            assertThat(median).isLessThanOrEqualTo(MEDIAN_PAUSE_MILLIS);
            assertThat(longest).isLessThanOrEqualTo(LONGEST_PAUSE_MILLIS);
            cluster.passed();
        }
    }

    /** Returns the longest time that a request waited between this kill and the return of the node. */
    private static double killOne(ClusterFixture cluster, ServedVolume checked, Random random, int number)
            throws IOException {
        String node = cluster.nodes().get(random.nextInt(cluster.nodes().size()));
        boolean primary =
                cluster.commands().describe(checked.name).primaryNode().equals(node);
        checked.load().pauses().mark();
        cluster.kill(node);
        Waiting.pass(Duration.ofMillis(random.nextLong(1_000, 4_000)));
        Pauses.Window away = checked.load().pauses().mark();
        cluster.start(node);
        cluster.commands().awaitInSync(checked.name, 3);
        Pauses.Window back = checked.load().pauses().mark();
        double pause = Math.max(away.longestRequestMillis(), back.longestRequestMillis());
        report(
                "kill %d: %s (%s): longest wait %.0f ms after the kill, %.0f ms at its return; %d answers",
                number,
                node,
                primary ? "primary" : "replica",
                Math.max(away.longestRequestMillis(), away.longestGapMillis()),
                back.longestRequestMillis(),
                away.answers() + back.answers());
        return Math.max(pause, away.longestGapMillis());
    }

    private static void assertDumpsEqual(ClusterFixture cluster, List<ServedVolume> volumes) throws IOException {
        List<String> ids = new ArrayList<>();
        for (ServedVolume volume : volumes) {
            ids.add(cluster.commands().describe(volume.name).id());
        }
        for (String node : cluster.nodes()) {
            cluster.stop(node);
        }
        for (String id : ids) {
            List<String> digests = new ArrayList<>();
            for (String node : cluster.nodes()) {
                digests.add(cluster.commands().dump(node, id));
            }
            assertThat(digests).as("raw dumps of all replicas of %s", id).containsOnly(digests.getFirst());
            report("kills: raw dumps of %s on all nodes equal: sha256 %s", id, digests.getFirst());
        }
    }

    @Test
    void killsOfEverythingAtOnceAndOfTheConfigurationStoreLoseNothing() throws IOException {
        long seed = TestSeeds.seed("kills of many");
        Random random = new Random(seed);
        try (ClusterFixture cluster = ClusterFixture.start(ClusterSpec.named("kill-all"));
                ServedVolume volume = ServedVolume.create(cluster, "vol1", "64MiB")) {
            volume.startLoad(LoadShape.MIXED, random.nextLong());
            volume.awaitWrites(200);
            killAllAtOnce(cluster, volume);
            killConfigurationStore(cluster, volume);
            killPrimaryWithoutStore(cluster, volume);
            volume.stopLoad();
            volume.checkAll();
            volume.reportSummary("kills of many");
            volume.assertSound();
            volume.assertVerified();
            cluster.passed();
        }
    }

    private static void killAllAtOnce(ClusterFixture cluster, ServedVolume volume) throws IOException {
        volume.load().pauses().mark();
        cluster.killAllNodes();
        cluster.startTogether(cluster.nodes());
        volume.awaitWrites(100);
        report("kill of all three at once: %s", text(volume.load().pauses().mark()));
        volume.checkAll();
        volume.assertSound();
        cluster.commands().awaitInSync(volume.name, 3);
    }

    private static void killConfigurationStore(ClusterFixture cluster, ServedVolume volume) throws IOException {
        volume.load().pauses().mark();
        cluster.killStore();
        Waiting.pass(Duration.ofSeconds(8));
        Pauses.Window without = volume.load().pauses().mark();
        report("configuration store killed: %s", text(without));
        assertThat(without.longestRequestMillis()).isLessThan(LONGEST_PAUSE_MILLIS);
        volume.awaitWrites(100);
        cluster.startStore();
        volume.awaitWrites(100);
        volume.assertSound();
    }

    private static void killPrimaryWithoutStore(ClusterFixture cluster, ServedVolume volume) throws IOException {
        String primary = cluster.commands().describe(volume.name).primaryNode();
        cluster.killStore();
        cluster.kill(primary);
        Waiting.pass(Duration.ofSeconds(1));
        long answered = volume.load().writesAnswered();
        Waiting.pass(Duration.ofSeconds(6));
        assertThat(volume.load().writesAnswered())
                .as("no failover without the configuration store")
                .isEqualTo(answered);
        assertThat(volume.load().errors()).isZero();
        long begun = System.nanoTime();
        cluster.startStore();
        volume.awaitWrites(16);
        report(
                "primary and configuration store killed: writes waited, went on %d ms after the store's start began",
                (System.nanoTime() - begun) / 1_000_000);
        cluster.start(primary);
        cluster.commands().awaitInSync(volume.name, 3);
        volume.assertSound();
    }

    private static String text(Pauses.Window window) {
        return String.format(
                Locale.ROOT,
                "longest wait %.0f ms, longest silence %.0f ms, %d answers",
                window.longestRequestMillis(),
                window.longestGapMillis(),
                window.answers());
    }
}
