package io.gabion.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
import io.gabion.process.testing.Waiting;
import io.gabion.protocol.control.v1.SnapshotResult;
import io.gabion.protocol.control.v1.SnapshotStatus;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots with real processes and real disks: the same set with the same content on every replica, whoever dies when. */
@Tag("long")
@Timeout(600)
class SnapshotsIT {
    private static final NodeName AGENT = new NodeName("a1");
    private static final long VOLUME_BYTES = 8L << 20;
    private static final int BLOCKS = (int) (VOLUME_BYTES / BlockGeometry.BLOCK_BYTES);
    private static final int KILL_ROUNDS = Integer.getInteger("gabion.snapshot.kills", 4);
    private static final int ROUNDS = 4;
    private static final int DEPTH = 8;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private Path directory;

    private Cluster cluster;
    private VolumeRecord volume;
    private SnapshotUser user;

    @BeforeEach
    void start() throws Exception {
        cluster = new Cluster(directory);
        cluster.startAll();
        volume = cluster.createVolume(VOLUME_BYTES, AGENT);
        user = new SnapshotUser(cluster, volume.id());
    }

    @AfterEach
    void stop() throws Exception {
        cluster.close();
        for (String name : Cluster.names()) {
            assertThat(cluster.log(name))
                    .doesNotContain("LEAK", "IllegalReferenceCount", "broke a rule", "damage in the replica");
        }
    }

    @Test
    void aSnapshotHoldsWhatWasAcknowledgedBeforeAndNothingAfter() throws Exception {
        byte[] content = new byte[(int) VOLUME_BYTES];
        SortedMap<Long, String> expected = new TreeMap<>();
        Random random = new Random(5);
        try (TestAgent agent = new TestAgent(cluster, AGENT, volume.id())) {
            for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < 40; i++) {
                    // Block 0 is another one in every snapshot, so that each keeps something for itself.
                    int block = i == 0 ? 0 : random.nextInt(BLOCKS);
                    byte[] bytes = new byte[BlockGeometry.BLOCK_BYTES];
                    random.nextBytes(bytes);
                    agent.write(ByteRange.ofBlocks(block, 1), bytes);
                    System.arraycopy(bytes, 0, content, block * BlockGeometry.BLOCK_BYTES, bytes.length);
                }
                agent.trim(ByteRange.ofBlocks(round + 1, 1));
                int trimmed = (round + 1) * BlockGeometry.BLOCK_BYTES;
                Arrays.fill(content, trimmed, trimmed + BlockGeometry.BLOCK_BYTES, (byte) 0);
                expected.put(user.take(), sha256(content));
            }
            agent.write(ByteRange.ofBlocks(0, 1), new byte[BlockGeometry.BLOCK_BYTES]);
        }
        untilEqual();
        for (String node : Cluster.names()) {
            for (var snapshot : expected.entrySet()) {
                assertThat(user.digest(node, snapshot.getKey()))
                        .as("snapshot %d on %s", snapshot.getKey(), node)
                        .isEqualTo(snapshot.getValue());
            }
        }
        long first = expected.firstKey();
        assertThat(user.take(first).getResult()).isEqualTo(SnapshotResult.SNAPSHOT_RESULT_TAKEN);
        user.delete(first);
        assertThat(user.take(first).getResult()).isEqualTo(SnapshotResult.SNAPSHOT_RESULT_NUMBER_USED);
        assertThat(user.take(99).getResult()).isEqualTo(SnapshotResult.SNAPSHOT_RESULT_REFUSED);
        expected.remove(first);
        untilEqual();
        String primary = primaryNode();
        assertThat(user.held(primary).keySet()).isEqualTo(expected.keySet());
        long unique = 0;
        for (SnapshotStatus status : user.list(primary, true)) {
            assertThat(status.getUniqueBytes()).isBetween(1L, status.getOwnBytes());
            unique += status.getUniqueBytes();
        }
        var replica = cluster.replica(primary, volume.id()).orElseThrow();
        assertThat(replica.getSnapshots()).isEqualTo(expected.size());
        assertThat(replica.getSnapshotBytes()).isBetween(unique, replica.getUsedBytes());
    }

    @Test
    void thePrimaryDiesWhileSnapshotsAreTakenAndDeletedUnderLoad() throws Exception {
        long seed = Long.getLong("gabion.seed", System.nanoTime());
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        List<Long> kept = new ArrayList<>();
        try (LoadAgent load = new LoadAgent(cluster, AGENT, volume)) {
            for (int round = 0; round < KILL_ROUNDS; round++) {
                load.start(DEPTH, 800);
                CompletableFuture<List<Long>> wishes = new CompletableFuture<>();
                Random choices = new Random(random.nextLong());
                Thread wishing = Thread.ofPlatform().start(() -> wishes.completeAsync(() -> wish(kept, choices)));
                Waiting.pass(Duration.ofMillis(random.nextInt(400)));
                String victim = primaryNode();
                cluster.kill(victim);
                Waiting.pass(Duration.ofMillis(random.nextInt(1_500)));
                cluster.startNode(victim);
                wishing.join();
                List<Long> now = wishes.get();
                kept.clear();
                kept.addAll(now);
                load.finish();
                untilEqual();
                assertThat(user.held(primaryNode()).keySet()).containsExactlyInAnyOrderElementsOf(kept);
                int digests = digestsAreEqual();
                System.out.println("round " + round + ": " + victim + " killed, snapshots " + kept + ", " + digests
                        + " digests equal, " + load.summary());
            }
            load.check();
        }
    }

    /** Takes three, deletes about half of all; returns what is left. */
    private List<Long> wish(List<Long> before, Random choices) {
        List<Long> left = new ArrayList<>(before);
        for (int i = 0; i < 3; i++) {
            left.add(user.take());
            if (choices.nextBoolean()) {
                user.delete(left.remove(choices.nextInt(left.size())));
            }
        }
        return left;
    }

    @Test
    void aReplicaAwayOverThreeSnapshotsAndOneDeletionReturnsWithTheSameSet() throws Exception {
        try (LoadAgent load = new LoadAgent(cluster, AGENT, volume)) {
            load.run(DEPTH, 1_000);
            long old = user.take();
            long doomed = user.take();
            load.run(DEPTH, 300);
            untilEqual();
            String primary = primaryNode();
            String away = Cluster.names().stream()
                    .filter(name -> !name.equals(primary))
                    .findFirst()
                    .orElseThrow();
            cluster.kill(away);
            List<Long> expected = new ArrayList<>(List.of(old));
            for (int i = 0; i < 3; i++) {
                load.run(DEPTH, 300);
                expected.add(user.take());
            }
            user.delete(doomed);
            load.run(DEPTH, 300);
            cluster.startNode(away);
            untilEqual();
            assertThat(user.held(away).keySet()).containsExactlyElementsOf(expected);
            assertThat(digestsAreEqual()).isEqualTo(expected.size());
            load.check();
        }
    }

    // ---- helpers
    private String primaryNode() {
        return cluster.record(volume.id())
                .orElseThrow()
                .primaryNode()
                .orElseThrow()
                .value();
    }

    /** Waits until all are in sync and hold the same set at the same places. */
    private void untilEqual() {
        Waiting.until("all replicas are in sync with equal snapshots", Duration.ofMinutes(2), () -> {
            if (cluster.record(volume.id()).orElseThrow().config().inSync().size()
                    < Cluster.names().size()) {
                return false;
            }
            try {
                SortedMap<Long, String> first = user.held(primaryNode());
                for (String node : Cluster.names()) {
                    if (!user.held(node).equals(first)) {
                        return false;
                    }
                }
                return true;
            } catch (io.grpc.StatusRuntimeException e) {
                return false;
            } catch (java.io.IOException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    /** Number of snapshots whose content was compared on all replicas. */
    private int digestsAreEqual() throws Exception {
        int compared = 0;
        for (long number : user.held(primaryNode()).keySet()) {
            String first = user.digest(Cluster.names().getFirst(), number);
            assertThat(first).hasSize(64);
            for (String node : Cluster.names()) {
                assertThat(user.digest(node, number))
                        .as("snapshot %d on %s", number, node)
                        .isEqualTo(first);
            }
            compared++;
        }
        return compared;
    }

    private static String sha256(byte[] content) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    }
}
