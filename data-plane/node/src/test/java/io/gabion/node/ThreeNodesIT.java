package io.gabion.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.process.testing.Waiting;
import io.gabion.protocol.control.v1.ReplicaStatus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** Real processes, real certificates, real disks. */
@Tag("long")
@Timeout(400)
class ThreeNodesIT {
    private static final NodeName AGENT = new NodeName("a1");
    private static final long VOLUME_BYTES = 16L << 20;
    private static final int KILL_ROUNDS = 8;
    private static final int BLOCKS = (int) (VOLUME_BYTES / BlockGeometry.BLOCK_BYTES);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private Path directory;

    private Cluster cluster;
    private VolumeRecord volume;
    private TestAgent agent;
    private final Random random = new Random(7);
    private final byte[][] expected = new byte[BLOCKS][];

    @BeforeEach
    void start() throws Exception {
        cluster = new Cluster(directory);
        cluster.startAll();
        volume = cluster.createVolume(VOLUME_BYTES, AGENT);
        agent = new TestAgent(cluster, AGENT, volume.id());
        agent.flush();
        agent.forgetPauses();
    }

    @AfterEach
    void stop() throws Exception {
        if (agent != null) {
            agent.close();
        }
        cluster.close();
        for (String name : Cluster.names()) {
            assertThat(cluster.log(name)).doesNotContain("LEAK", "IllegalReferenceCount", "broke a rule");
        }
    }

    private void writeSome(int count) throws InterruptedException {
        for (int i = 0; i < count; i++) {
            int block = random.nextInt(BLOCKS);
            byte[] bytes = new byte[BlockGeometry.BLOCK_BYTES];
            random.nextBytes(bytes);
            agent.write(ByteRange.ofBlocks(block, 1), bytes);
            expected[block] = bytes;
        }
    }

    private void checkAll() throws InterruptedException {
        for (int block = 0; block < BLOCKS; block++) {
            byte[] wanted = expected[block] == null ? new byte[BlockGeometry.BLOCK_BYTES] : expected[block];
            assertThat(agent.read(ByteRange.ofBlocks(block, 1)))
                    .as("block " + block)
                    .isEqualTo(wanted);
        }
    }

    private static void until(String what, BooleanSupplier condition) {
        Waiting.until(what, Duration.ofMinutes(2), condition::getAsBoolean);
    }

    private boolean allInSync() {
        return cluster.record(volume.id()).orElseThrow().config().inSync().size() == 3;
    }

    private String primaryNode() {
        return cluster.record(volume.id())
                .orElseThrow()
                .primaryNode()
                .orElseThrow()
                .value();
    }

    @Test
    void writesAreReadBackAndSurviveTheDeathOfThePrimary() throws Exception {
        writeSome(200);
        agent.flush();
        checkAll();
        String primary = primaryNode();
        long begun = System.nanoTime();
        cluster.kill(primary);
        writeSome(1);
        System.out.println("pause after kill -9 of the primary " + primary + ": "
                + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun) + " ms");
        assertThat(primaryNode()).isNotEqualTo(primary);
        writeSome(200);
        checkAll();
        cluster.startNode(primary);
        until("the killed node is back in sync", this::allInSync);
        writeSome(50);
        checkAll();
    }

    @Test
    void stoppedPrimaryIsReplacedAndRefusedWhenItGoesOn() throws Exception {
        writeSome(50);
        String primary = primaryNode();
        cluster.signal(primary, "STOP");
        writeSome(50);
        assertThat(primaryNode()).isNotEqualTo(primary);
        System.out.println("longest pause with a stopped primary: " + agent.longestPauseMillis() + " ms");
        Waiting.pass(Duration.ofSeconds(5));
        cluster.signal(primary, "CONT");
        writeSome(50);
        until("the stopped node is back in sync", this::allInSync);
        checkAll();
    }

    @Test
    void manyWritesAtOnceAreAllThere() throws Exception {
        agent.close();
        try (LoadAgent load = new LoadAgent(cluster, AGENT, volume)) {
            load.run(16, 20_000);
            System.out.println("20000 writes of 4 KiB at depth 16: " + load.summary());
            cluster.kill(primaryNode());
            load.run(16, 5_000);
            System.out.println("5000 more after a kill: " + load.summary());
            load.check();
        }
    }

    @Test
    void randomKillsUnderLoadLoseNothing() throws Exception {
        agent.close();
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random kills = new Random(seed);
        try (LoadAgent load = new LoadAgent(cluster, AGENT, volume)) {
            for (int round = 0; round < KILL_ROUNDS; round++) {
                load.start(16, 3_000);
                Waiting.pass(Duration.ofMillis(kills.nextInt(1_000)));
                String victim =
                        Cluster.names().get(kills.nextInt(Cluster.names().size()));
                boolean primary = victim.equals(primaryNode());
                cluster.kill(victim);
                Waiting.pass(Duration.ofMillis(kills.nextInt(1_000)));
                cluster.startNode(victim);
                load.finish();
                System.out.println(
                        "round " + round + ": " + victim + (primary ? " (primary)" : "") + ": " + load.summary());
                until("all in sync after round " + round, this::allInSync);
            }
            load.check();
        }
        verifyAll();
    }

    @Test
    void killedReplicaComesBackInSync() throws Exception {
        writeSome(100);
        String primary = primaryNode();
        String replica = Cluster.names().stream()
                .filter(name -> !name.equals(primary))
                .findFirst()
                .orElseThrow();
        cluster.kill(replica);
        writeSome(100);
        System.out.println("longest pause with a dead replica: " + agent.longestPauseMillis() + " ms");
        cluster.startNode(replica);
        until("the killed replica is back in sync", this::allInSync);
        checkAll();
        assertThat(primaryNode()).isEqualTo(primary);
    }

    @Test
    void everythingComesBackAfterAllNodesLostPowerAtOnce() throws Exception {
        writeSome(200);
        for (String name : Cluster.names()) {
            cluster.kill(name);
        }
        cluster.newBoot();
        cluster.startAll();
        checkAll();
        writeSome(50);
        until("all in sync again", this::allInSync);
        checkAll();
    }

    @Test
    void writesGoOnWithoutTheConfigurationStoreAndFailoverWaitsForIt() throws Exception {
        writeSome(50);
        cluster.stopStore();
        writeSome(50);
        checkAll();
        cluster.restartStore();
        String primary = primaryNode();
        cluster.stopStore();
        cluster.kill(primary);
        Thread late = Thread.ofPlatform().start(() -> {
            try {
                Waiting.pass(Duration.ofSeconds(3));
                cluster.restartStore();
            } catch (java.io.IOException e) {
                throw new IllegalStateException(e);
            }
        });
        writeSome(50);
        late.join();
        checkAll();
    }

    @Test
    void plannedStopHandsOverWithoutALongPause() throws Exception {
        writeSome(50);
        String primary = primaryNode();
        cluster.stop(primary);
        writeSome(50);
        assertThat(primaryNode()).isNotEqualTo(primary);
        assertThat(cluster.log(primary)).contains("stopped").doesNotContain("not ready to stop");
        System.out.println("longest pause over a planned stop: " + agent.longestPauseMillis() + " ms");
        cluster.startNode(primary);
        until("the stopped node is back in sync", this::allInSync);
        checkAll();
    }

    @Test
    void deletedVolumeLeavesAllNodesAndTheConfigurationStore() throws Exception {
        writeSome(20);
        VolumeId id = volume.id();
        cluster.delete(id);
        until("the record is gone", () -> cluster.record(id).isEmpty());
        for (String name : Cluster.names()) {
            assertThat(cluster.replica(name, id)).isEmpty();
        }
    }

    @Test
    void verificationFindsAllReplicasEqual() throws Exception {
        writeSome(100);
        verifyAll();
    }

    private void verifyAll() throws Exception {
        String primary = primaryNode();
        long verify = cluster.control(
                        primary,
                        stub -> stub.startVerify(io.gabion.protocol.control.v1.StartVerifyRequest.newBuilder()
                                .setVolume(volume.id().toString())
                                .build()))
                .getId();
        String first = "";
        for (String name : Cluster.names()) {
            String digest = digest(name, verify);
            assertThat(digest).hasSize(64);
            if (!first.isEmpty()) {
                assertThat(digest).isEqualTo(first);
            }
            first = digest;
        }
    }

    private String digest(String name, long verify) throws Exception {
        var request = io.gabion.protocol.control.v1.GetVerifyRequest.newBuilder()
                .setVolume(volume.id().toString())
                .setId(verify)
                .build();
        String[] digest = new String[1];
        until("verified on " + name, () -> {
            try {
                var response = cluster.control(name, stub -> stub.getVerify(request));
                assertThat(response.getFailure()).isEmpty();
                digest[0] = response.getSha256();
                return response.getState().equals("done");
            } catch (java.io.IOException e) {
                throw new IllegalStateException(e);
            }
        });
        return digest[0];
    }

    @Test
    void replicasAreListedWithTheirRoles() throws Exception {
        writeSome(1);
        String primary = primaryNode();
        for (String name : Cluster.names()) {
            ReplicaStatus status = cluster.replica(name, volume.id()).orElseThrow();
            assertThat(status.getRole()).isEqualTo(name.equals(primary) ? "primary" : "in-sync");
        }
    }
}
