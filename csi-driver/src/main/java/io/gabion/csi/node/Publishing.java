package io.gabion.csi.node;

import csi.v1.VolumeCapability;
import io.gabion.csi.host.MountTable;
import io.gabion.csi.host.MountTable.Mount;
import io.gabion.csi.host.Mounts;
import io.gabion.csi.node.Devices.VolumeDevice;
import io.gabion.csi.rpc.CsiFailure;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Shows a staged volume to a workload, as a directory or as a device file, and takes it away again. */
final class Publishing {
    /** The kubelet binds parts of a published volume below this directory; they come and go with the publication. */
    private static final String SUBPATHS = "/volume-subpaths/";

    private final Mounts mounts;

    Publishing(Mounts mounts) {
        this.mounts = mounts;
    }

    /** What to publish, checked. */
    record Order(
            String volume,
            VolumeDevice device,
            Path stagingPath,
            Path target,
            VolumeCapability capability,
            boolean readOnly) {}

    void publish(Order order) {
        MountTable table = MountTable.read();
        boolean block = order.capability().hasBlock();
        if (!block) {
            checkStaged(order, table);
        }
        if (isPublished(order, table)) {
            return;
        }
        checkOthers(order, table);
        if (block) {
            Mounts.makeFile(order.target());
            mounts.bind(order.device().path(), order.target(), order.readOnly());
        } else {
            Mounts.makeDirectory(order.target());
            mounts.bind(order.stagingPath(), order.target(), order.readOnly());
        }
    }

    private static void checkStaged(Order order, MountTable table) {
        boolean staged = table.at(order.stagingPath())
                .map(mount -> mount.device().equals(order.device().number()))
                .orElse(false);
        if (!staged) {
            throw CsiFailure.precondition("volume \"" + order.volume() + "\" is not staged at " + order.stagingPath());
        }
    }

    private static boolean isPublished(Order order, MountTable table) {
        Optional<Mount> standing = table.at(order.target());
        if (standing.isEmpty()) {
            return false;
        }
        if (!publications(order, table).contains(standing.get())) {
            throw CsiFailure.alreadyExists(
                    "something else than volume \"" + order.volume() + "\" is mounted at " + order.target());
        }
        if (standing.get().readOnly() != order.readOnly()) {
            throw CsiFailure.alreadyExists("volume \"" + order.volume() + "\" is published at " + order.target()
                    + (standing.get().readOnly() ? " read-only" : " for writing"));
        }
        return true;
    }

    private static void checkOthers(Order order, MountTable table) {
        boolean alone =
                switch (order.capability().getAccessMode().getMode()) {
                    case SINGLE_NODE_WRITER, SINGLE_NODE_SINGLE_WRITER -> true;
                    case SINGLE_NODE_READER_ONLY,
                            SINGLE_NODE_MULTI_WRITER,
                            MULTI_NODE_READER_ONLY,
                            MULTI_NODE_SINGLE_WRITER,
                            MULTI_NODE_MULTI_WRITER,
                            UNKNOWN,
                            UNRECOGNIZED -> false;
                };
        if (!alone) {
            return;
        }
        publications(order, table).stream()
                .filter(mount -> !mount.path().equals(order.target()))
                .findFirst()
                .ifPresent(other -> {
                    throw CsiFailure.precondition("volume \"" + order.volume() + "\" is published at " + other.path()
                            + " already and its access mode allows only one workload");
                });
    }

    private static List<Mount> publications(Order order, MountTable table) {
        List<Mount> all = order.capability().hasBlock()
                ? table.ofNode(order.device().number())
                : table.ofFileSystemOn(order.device().number());
        return all.stream()
                .filter(mount -> !mount.path().equals(order.stagingPath()))
                .filter(mount -> !mount.path().toString().contains(SUBPATHS))
                .toList();
    }

    void unpublish(Path target) {
        mounts.unmount(target);
        Mounts.removePlace(target);
    }
}
