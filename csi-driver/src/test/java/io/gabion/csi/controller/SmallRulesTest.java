package io.gabion.csi.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import csi.v1.CapacityRange;
import csi.v1.VolumeCapability;
import csi.v1.VolumeCapability.AccessMode;
import io.gabion.csi.backend.StoredPool.Room;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.model.NodeName;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Sizes, names, pages, capacities and capabilities: rules without state. */
final class SmallRulesTest {
    private static final long MIB = 1L << 20;

    private static VolumeCapability capability(AccessMode.Mode mode, String fsType, String... flags) {
        return VolumeCapability.newBuilder()
                .setMount(VolumeCapability.MountVolume.newBuilder()
                        .setFsType(fsType)
                        .addAllMountFlags(List.of(flags)))
                .setAccessMode(AccessMode.newBuilder().setMode(mode))
                .build();
    }

    private static CapacityRange range(long required, long limit) {
        return CapacityRange.newBuilder()
                .setRequiredBytes(required)
                .setLimitBytes(limit)
                .build();
    }

    @Test
    void sizesAreRoundedUpToABlockAndToWhatTheFileSystemNeeds() {
        List<VolumeCapability> xfs = List.of(capability(AccessMode.Mode.SINGLE_NODE_WRITER, "xfs"));

        assertThat(VolumeSizes.ofNew(range(10 * MIB + 1, 0), List.of())).isEqualTo(10 * MIB + 4096);
        assertThat(VolumeSizes.ofNew(range(MIB, 0), xfs)).isEqualTo(300 * MIB);
        assertThat(VolumeSizes.ofNew(range(0, 0), List.of())).isEqualTo(VolumeSizes.DEFAULT_BYTES);
        assertThat(VolumeSizes.ofNew(range(0, 5 * MIB + 1), List.of())).isEqualTo(5 * MIB);
        assertThatThrownBy(() -> VolumeSizes.ofNew(range(MIB, 200 * MIB), xfs))
                .hasMessageContaining("smallest that would do has 314572800 bytes");
        assertThatThrownBy(() -> VolumeSizes.ofNew(range(2L << 50, 0), List.of()))
                .isInstanceOfSatisfying(
                        CsiFailure.class, e -> assertThat(e.code()).isEqualTo(Status.Code.OUT_OF_RANGE));
        assertThat(VolumeSizes.ofGrown(range(MIB, 0), 5 * MIB)).isEqualTo(5 * MIB);
    }

    @Test
    void namesThatAreObjectNamesStayAndOthersAreHashed() {
        assertThat(ObjectNames.of("pvc-0a1b")).isEqualTo("pvc-0a1b");
        String strange = ObjectNames.of("Träger " + "x".repeat(110));
        assertThat(strange).matches("csi-[0-9a-f]{32}").isNotEqualTo(ObjectNames.of("Träger x"));
        assertThatThrownBy(() -> ObjectNames.of("x".repeat(129))).hasMessageContaining("more than 128");
        assertThatThrownBy(() -> ObjectNames.of("a\nb")).hasMessageContaining("control character");
        assertThat(ObjectNames.isObjectName("fake-vol-id-1")).isTrue();
        assertThat(ObjectNames.isObjectName("../etc")).isFalse();
    }

    @Test
    void pagesNeitherRepeatNorLoseWhatStaysWhenOthersComeAndGo() {
        List<String> names = new ArrayList<>(List.of("a", "c", "e", "g"));
        Page<String> first = Page.of(names, name -> name, 2, "");
        assertThat(first.entries()).containsExactly("a", "c");
        names.remove("c");
        names.add(1, "b");
        Page<String> second = Page.of(names, name -> name, 2, first.nextToken());
        assertThat(second.entries()).containsExactly("e", "g");
        assertThat(second.nextToken()).isEmpty();
        for (String bad : List.of("invalid-token", "*", "djI6YQ", "x".repeat(2000))) {
            assertThatThrownBy(() -> Page.of(names, name -> name, 2, bad))
                    .isInstanceOfSatisfying(
                            CsiFailure.class, e -> assertThat(e.code()).isEqualTo(Status.Code.ABORTED));
        }
    }

    private static Room room(String node, String domain, long bytes) {
        return new Room(new NodeName(node), domain, bytes);
    }

    @Test
    void capacityCountsCopiesInDifferentFailureDomainsOnly() {
        List<Room> rooms = List.of(room("a", "x", 100), room("b", "x", 100), room("c", "y", 60), room("d", "z", 30));

        assertThat(UsableCapacity.of(rooms, 1)).isEqualTo(new UsableCapacity(290, 100));
        // y and z together take 90, so no more than 90 has a second copy outside x.
        assertThat(UsableCapacity.of(rooms, 2)).isEqualTo(new UsableCapacity(90, 60));
        assertThat(UsableCapacity.of(rooms, 3)).isEqualTo(new UsableCapacity(30, 30));
        assertThat(UsableCapacity.of(rooms, 4)).isEqualTo(new UsableCapacity(0, 0));
        assertThat(UsableCapacity.of(List.of(room("a", "x", -5)), 1)).isEqualTo(new UsableCapacity(0, 0));
    }

    @Test
    void sharedWritingIsRefusedWithTheWayOut() {
        assertThat(Capabilities.obstacle(capability(AccessMode.Mode.MULTI_NODE_MULTI_WRITER, "")))
                .contains(
                        "access mode ReadWriteMany is not supported: a volume is a block device of one node at a time;"
                                + " use ReadWriteOnce (any number of pods on one node) or ReadWriteOncePod, or share files"
                                + " through a server that runs on such a volume");
        VolumeCapability block = VolumeCapability.newBuilder()
                .setBlock(VolumeCapability.BlockVolume.getDefaultInstance())
                .setAccessMode(AccessMode.newBuilder().setMode(AccessMode.Mode.MULTI_NODE_MULTI_WRITER))
                .build();
        assertThat(Capabilities.obstacle(block))
                .contains("access mode ReadWriteMany of a raw block volume is not supported yet; use ReadWriteOnce or"
                        + " ReadWriteOncePod");
    }

    @Test
    void fileSystemsAndMountOptionsAreCheckedBeforeAnythingIsMade() {
        assertThat(Capabilities.obstacle(capability(AccessMode.Mode.SINGLE_NODE_WRITER, "btrfs")))
                .contains("file system \"btrfs\" is not supported; use ext4 or xfs");
        assertThat(Capabilities.obstacle(capability(
                        AccessMode.Mode.SINGLE_NODE_WRITER,
                        "xfs",
                        "noatime",
                        "logbufs=8",
                        "context=\"system_u:object_r:container_file_t:s0:c1,c2\"")))
                .isEmpty();
        for (String evil : List.of("logdev=/dev/sda", "loop", "bind", "noatime,loop", "x-mount.mkdir", "data=a/b")) {
            assertThat(Capabilities.obstacle(capability(AccessMode.Mode.SINGLE_NODE_WRITER, "xfs", evil)))
                    .as(evil)
                    .hasValueSatisfying(reason -> assertThat(reason).contains("mount option \"" + evil + "\""));
        }
    }
}
