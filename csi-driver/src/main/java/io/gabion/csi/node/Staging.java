package io.gabion.csi.node;

import csi.v1.VolumeCapability;
import csi.v1.VolumeCapability.MountVolume;
import io.gabion.csi.agent.NodeAgent;
import io.gabion.csi.agent.NodeAgent.Attached;
import io.gabion.csi.agent.NodeAgent.State;
import io.gabion.csi.backend.StorageNodes;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.host.DeviceNumber;
import io.gabion.csi.host.FileSystemType;
import io.gabion.csi.host.FileSystems;
import io.gabion.csi.host.HostCommandException;
import io.gabion.csi.host.MountTable;
import io.gabion.csi.host.MountTable.Mount;
import io.gabion.csi.host.Mounts;
import io.gabion.csi.rpc.CsiFailure;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings a volume to this machine and mounts its file system once, and takes both away again. */
final class Staging {
    private static final Logger LOG = LoggerFactory.getLogger(Staging.class);

    private final NodeAgent agent;
    private final Devices devices;
    private final StorageNodes storageNodes;
    private final FileSystems fileSystems;
    private final Mounts mounts;

    Staging(NodeAgent agent, Devices devices, StorageNodes storageNodes, FileSystems fileSystems, Mounts mounts) {
        this.agent = agent;
        this.devices = devices;
        this.storageNodes = storageNodes;
        this.fileSystems = fileSystems;
        this.mounts = mounts;
    }

    /** What to stage, checked. */
    record Order(
            StoredVolume volume, long generation, boolean readOnly, Path stagingPath, VolumeCapability capability) {}

    void stage(Order order) {
        Path device = agent.attach(new NodeAgent.Order(
                order.volume().id(),
                order.volume().name(),
                order.generation(),
                order.readOnly(),
                storageNodes.current()));
        DeviceNumber number = Devices.number(device);
        if (!order.capability().hasMount()) {
            return;
        }
        MountVolume wanted = order.capability().getMount();
        FileSystemType type = FileSystemType.find(wanted.getFsType())
                .orElseThrow(() -> CsiFailure.invalid("file system \"" + wanted.getFsType() + "\" is not supported"));
        if (!isMounted(order, number, type)) {
            prepare(order, device, number, type);
            // A volume may have grown while it was nowhere, or come from a smaller one.
            if (!order.readOnly()) {
                fileSystems.growUnmounted(type, device, number.sizeBytes());
            }
            mounts.mount(type, device, order.stagingPath(), options(order, wanted.getMountFlagsList()));
            LOG.info("volume {} is staged: {} on {}", order.volume().name(), type.word(), device);
        }
        if (!isMountedReadOnly(order) && !fileSystems.growMounted(type, device, order.stagingPath())) {
            LOG.warn(
                    "volume {}: {} cannot grow while it is mounted on this machine",
                    order.volume().name(),
                    type.word());
        }
    }

    private boolean isMounted(Order order, DeviceNumber number, FileSystemType type) {
        Optional<Mount> mounted = MountTable.read().at(order.stagingPath());
        if (mounted.isEmpty()) {
            return false;
        }
        if (!mounted.get().device().equals(number)) {
            // Of an earlier device of this volume, which is no more: a fence or a reboot of the agent came between.
            LOG.warn(
                    "volume {}: unmounting what is left of device {}",
                    order.volume().name(),
                    mounted.get().device());
            unmountDead(order.stagingPath());
            return false;
        }
        if (!mounted.get().type().equals(type.word())) {
            throw CsiFailure.alreadyExists("volume \"" + order.volume().name() + "\" is staged at "
                    + order.stagingPath() + " as " + mounted.get().type() + ", not " + type.word());
        }
        if (mounted.get().readOnly() != isMountedReadOnly(order)) {
            throw CsiFailure.alreadyExists("volume \"" + order.volume().name() + "\" is staged at "
                    + order.stagingPath() + (mounted.get().readOnly() ? " read-only" : " for writing"));
        }
        return true;
    }

    /** The volume may be written to, but its class may say that the file system may not. */
    private static boolean isMountedReadOnly(Order order) {
        return order.readOnly()
                || order.capability().getMount().getMountFlagsList().contains("ro");
    }

    private void prepare(Order order, Path device, DeviceNumber number, FileSystemType type) {
        String name = "volume \"" + order.volume().name() + "\"";
        long sizeBytes = number.sizeBytes();
        Optional<String> signature = fileSystems.signature(device);
        if (fileSystems.isHalfMade(device, sizeBytes) && !order.readOnly()) {
            LOG.info("{}: making {} on {} again, it was interrupted", name, type.word(), device);
            fileSystems.make(type, device, sizeBytes);
            return;
        }
        if (signature.isPresent() && !signature.get().equals(type.word())) {
            throw CsiFailure.precondition(name + " holds " + signature.get() + ", not " + type.word()
                    + "; set csi.storage.k8s.io/fstype to what it holds, or use it as a raw block volume");
        }
        if (signature.isPresent()) {
            if (!order.readOnly()) {
                fileSystems.check(type, device);
            }
            return;
        }
        if (order.readOnly()) {
            throw CsiFailure.precondition(
                    name + " has no file system and is attached read-only; use it for writing once");
        }
        if (order.volume().marks().everWritten()) {
            throw CsiFailure.precondition(name + " was written to but holds no file system that is known; it is not"
                    + " formatted. Use it as a raw block volume, or delete it");
        }
        LOG.info("{} is new: making {} on {}", name, type.word(), device);
        fileSystems.make(type, device, sizeBytes);
    }

    private static List<String> options(Order order, List<String> flags) {
        List<String> options = new ArrayList<>(flags);
        if (order.readOnly() && !options.contains("ro")) {
            options.remove("rw");
            options.add("ro");
        }
        return options;
    }

    /** Unmounts and gives the session back; no error for what is gone. */
    void unstage(String volume, Path stagingPath) {
        Optional<Attached> attached = devices.attached(volume);
        boolean dead = attached.map(a -> a.state() != State.SERVING).orElse(false);
        if (MountTable.read().at(stagingPath).isPresent()) {
            if (dead) {
                LOG.warn("volume {} was taken away from this node: its file system is shut down", volume);
                agent.fail(attached.orElseThrow().volume(), "unstaged after the session was taken away");
                unmountDead(stagingPath);
            } else {
                mounts.unmount(stagingPath);
            }
        }
        attached.ifPresent(a -> agent.detach(a.volume()));
    }

    private void unmountDead(Path stagingPath) {
        try {
            fileSystems.shutDown(stagingPath);
        } catch (HostCommandException e) {
            LOG.warn("{} could not be shut down: {}", stagingPath, e.getMessage());
        }
        try {
            mounts.unmount(stagingPath);
        } catch (HostCommandException e) {
            LOG.warn("{} is still in use, taken out of the tree: {}", stagingPath, e.getMessage());
            mounts.detach(stagingPath);
        }
    }
}
