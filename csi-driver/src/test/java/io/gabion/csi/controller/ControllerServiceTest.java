package io.gabion.csi.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import csi.v1.CapacityRange;
import csi.v1.ControllerExpandVolumeRequest;
import csi.v1.ControllerGetCapabilitiesRequest;
import csi.v1.ControllerGetVolumeHealthRequest;
import csi.v1.ControllerGrpc;
import csi.v1.ControllerGrpc.ControllerBlockingStub;
import csi.v1.ControllerModifyVolumeRequest;
import csi.v1.ControllerPublishVolumeRequest;
import csi.v1.ControllerServiceCapability.RPC;
import csi.v1.ControllerUnpublishVolumeRequest;
import csi.v1.CreateSnapshotRequest;
import csi.v1.CreateVolumeRequest;
import csi.v1.DeleteVolumeRequest;
import csi.v1.GetCapacityRequest;
import csi.v1.ListVolumesRequest;
import csi.v1.VolumeCapability;
import csi.v1.VolumeCapability.AccessMode.Mode;
import csi.v1.VolumeHealthErrorType;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.StoredVolume.Holds;
import io.gabion.csi.fake.InMemoryVolumes;
import io.gabion.csi.fake.Requests;
import io.gabion.csi.fake.TestDriver;
import io.gabion.model.VolumeConfig;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
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

/** The controller over its socket, on a cluster in memory. */
final class ControllerServiceTest {
    private static final long MIB = 1L << 20;
    private static final int SHORT_MILLIS = 700;
    private static final String OTHER = "other-node";

    @TempDir
    private Path directory = Path.of("");

    private TestDriver driver;
    private InMemoryVolumes volumes;
    private ControllerBlockingStub controller;

    @BeforeEach
    void start() throws IOException {
        driver = new TestDriver(directory, true);
        volumes = driver.volumes;
        controller = ControllerGrpc.newBlockingStub(driver.channel());
    }

    @AfterEach
    void stop() {
        driver.close();
    }

    private static void refused(Status.Code code, String message, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(
                                e.getStatus().getCode())
                        .as(e.getMessage())
                        .isEqualTo(code))
                .hasMessageContaining(message);
    }

    private ControllerBlockingStub inAHurry() {
        return controller.withDeadlineAfter(SHORT_MILLIS, TimeUnit.MILLISECONDS);
    }

    private String create(String name) {
        return controller
                .createVolume(Requests.create(name, 8 * MIB))
                .getVolume()
                .getVolumeId();
    }

    private long publish(String volume, String node, Mode mode) {
        return Long.parseLong(controller
                .controllerPublishVolume(publication(volume, node, mode))
                .getPublishContextOrThrow(ControllerService.GENERATION));
    }

    private static ControllerPublishVolumeRequest publication(String volume, String node, Mode mode) {
        return ControllerPublishVolumeRequest.newBuilder()
                .setVolumeId(volume)
                .setNodeId(node)
                .setVolumeCapability(Requests.mount(mode, ""))
                .build();
    }

    private void unpublish(String volume, String node) {
        var unused = controller.controllerUnpublishVolume(ControllerUnpublishVolumeRequest.newBuilder()
                .setVolumeId(volume)
                .setNodeId(node)
                .build());
    }

    private void delete(String volume) {
        var unused = controller.deleteVolume(
                DeleteVolumeRequest.newBuilder().setVolumeId(volume).build());
    }

    private VolumeConfig config(String volume) {
        return volumes.find(volume).flatMap(StoredVolume::config).orElseThrow();
    }

    // ---- creation
    @Test
    void theSameRequestGetsTheSameVolumeAndAnotherOneOfTheNameIsRefused() {
        assertThat(create("pvc-1")).isEqualTo("pvc-1").isEqualTo(create("pvc-1"));

        refused(
                Status.Code.ALREADY_EXISTS,
                "exists with another size: 8388608 bytes",
                () -> controller.createVolume(Requests.create("pvc-1", 9 * MIB)));
        refused(
                Status.Code.ALREADY_EXISTS,
                "exists with other parameters",
                () -> controller.createVolume(Requests.create("pvc-1", 8 * MIB).toBuilder()
                        .putParameters("replicas", "2")
                        .build()));
    }

    @Test
    void aVolumeWithoutAPlaceIsRefusedForGoodAndLeavesNothingBehind() {
        volumes.refuseToPlace("NoSpace", "no node of the pool has 8 MiB left");

        refused(
                Status.Code.RESOURCE_EXHAUSTED,
                "volume \"pvc-1\" has no place: NoSpace: no node of the pool has 8 MiB left",
                () -> create("pvc-1"));
        assertThat(volumes.list()).isEmpty();
    }

    @Test
    void aVolumeThatIsNotPlacedInTimeIsFoundByTheRepeatedCall() {
        volumes.stopPlacing();
        refused(Status.Code.DEADLINE_EXCEEDED, "has no place yet (the operator has not looked at it)", () -> inAHurry()
                .createVolume(Requests.create("pvc-1", 8 * MIB)));
        StoredVolume waiting = volumes.find("pvc-1").orElseThrow();

        volumes.place("pvc-1");
        assertThat(create("pvc-1")).isEqualTo("pvc-1");
        assertThat(volumes.find("pvc-1").orElseThrow().id()).isEqualTo(waiting.id());
    }

    @Test
    void aSecondOperationOnAVolumeInWorkIsAborted() throws Exception {
        volumes.stopPlacing();
        CountDownLatch asked = new CountDownLatch(1);
        volumes.onWait(asked::countDown);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<String> first = threads.submit(() -> create("pvc-1"));
            assertThat(asked.await(20, TimeUnit.SECONDS)).isTrue();

            refused(
                    Status.Code.ABORTED,
                    "another operation on volume \"pvc-1\" is still under way; try again",
                    () -> create("pvc-1"));
            refused(Status.Code.ABORTED, "still under way", () -> delete("pvc-1"));
            volumes.place("pvc-1");
            assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo("pvc-1");
        }
        delete("pvc-1");
        assertThat(volumes.list()).isEmpty();
    }

    @Test
    void whileTheClusterCannotBeAskedCallersAreToldToComeAgain() {
        volumes.setReachable(false);

        refused(Status.Code.UNAVAILABLE, "the API server cannot be reached", () -> create("pvc-1"));
    }

    // ---- publication
    @Test
    void everyPublicationGetsAGenerationOfItsOwnAndOneNodeAtATime() {
        String volume = create("pvc-1");
        assertThat(publish(volume, TestDriver.NODE, Mode.SINGLE_NODE_MULTI_WRITER))
                .isEqualTo(1)
                .isEqualTo(publish(volume, TestDriver.NODE, Mode.SINGLE_NODE_MULTI_WRITER));

        refused(
                Status.Code.FAILED_PRECONDITION,
                "volume \"pvc-1\" is published at node \"test-node\"; a volume is one node's at a time",
                () -> publish(volume, OTHER, Mode.SINGLE_NODE_MULTI_WRITER));
        refused(
                Status.Code.ALREADY_EXISTS,
                "is published at node \"test-node\" for writing, not read-only",
                () -> publish(volume, TestDriver.NODE, Mode.MULTI_NODE_READER_ONLY));
        unpublish(volume, TestDriver.NODE);
        assertThat(publish(volume, OTHER, Mode.SINGLE_NODE_MULTI_WRITER))
                .isGreaterThanOrEqualTo(config(volume).sessionFloor())
                .isGreaterThan(1);
    }

    @Test
    void nobodyGetsTheVolumeBeforeThePrimaryConfirmsThatTheOldSessionIsRefused() {
        String volume = create("pvc-1");
        publish(volume, TestDriver.NODE, Mode.SINGLE_NODE_WRITER);
        driver.witness.fallSilent();

        refused(Status.Code.DEADLINE_EXCEEDED, "waiting until the acting primary confirms", () -> inAHurry()
                .controllerUnpublishVolume(ControllerUnpublishVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setNodeId(TestDriver.NODE)
                        .build()));
        refused(
                Status.Code.FAILED_PRECONDITION,
                "at node \"test-node\", whose session is being fenced",
                () -> publish(volume, OTHER, Mode.SINGLE_NODE_WRITER));
    }

    @Test
    void withoutANodeTheVolumeIsTakenFromAll() {
        String volume = create("pvc-1");
        publish(volume, OTHER, Mode.SINGLE_NODE_WRITER);
        unpublish(volume, "");

        assertThat(config(volume).attachments()).isEmpty();
        unpublish(volume, OTHER);
        unpublish(volume, "a-node-that-never-was");
        unpublish("a-volume-that-never-was", OTHER);
    }

    @Test
    void whatTakesPartInAPublicationMustExist() {
        String volume = create("pvc-1");

        refused(
                Status.Code.NOT_FOUND,
                "node \"nobody\" does not exist",
                () -> publish(volume, "nobody", Mode.SINGLE_NODE_WRITER));
        refused(
                Status.Code.NOT_FOUND,
                "volume \"pvc-2\" does not exist",
                () -> publish("pvc-2", TestDriver.NODE, Mode.SINGLE_NODE_WRITER));
        assertThat(publish(volume, TestDriver.NODE, Mode.SINGLE_NODE_READER_ONLY))
                .isEqualTo(1);
        assertThat(config(volume).attachments().getFirst().readOnly()).isTrue();
    }

    // ---- deletion
    @Test
    void aVolumeInUseOrUnderProtectionIsNotDeleted() {
        String volume = create("pvc-1");
        publish(volume, TestDriver.NODE, Mode.SINGLE_NODE_WRITER);
        refused(Status.Code.FAILED_PRECONDITION, "is in use at node \"test-node\"", () -> delete(volume));

        unpublish(volume, TestDriver.NODE);
        volumes.protect(volume);
        refused(
                Status.Code.FAILED_PRECONDITION,
                "kubectl patch volume pvc-1 --type merge -p '{\"spec\":{\"deletionProtection\":false}}'",
                () -> delete(volume));
    }

    @Test
    void deletionIsAnsweredOnlyWhenTheVolumeIsGone() {
        String volume = create("pvc-1");
        volumes.stopErasing();
        refused(Status.Code.DEADLINE_EXCEEDED, "volume \"pvc-1\" is being deleted", () -> inAHurry()
                .deleteVolume(
                        DeleteVolumeRequest.newBuilder().setVolumeId(volume).build()));
        refused(Status.Code.ABORTED, "of the same name is still being deleted", () -> create("pvc-1"));
        delete("pvc-that-never-was");
        delete("../etc/passwd");
    }

    // ---- growth and change
    private long expand(ControllerBlockingStub stub, String volume, long required, long limit) {
        return stub.controllerExpandVolume(ControllerExpandVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setCapacityRange(CapacityRange.newBuilder()
                                .setRequiredBytes(required)
                                .setLimitBytes(limit))
                        .build())
                .getCapacityBytes();
    }

    @Test
    void growthIsAnsweredWhenEveryCopyHasTheSpace() {
        String volume = create("pvc-1");
        assertThat(expand(controller, volume, 16 * MIB, 0)).isEqualTo(16 * MIB);
        // Smaller than it is: nothing to do, and never a shrink.
        assertThat(expand(controller, volume, 4 * MIB, 0)).isEqualTo(16 * MIB);
        refused(Status.Code.OUT_OF_RANGE, "at most 8388608 bytes", () -> expand(controller, volume, MIB, 8 * MIB));

        volumes.stopGrowing();
        volumes.observe(volume, "Stalled", Holds.YES, "PoolFull", "node-2 has no space");
        refused(
                Status.Code.DEADLINE_EXCEEDED,
                "is asked to grow to 33554432 bytes but has 16777216 so far: PoolFull: node-2 has no space",
                () -> expand(inAHurry(), volume, 32 * MIB, 0));
    }

    @Test
    void attributesChangeTogetherOrNotAtAll() {
        String volume = create("pvc-1");
        var unused = controller.controllerModifyVolume(ControllerModifyVolumeRequest.newBuilder()
                .setVolumeId(volume)
                .putChangeableParameters("replicas", "2")
                .putChangeableParameters("qosIops", "500")
                .build());
        assertThat(volumes.find(volume).orElseThrow().settings().replicas()).isEqualTo(2);
        assertThat(volumes.find(volume).orElseThrow().settings().limits().iops())
                .hasValue(500);

        refused(
                Status.Code.INVALID_ARGUMENT,
                "parameter \"localty\" is not known; did you mean \"locality\"?",
                () -> controller.controllerModifyVolume(ControllerModifyVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .putChangeableParameters("replicas", "1")
                        .putChangeableParameters("localty", "None")
                        .build()));
        assertThat(volumes.find(volume).orElseThrow().settings().replicas()).isEqualTo(2);
    }

    // ---- questions
    @Test
    void capacityIsThatOfTheClassAndNoObstacleWhereARefusalTellsMore() {
        GetCapacityRequest request =
                GetCapacityRequest.newBuilder().putParameters("replicas", "3").build();
        assertThat(controller.getCapacity(request).getAvailableCapacity()).isEqualTo(4L << 40);
        assertThat(controller.getCapacity(request).getMaximumVolumeSize().getValue())
                .isEqualTo(4L << 40);
        assertThat(controller
                        .getCapacity(request.toBuilder()
                                .putParameters("replicas", "4")
                                .build())
                        .getAvailableCapacity())
                .as("there are three failure domains")
                .isEqualTo(VolumeSizes.MAX_BYTES);
        assertThat(controller
                        .getCapacity(request.toBuilder()
                                .putParameters("pool", "nowhere")
                                .build())
                        .getAvailableCapacity())
                .isEqualTo(VolumeSizes.MAX_BYTES);
        VolumeCapability shared = Requests.mount(Mode.MULTI_NODE_MULTI_WRITER, "");
        assertThat(controller
                        .getCapacity(request.toBuilder()
                                .addVolumeCapabilities(shared)
                                .build())
                        .getAvailableCapacity())
                .isZero();
    }

    @Test
    void aListTellsWhereVolumesArePublished() {
        publish(create("pvc-1"), OTHER, Mode.SINGLE_NODE_WRITER);
        create("pvc-2");

        assertThat(controller
                        .listVolumes(ListVolumesRequest.getDefaultInstance())
                        .getEntriesList())
                .extracting(e -> e.getVolume().getVolumeId()
                        + e.getStatus().getPublishedNodeIdsList().stream().toList())
                .containsExactly("pvc-1[other-node]", "pvc-2[]");
    }

    @Test
    void aMissingCopyIsToldAsDegradedAndAVolumeThatCannotServeAsInaccessible() {
        String volume = create("pvc-1");
        ControllerGetVolumeHealthRequest question = ControllerGetVolumeHealthRequest.newBuilder()
                .setVolumeId(volume)
                .build();
        assertThat(controller
                        .controllerGetVolumeHealth(question)
                        .getVolumeHealth()
                        .getHealthStatusesList())
                .isEmpty();
        volumes.observe(volume, "Redundant", Holds.NO, "ReplicaMissing", "2 of 3 copies are in sync");
        volumes.observe(volume, "Ready", Holds.NO, "NoPrimary", "no copy serves");

        assertThat(controller
                        .controllerGetVolumeHealth(question)
                        .getVolumeHealth()
                        .getHealthStatusesList())
                .extracting(e -> e.getStatus() + " " + e.getReason() + ": " + e.getMessage())
                .containsExactlyInAnyOrder(
                        VolumeHealthErrorType.DEGRADED + " ReplicaMissing: 2 of 3 copies are in sync",
                        VolumeHealthErrorType.INACCESSIBLE + " NoPrimary: no copy serves");
    }

    @Test
    void whatIsNotThereYetIsNeitherOfferedNorAnswered() throws IOException {
        assertThat(capabilities(controller))
                .doesNotContain(
                        RPC.Type.CREATE_DELETE_SNAPSHOT,
                        RPC.Type.LIST_SNAPSHOTS,
                        RPC.Type.GET_SNAPSHOT,
                        RPC.Type.CLONE_VOLUME)
                .contains(RPC.Type.GET_VOLUME, RPC.Type.GET_VOLUME_HEALTH);
        refused(
                Status.Code.UNIMPLEMENTED,
                "",
                () -> controller.createSnapshot(CreateSnapshotRequest.newBuilder()
                        .setName("s")
                        .setSourceVolumeId("v")
                        .build()));
        try (TestDriver plain = new TestDriver(directory.resolve("plain"), false)) {
            ControllerBlockingStub withoutAlpha = ControllerGrpc.newBlockingStub(plain.channel());
            assertThat(capabilities(withoutAlpha))
                    .doesNotContain(RPC.Type.GET_VOLUME, RPC.Type.GET_VOLUME_HEALTH, RPC.Type.LIST_VOLUME_HEALTH)
                    .contains(RPC.Type.SINGLE_NODE_MULTI_WRITER, RPC.Type.MODIFY_VOLUME);
            refused(
                    Status.Code.UNIMPLEMENTED,
                    "start the driver with --alpha yes",
                    () -> withoutAlpha.controllerGetVolumeHealth(ControllerGetVolumeHealthRequest.newBuilder()
                            .setVolumeId("v")
                            .build()));
        }
    }

    private static List<RPC.Type> capabilities(ControllerBlockingStub stub) {
        return stub
                .controllerGetCapabilities(ControllerGetCapabilitiesRequest.getDefaultInstance())
                .getCapabilitiesList()
                .stream()
                .map(capability -> capability.getRpc().getType())
                .toList();
    }

    @Test
    void aRequestIsReadToItsLastFieldBeforeAnythingIsLookedUp() {
        volumes.setReachable(false);

        refused(
                Status.Code.INVALID_ARGUMENT,
                "volume_capabilities is missing",
                () -> controller.createVolume(
                        CreateVolumeRequest.newBuilder().setName("pvc-1").build()));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "node_id is missing",
                () -> controller.controllerPublishVolume(ControllerPublishVolumeRequest.newBuilder()
                        .setVolumeId("pvc-1")
                        .build()));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "capacity_range is missing",
                () -> controller.controllerExpandVolume(ControllerExpandVolumeRequest.newBuilder()
                        .setVolumeId("pvc-1")
                        .build()));
    }
}
