package io.gabion.faults.cluster;

import static io.gabion.faults.cluster.TestSeeds.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.faults.check.BlockHistory;
import io.gabion.faults.check.BlockLoad;
import io.gabion.faults.check.LoadShape;
import io.gabion.faults.nbd.NbdAddress;
import io.gabion.faults.nbd.NbdClient;
import java.io.IOException;
import java.time.Duration;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A volume of the cluster under test with a client, its history and at most one load. */
final class ServedVolume implements AutoCloseable {
    private static final Duration PROGRESS_LIMIT = Duration.ofSeconds(90);
    private static final Duration CHECK_LIMIT = Duration.ofMinutes(2);

    final String name;
    final ClusterFixture cluster;
    final NbdAddress address;
    final NbdClient client;
    final BlockHistory history;
    private @Nullable BlockLoad load;

    private ServedVolume(ClusterFixture cluster, String name, NbdAddress address, NbdClient client) {
        this.cluster = cluster;
        this.name = name;
        this.address = address;
        this.client = client;
        this.history = new BlockHistory(1, client.sizeBytes());
    }

    /** Creates the volume with three copies, attaches it and waits until all are in sync. */
    static ServedVolume create(ClusterFixture cluster, String name, String size) throws IOException {
        cluster.commands().createVolume(name, size);
        NbdAddress address = cluster.commands().attach(name);
        cluster.commands().awaitInSync(name, 3);
        return new ServedVolume(cluster, name, address, NbdClient.connect(address));
    }

    BlockLoad startLoad(LoadShape shape, long seed) {
        BlockLoad started = BlockLoad.start(client, history, shape, seed);
        load = started;
        return started;
    }

    BlockLoad load() {
        BlockLoad current = load;
        if (current == null) {
            throw new IllegalStateException("no load was started on " + name);
        }
        return current;
    }

    /** Waits until so many further writes were answered. */
    void awaitWrites(long count) {
        long wanted = load().writesAnswered() + count;
        Waiting.until(
                count + " further writes on " + name,
                PROGRESS_LIMIT,
                () -> load().writesAnswered() >= wanted || load().errors() > 0,
                () -> load().errorDetails() + describeOrNot());
    }

    private String describeOrNot() {
        try {
            String agent = cluster.agentMetrics()
                    .lines()
                    .filter(line ->
                            line.startsWith("gabion_volume_requests") || line.startsWith("gabion_volume_longest"))
                    .collect(Collectors.joining("\n"));
            return client.outstanding() + " requests wait at the client; "
                    + cluster.commands().gabion("volume", "describe", name).text() + agent;
        } catch (IOException | IllegalStateException e) {
            return " " + e;
        }
    }

    /** Reads every block and checks it, within a time: reads that never end are a failure here. */
    void checkAll() {
        Thread thread = Thread.ofPlatform().daemon().start(() -> BlockLoad.checkAll(client, history));
        Waiting.until("reading all of " + name, CHECK_LIMIT, () -> !thread.isAlive(), this::describeOrNot);
    }

    /** Ends the load, with all its answers. */
    void stopLoad() {
        BlockLoad current = load();
        Thread thread = Thread.ofPlatform().daemon().start(current::stop);
        Waiting.until("the last answers on " + name, PROGRESS_LIMIT, () -> !thread.isAlive(), this::describeOrNot);
    }

    /** No error answer, nothing lost, nothing wrong; otherwise the first findings. */
    void assertSound() {
        BlockHistory.Findings findings = history.findings();
        assertThat(load().errorDetails()).as("error answers on %s", name).isEmpty();
        assertThat(findings.details()).as("findings on %s", name).isEmpty();
        assertThat(findings.clean()).isTrue();
    }

    void reportSummary(String what) {
        BlockHistory.Findings findings = history.findings();
        report(
                "%s: %d acknowledged writes and trims, %d blocks read, lost writes %d, wrong bytes %d, client errors %d",
                what,
                findings.acknowledged(),
                findings.blocksRead(),
                findings.lostBlocks(),
                findings.wrongBlocks(),
                load().errors());
    }

    /** All replicas, read block by block, are the same. */
    void assertVerified() throws IOException {
        cluster.commands().awaitInSync(name, 3);
        String verdict = cluster.commands().verify(name);
        assertThat(verdict).contains("replicas identical");
        report("%s: %s", name, verdict.strip().lines().reduce((a, b) -> b).orElse(""));
    }

    @Override
    public void close() {
        if (load != null) {
            load.close();
        }
        client.close();
    }
}
