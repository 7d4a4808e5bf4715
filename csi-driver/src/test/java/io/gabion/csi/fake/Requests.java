package io.gabion.csi.fake;

import csi.v1.CapacityRange;
import csi.v1.CreateVolumeRequest;
import csi.v1.VolumeCapability;
import csi.v1.VolumeCapability.AccessMode;
import java.util.List;

/** Requests as an orchestrator makes them. */
public final class Requests {
    private Requests() {}

    public static CreateVolumeRequest create(String name, long bytes) {
        return CreateVolumeRequest.newBuilder()
                .setName(name)
                .setCapacityRange(CapacityRange.newBuilder().setRequiredBytes(bytes))
                .addVolumeCapabilities(mount(AccessMode.Mode.SINGLE_NODE_MULTI_WRITER, ""))
                .build();
    }

    public static VolumeCapability mount(AccessMode.Mode mode, String fsType, String... options) {
        return VolumeCapability.newBuilder()
                .setMount(VolumeCapability.MountVolume.newBuilder()
                        .setFsType(fsType)
                        .addAllMountFlags(List.of(options)))
                .setAccessMode(AccessMode.newBuilder().setMode(mode))
                .build();
    }

    public static VolumeCapability block(AccessMode.Mode mode) {
        return VolumeCapability.newBuilder()
                .setBlock(VolumeCapability.BlockVolume.getDefaultInstance())
                .setAccessMode(AccessMode.newBuilder().setMode(mode))
                .build();
    }
}
