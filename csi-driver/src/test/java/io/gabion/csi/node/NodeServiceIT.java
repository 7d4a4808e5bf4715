package io.gabion.csi.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import csi.v1.CapacityRange;
import csi.v1.NodeExpandVolumeRequest;
import csi.v1.NodeGetInfoRequest;
import csi.v1.NodeGetInfoResponse;
import csi.v1.NodeGetVolumeHealthRequest;
import csi.v1.NodeGetVolumeStatsRequest;
import csi.v1.NodePublishVolumeRequest;
import csi.v1.NodeStageVolumeRequest;
import csi.v1.VolumeCapability.AccessMode.Mode;
import csi.v1.VolumeUsage;
import io.gabion.csi.fake.NodeSteps;
import io.gabion.csi.fake.Requests;
import io.gabion.csi.fake.TestDriver;
import io.gabion.csi.host.MountTable;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The node service over its socket, with real file systems on loop devices. Needs root. */
final class NodeServiceIT {
    private static final long MIB = 1L << 20;
    /** The smallest that mkfs.xfs makes something on. */
    private static final long SIZE_BYTES = 320 * MIB;

    @TempDir
    private Path directory = Path.of("");

    private TestDriver driver;
    private NodeSteps node;

    @BeforeEach
    void start() throws IOException {
        assumeTrue(NodeSteps.isRoot(), "mounting needs root");
        driver = new TestDriver(directory, true);
        node = new NodeSteps(driver, directory);
    }

    @AfterEach
    void stop() {
        if (node != null) {
            node.close();
            driver.close();
        }
    }

    private static void refused(Status.Code code, String message, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(
                                e.getStatus().getCode())
                        .as(e.getMessage())
                        .isEqualTo(code))
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs"})
    void whatIsWrittenIsThereAfterTheVolumeWentAndCameBack(String type) throws IOException {
        var volume = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_MULTI_WRITER, type, "noatime"), SIZE_BYTES);
        Path target = volume.publish("pod-1");
        Files.writeString(target.resolve("file"), "kept");
        assertThat(MountTable.read().at(target).orElseThrow().type()).isEqualTo(type);
        // Repeated calls find their work done.
        volume.stage();
        assertThat(volume.publish("pod-1")).isEqualTo(target);
        Path second = volume.publish("pod-2");
        assertThat(second.resolve("file")).hasContent("kept");

        volume.unpublish("pod-1");
        volume.unpublish("pod-1");
        volume.unpublish("pod-2");
        assertThat(target).doesNotExist();
        volume.unstage();
        volume.unstage();
        assertThat(driver.agent.attachments()).isEmpty();

        assertThat(volume.stage().publish("pod-3").resolve("file")).hasContent("kept");
    }

    @Test
    void aRawVolumeIsADeviceFileOfItsSizeAndNoFileSystemIsMadeOnIt() throws IOException {
        var volume = node.volume("pvc-1", Requests.block(Mode.SINGLE_NODE_WRITER), 8 * MIB);
        Path target = volume.publish("pod-1");
        assertThat(driver.agent.wasWritten(
                        driver.volumes.find("pvc-1").orElseThrow().id()))
                .isFalse();
        assertThat(node.stats(volume, target).getUsageList())
                .containsExactly(VolumeUsage.newBuilder()
                        .setUnit(VolumeUsage.Unit.BYTES)
                        .setTotal(8 * MIB)
                        .build());

        volume.unpublish("pod-1");
        assertThat(target).doesNotExist();
    }

    @Test
    void aVolumeThatWasWrittenToIsNeverFormatted() {
        var raw = node.volume("pvc-1", Requests.block(Mode.SINGLE_NODE_WRITER), SIZE_BYTES);
        Path target = raw.publish("pod-1");
        node.run("dd", "if=/dev/urandom", "of=" + target, "bs=4096", "seek=100", "count=10", "conv=notrunc,fsync");
        raw.unpublish("pod-1");
        raw.unstage();
        var mounted = raw.as(Requests.mount(Mode.SINGLE_NODE_WRITER, "ext4"));

        refused(
                Status.Code.FAILED_PRECONDITION,
                "volume \"pvc-1\" was written to but holds no file system that is known; it is not formatted",
                mounted::stage);
    }

    @Test
    void aVolumeWithAnotherFileSystemOrAPartitionTableIsNotFormatted() {
        var ext4 = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_WRITER, "ext4"), SIZE_BYTES);
        ext4.stage().unstage();

        refused(Status.Code.FAILED_PRECONDITION, "volume \"pvc-1\" holds ext4, not xfs", () -> ext4.as(
                        Requests.mount(Mode.SINGLE_NODE_WRITER, "xfs"))
                .stage());
    }

    @Test
    void aFileSystemWhoseMakingWasInterruptedIsMadeAgain() throws IOException {
        var volume = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_WRITER, "xfs"), SIZE_BYTES);
        Path file = node.file("pvc-1");
        String text = "gabion: a file system is being made on this volume\n";
        String block = text.repeat(100).substring(0, 4096);
        node.run("truncate", "-s", Long.toString(SIZE_BYTES), file.toString());
        node.run("mkfs.xfs", "-q", file.toString());
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            assertThat(channel.write(
                            ByteBuffer.wrap(block.getBytes(StandardCharsets.US_ASCII)), SIZE_BYTES - block.length()))
                    .isEqualTo(block.length());
        }

        Path target = volume.publish("pod-1");
        Files.writeString(target.resolve("file"), "works");
        assertThat(target.resolve("file")).hasContent("works");
    }

    @Test
    void readOnlyIsReadOnlyAllTheWayDown() throws IOException {
        var writable = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_MULTI_WRITER, "ext4"), SIZE_BYTES);
        Files.writeString(writable.publish("pod-1").resolve("file"), "kept");
        Path readOnly = writable.publishReadOnly("pod-2");
        assertThat(readOnly.resolve("file")).hasContent("kept");
        assertThatThrownBy(() -> Files.writeString(readOnly.resolve("other"), "no"))
                .isInstanceOf(FileSystemException.class);
        refused(
                Status.Code.ALREADY_EXISTS,
                "is published at " + readOnly + " read-only",
                () -> writable.publish("pod-2"));
        writable.unpublish("pod-1");
        writable.unpublish("pod-2");
        writable.unstage();

        var reader = writable.as(Requests.mount(Mode.MULTI_NODE_READER_ONLY, "ext4"));
        Path target = reader.publish("pod-3");
        assertThat(target.resolve("file")).hasContent("kept");
        assertThatThrownBy(() -> Files.writeString(target.resolve("other"), "no"))
                .isInstanceOf(FileSystemException.class);
    }

    @Test
    void aNewVolumeIsNotFormattedForAReader() {
        var volume = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_READER_ONLY, "ext4"), SIZE_BYTES);

        refused(Status.Code.FAILED_PRECONDITION, "has no file system and is attached read-only", volume::stage);
    }

    @Test
    void aSingleWriterIsASingleWorkload() {
        var alone = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_SINGLE_WRITER, "ext4"), SIZE_BYTES);
        alone.publish("pod-1");

        refused(
                Status.Code.FAILED_PRECONDITION,
                "its access mode allows only one workload",
                () -> alone.publish("pod-2"));
        alone.unpublish("pod-1");
        alone.publish("pod-2");
    }

    @Test
    void aMountedFileSystemAndARawDeviceGrowWhileTheyAreUsed() throws IOException {
        for (String type : List.of("ext4", "xfs")) {
            var volume = node.volume("pvc-" + type, Requests.mount(Mode.SINGLE_NODE_MULTI_WRITER, type), SIZE_BYTES);
            Path target = volume.publish("pod-" + type);
            Files.writeString(target.resolve("file"), "kept");
            if (type.equals("ext4") && !NodeSteps.mayGrowMountedExt4()) {
                refused(Status.Code.FAILED_PRECONDITION, "CAP_SYS_RESOURCE is missing", () -> grow(volume, target));
                volume.unpublish("pod-" + type);
                volume.unstage();
                volume.publish("pod-" + type);
            }
            assertThat(grow(volume, target)).isEqualTo(2 * SIZE_BYTES);
            assertThat(node.stats(volume, target).getUsage(0).getTotal()).isGreaterThan(SIZE_BYTES * 3 / 2);
            assertThat(target.resolve("file")).hasContent("kept");
        }
        var raw = node.volume("pvc-raw", Requests.block(Mode.SINGLE_NODE_WRITER), SIZE_BYTES);
        Path device = raw.publish("pod-raw");
        assertThat(grow(raw, device)).isEqualTo(2 * SIZE_BYTES);
        assertThat(node.stats(raw, device).getUsage(0).getTotal()).isEqualTo(2 * SIZE_BYTES);
    }

    private long grow(NodeSteps.Steps volume, Path path) {
        driver.volumes.changeSettings(
                driver.volumes.find(volume.name()).orElseThrow(),
                driver.volumes.find(volume.name()).orElseThrow().settings().withSizeBytes(2 * SIZE_BYTES));
        return node.stub()
                .nodeExpandVolume(NodeExpandVolumeRequest.newBuilder()
                        .setVolumeId(volume.name())
                        .setVolumePath(path.toString())
                        .setCapacityRange(CapacityRange.newBuilder().setRequiredBytes(2 * SIZE_BYTES))
                        .build())
                .getCapacityBytes();
    }

    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs"})
    void aVolumeThatGrewWhileItWasNowhereFillsItsDeviceWhenItComesBack(String type) {
        var volume = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_WRITER, type), SIZE_BYTES);
        volume.stage().unstage();
        driver.volumes.changeSettings(
                driver.volumes.find("pvc-1").orElseThrow(),
                driver.volumes.find("pvc-1").orElseThrow().settings().withSizeBytes(2 * SIZE_BYTES));

        assertThat(node.stats(volume, volume.publish("pod-1")).getUsage(0).getTotal())
                .isGreaterThan(SIZE_BYTES * 3 / 2);
    }

    @Test
    void aFencedVolumeFailsAtOnceAndUnstagesAlthoughItIsInUse() throws Exception {
        var volume = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_MULTI_WRITER, "ext4"), SIZE_BYTES);
        Path target = volume.publish("pod-1");
        Path file = Files.writeString(target.resolve("file"), "cached");
        try (FileChannel open = FileChannel.open(file, StandardOpenOption.WRITE)) {
            // Nothing is flushed when the file system is shut down.
            open.force(true);
            driver.agent.fence(driver.volumes.find("pvc-1").orElseThrow().id());
            node.eventually(Duration.ofSeconds(10), () -> fails(file));
            assertThat(fails(file)).isTrue();
            assertThat(node.stub()
                            .nodeGetVolumeHealth(NodeGetVolumeHealthRequest.newBuilder()
                                    .setVolumeId("pvc-1")
                                    .build())
                            .getVolumeHealth()
                            .getHealthStatuses(0)
                            .getReason())
                    .isEqualTo("Fenced");
            assertThat(open.isOpen()).isTrue();
        }
        volume.unpublish("pod-1");
        volume.unstage();
        assertThat(driver.agent.attachments()).isEmpty();
        assertThat(volume.stage().publish("pod-2").resolve("file")).exists();
    }

    private static boolean fails(Path file) {
        try {
            Files.readString(file);
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @Test
    void statisticsAreToldForWhatIsHereOnly() {
        var volume = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_MULTI_WRITER, "ext4"), SIZE_BYTES);
        Path target = volume.publish("pod-1");

        assertThat(node.stats(volume, target).getUsageList())
                .extracting(VolumeUsage::getUnit)
                .containsExactly(VolumeUsage.Unit.BYTES, VolumeUsage.Unit.INODES);
        assertThat(node.stats(volume, target).getUsage(0).getTotal()).isBetween(SIZE_BYTES / 2, SIZE_BYTES);
        refused(Status.Code.NOT_FOUND, "is not at /tmp", () -> node.stats(volume, Path.of("/tmp")));
        refused(Status.Code.NOT_FOUND, "volume \"pvc-2\" is not on this node", () -> node.stub()
                .nodeGetVolumeStats(NodeGetVolumeStatsRequest.newBuilder()
                        .setVolumeId("pvc-2")
                        .setVolumePath(target.toString())
                        .build()));
    }

    @Test
    void aSilentAgentIsReportedAndNothingHangs() {
        var volume = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_WRITER, "ext4"), SIZE_BYTES);
        driver.agent.setReachable(false);

        refused(Status.Code.UNAVAILABLE, "the agent does not answer", volume::stage);
        driver.agent.setReachable(true);
        volume.stage();
    }

    @Test
    void aSecondCallForAVolumeInWorkIsAborted() throws Exception {
        var volume = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_WRITER, "ext4"), SIZE_BYTES);
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        driver.agent.holdAttach(entered, released);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> first = threads.submit(volume::stage);
            assertThat(entered.await(20, TimeUnit.SECONDS)).isTrue();

            refused(Status.Code.ABORTED, "another operation on volume \"pvc-1\" is still under way", volume::stage);
            refused(Status.Code.ABORTED, "still under way", volume::unstage);
            released.countDown();
            first.get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void aDriverThatWasRestartedFindsEverythingAsItIs() throws IOException {
        var volume = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_SINGLE_WRITER, "ext4"), SIZE_BYTES);
        Path target = volume.publish("pod-1");
        Files.writeString(target.resolve("file"), "kept");
        driver.restart();

        assertThat(target.resolve("file")).hasContent("kept");
        assertThat(volume.publish("pod-1")).isEqualTo(target);
        refused(Status.Code.FAILED_PRECONDITION, "allows only one workload", () -> volume.publish("pod-2"));
        assertThat(node.stats(volume, target).getUsageCount()).isEqualTo(2);
        volume.unpublish("pod-1");
        volume.unstage();
        assertThat(driver.agent.attachments()).isEmpty();
    }

    @Test
    void inlineVolumesAndOrdersThatAreNotCompleteAreRefused() {
        var volume = node.volume("pvc-1", Requests.mount(Mode.SINGLE_NODE_WRITER, "ext4"), SIZE_BYTES);
        NodePublishVolumeRequest publication = NodePublishVolumeRequest.newBuilder()
                .setVolumeId("pvc-1")
                .setTargetPath(directory.resolve("target").toString())
                .setVolumeCapability(Requests.mount(Mode.SINGLE_NODE_WRITER, ""))
                .build();

        refused(
                Status.Code.INVALID_ARGUMENT,
                "inline volumes (volumes[].csi) are not supported; use a generic ephemeral volume:"
                        + " volumes[].ephemeral.volumeClaimTemplate",
                () -> node.stub()
                        .nodePublishVolume(publication.toBuilder()
                                .putVolumeContext("csi.storage.k8s.io/ephemeral", "true")
                                .build()));
        refused(Status.Code.FAILED_PRECONDITION, "staging_target_path is missing", () -> node.stub()
                .nodePublishVolume(publication));
        refused(Status.Code.INVALID_ARGUMENT, "publish_context.generation is missing or no number", () -> node.stub()
                .nodeStageVolume(NodeStageVolumeRequest.newBuilder()
                        .setVolumeId("pvc-1")
                        .setStagingTargetPath(volume.stagingPath().toString())
                        .setVolumeCapability(Requests.mount(Mode.SINGLE_NODE_WRITER, ""))
                        .build()));
        refused(Status.Code.FAILED_PRECONDITION, "is not staged on this node", () -> node.stub()
                .nodePublishVolume(publication.toBuilder()
                        .setStagingTargetPath(volume.stagingPath().toString())
                        .build()));
    }

    @Test
    void theNodeIsKnownByItsNameItsDomainAndItsLimit() {
        NodeGetInfoResponse info = node.stub().nodeGetInfo(NodeGetInfoRequest.getDefaultInstance());

        assertThat(info.getNodeId()).isEqualTo(TestDriver.NODE);
        assertThat(info.getMaxVolumesPerNode()).isEqualTo(64);
        assertThat(info.getAccessibleTopology().getSegmentsMap()).containsEntry(TopologyKey.DOMAIN, "default");
    }
}
