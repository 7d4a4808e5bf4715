package io.gabion.csi.controller;

import csi.v1.VolumeCapability;
import csi.v1.VolumeCapability.AccessMode.Mode;
import io.gabion.csi.host.FileSystemType;
import io.gabion.csi.host.MountOptions;
import io.gabion.csi.rpc.CsiFailure;
import java.util.List;
import java.util.Optional;

/** How a volume may be used. A volume has one session at a time, so it is one node's at a time. */
public final class Capabilities {
    private static final int MAX_CAPABILITIES = 32;

    private Capabilities() {}

    /** Throws INVALID_ARGUMENT unless every capability is complete; whether it is supported is another question. */
    public static void checkPresent(List<VolumeCapability> capabilities) {
        if (capabilities.isEmpty()) {
            throw CsiFailure.missing("volume_capabilities");
        }
        if (capabilities.size() > MAX_CAPABILITIES) {
            throw CsiFailure.invalid("volume_capabilities has more than " + MAX_CAPABILITIES + " entries");
        }
        capabilities.forEach(Capabilities::checkPresent);
    }

    /** As {@link #checkPresent(List)}, for one. */
    public static void checkPresent(VolumeCapability capability) {
        if (capability.getAccessTypeCase() == VolumeCapability.AccessTypeCase.ACCESSTYPE_NOT_SET) {
            throw CsiFailure.missing("volume_capability.access_type");
        }
        if (!capability.hasAccessMode() || capability.getAccessMode().getMode() == Mode.UNKNOWN) {
            throw CsiFailure.missing("volume_capability.access_mode");
        }
    }

    /** Why the capability is not supported, for people; empty when it is. */
    public static Optional<String> obstacle(VolumeCapability capability) {
        Optional<String> mode = modeObstacle(capability);
        if (mode.isPresent() || !capability.hasMount()) {
            return mode;
        }
        VolumeCapability.MountVolume mount = capability.getMount();
        if (!mount.getVolumeMountGroup().isEmpty()) {
            return Optional.of("volume_mount_group is not supported; fsGroup of the pod is applied by the kubelet");
        }
        if (FileSystemType.find(mount.getFsType()).isEmpty()) {
            return Optional.of(
                    "file system \"" + mount.getFsType() + "\" is not supported; use " + FileSystemType.words());
        }
        return MountOptions.obstacle(mount.getMountFlagsList());
    }

    private static Optional<String> modeObstacle(VolumeCapability capability) {
        return switch (capability.getAccessMode().getMode()) {
            case SINGLE_NODE_WRITER,
                    SINGLE_NODE_READER_ONLY,
                    SINGLE_NODE_SINGLE_WRITER,
                    SINGLE_NODE_MULTI_WRITER,
                    // One node at a time; the second one is refused when it asks.
                    MULTI_NODE_READER_ONLY -> Optional.empty();
            case MULTI_NODE_SINGLE_WRITER ->
                Optional.of("access mode MULTI_NODE_SINGLE_WRITER is not supported; use ReadWriteOnce");
            case MULTI_NODE_MULTI_WRITER ->
                Optional.of(
                        capability.hasBlock()
                                ? "access mode ReadWriteMany of a raw block volume is not supported yet; use"
                                        + " ReadWriteOnce or ReadWriteOncePod"
                                : "access mode ReadWriteMany is not supported: a volume is a block device of one node"
                                        + " at a time; use ReadWriteOnce (any number of pods on one node) or"
                                        + " ReadWriteOncePod, or share files through a server that runs on such a"
                                        + " volume");
            case UNKNOWN, UNRECOGNIZED ->
                Optional.of("access mode " + capability.getAccessMode().getModeValue() + " is not known");
        };
    }

    /** Throws INVALID_ARGUMENT with the first obstacle. */
    public static void checkSupported(List<VolumeCapability> capabilities) {
        checkPresent(capabilities);
        for (VolumeCapability capability : capabilities) {
            obstacle(capability).ifPresent(reason -> {
                throw CsiFailure.invalid(reason);
            });
        }
    }

    /** Whether nothing may be written through this capability. */
    public static boolean isReadOnly(VolumeCapability capability) {
        return switch (capability.getAccessMode().getMode()) {
            case SINGLE_NODE_READER_ONLY, MULTI_NODE_READER_ONLY -> true;
            case SINGLE_NODE_WRITER,
                    SINGLE_NODE_SINGLE_WRITER,
                    SINGLE_NODE_MULTI_WRITER,
                    MULTI_NODE_SINGLE_WRITER,
                    MULTI_NODE_MULTI_WRITER,
                    UNKNOWN,
                    UNRECOGNIZED -> false;
        };
    }
}
