package io.gabion.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
import io.gabion.process.testing.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Three whole nodes in this process, on disks in memory: the wiring without the local store. */
@Timeout(300)
class WiringIT {
    private static final NodeName AGENT = new NodeName("a1");
    private static final long VOLUME_BYTES = 4L << 20;

    @TempDir
    private Path directory;

    private Cluster cluster;
    private final Map<String, MemoryDisk> disks = new HashMap<>();

    @BeforeEach
    void start() throws Exception {
        cluster = new Cluster(directory);
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private void startAll(int loops) throws Exception {
        for (String name : Cluster.names()) {
            startNode(name, loops);
        }
    }

    private void startNode(String name, int loops) throws Exception {
        cluster.startInside(
                name, loops, disks.computeIfAbsent(name, _ -> new MemoryDisk()).opening());
    }

    private static void until(String what, BooleanSupplier condition) {
        Waiting.until(what, Duration.ofMinutes(1), condition::getAsBoolean);
    }

    private String diskState(String name) {
        return cluster.inside(name).report().facts().disks().getFirst().state();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void writesAreReadBackAndAPlannedStopMovesThePrimary(int loops) throws Exception {
        startAll(loops);
        VolumeRecord volume = cluster.createVolume(VOLUME_BYTES, AGENT);
        Random random = new Random(3);
        byte[] first = new byte[3 * BlockGeometry.BLOCK_BYTES];
        random.nextBytes(first);
        ByteRange range = ByteRange.ofBlocks(5, 3);
        try (TestAgent agent = new TestAgent(cluster, AGENT, volume.id())) {
            agent.write(range, first);
            agent.flush();
            assertThat(agent.read(range)).isEqualTo(first);
            agent.trim(ByteRange.ofBlocks(6, 1));
            assertThat(agent.read(ByteRange.ofBlocks(6, 1))).containsOnly(0);
            String primary = volume.primaryNode().orElseThrow().value();
            cluster.stopInside(primary);
            byte[] second = new byte[BlockGeometry.BLOCK_BYTES];
            random.nextBytes(second);
            agent.write(ByteRange.ofBlocks(5, 1), second);
            assertThat(agent.read(ByteRange.ofBlocks(5, 1))).isEqualTo(second);
            assertThat(cluster.record(volume.id()).orElseThrow().primaryNode()).isNotEqualTo(volume.primaryNode());
            startNode(primary, loops);
            until(
                    "the stopped node is back in sync",
                    () -> cluster.record(volume.id())
                                    .orElseThrow()
                                    .config()
                                    .inSync()
                                    .size()
                            == Cluster.names().size());
            assertThat(agent.read(ByteRange.ofBlocks(5, 1))).isEqualTo(second);
        }
    }

    @Test
    void agentWithoutAttachmentIsRefused() throws Exception {
        startAll(1);
        VolumeRecord volume = cluster.createVolume(VOLUME_BYTES, new NodeName("somebody-else"));
        try (TestAgent agent = new TestAgent(cluster, AGENT, volume.id(), 3)) {
            assertThatThrownBy(() -> agent.write(ByteRange.ofBlocks(0, 1), new byte[BlockGeometry.BLOCK_BYTES]))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void diskThatWasRolledBackServesNothing() throws Exception {
        startNode("n3", 1);
        cluster.stopInside("n3");
        MemoryDisk copied = disks.get("n3");
        assertThat(copied).isNotNull();
        copied.rollBack();
        startNode("n3", 1);
        until("the disk was judged", () -> diskState("n3").equals("refused"));
        assertThat(cluster.inside("n3").report().facts().disks().getFirst().reason())
                .contains("rolled back or copied");
    }

    @Test
    void nodeStartsWithoutTheConfigurationStoreAndServesOnceItIsThere() throws Exception {
        cluster.stopStore();
        startNode("n1", 1);
        assertThat(diskState("n1")).isEqualTo("checking");
        cluster.restartStore();
        until("the disk serves", () -> diskState("n1").equals("serving"));
    }

    @Test
    void portInUseIsOneClearLine() throws Exception {
        startNode("n1", 1);
        int taken = cluster.dataPort("n1");
        String[] arguments = cluster.arguments("n3", taken, 0, 0).toArray(new String[0]);
        assertThatThrownBy(() -> StorageNode.start(NodeOptions.parse(List.of(arguments)), new MemoryDisk().opening()))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("127.0.0.1:" + taken);
    }

    @Test
    void certificateOfAnotherNodeIsOneClearLine() {
        String[] arguments = cluster.arguments("n3", 0, 0, 0).toArray(new String[0]);
        arguments[1] = "n2";
        assertThatThrownBy(() -> StorageNode.start(NodeOptions.parse(List.of(arguments)), new MemoryDisk().opening()))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("node/n3")
                .hasMessageContaining("node/n2");
    }
}
