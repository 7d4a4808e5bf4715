package io.gabion.api.record;

import static io.gabion.api.record.VolumeRecords.field;

import io.gabion.api.v1alpha1.DiskEntry;
import io.gabion.api.v1alpha1.NodeAddress;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.model.ClusterId;
import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import java.util.Objects;
import java.util.Optional;

/** Between a StorageNode of the API and the records of the node and of its disks. */
public final class NodeRecords {
    private NodeRecords() {}

    /** Where the node can be reached; empty until it started once. */
    public static Optional<NodeRecord> node(StorageNode node) {
        NodeAddress address = node.getStatus().getAddress();
        if (address == null) {
            return Optional.empty();
        }
        return Optional.of(field(
                "status.address",
                () -> new NodeRecord(
                        new NodeName(node.getMetadata().getName()),
                        address.getHost(),
                        address.getDataPort(),
                        address.getControlPort(),
                        address.getMetricsPort(),
                        Objects.requireNonNullElse(node.getStatus().getSoftwareVersion(), ""),
                        node.getStatus().getRecordVersion())));
    }

    /** For {@code status.address}. */
    public static NodeAddress address(NodeRecord record) {
        NodeAddress address = new NodeAddress();
        address.setHost(record.host());
        address.setDataPort(record.dataPort());
        address.setControlPort(record.controlPort());
        address.setMetricsPort(record.metricsPort());
        return address;
    }

    /** The record of a disk; empty when it was never opened in this cluster. */
    public static Optional<DiskRecord> disk(StorageNode node, DiskId disk) {
        DiskEntry entry = node.getStatus().getDiskRecords().get(disk.toString());
        if (entry == null) {
            return Optional.empty();
        }
        return Optional.of(field(
                "status.diskRecords[" + disk + "]",
                () -> new DiskRecord(
                        disk,
                        ClusterId.of(entry.getCluster()),
                        new NodeName(node.getMetadata().getName()),
                        entry.getPool(),
                        entry.getOpenCount(),
                        entry.getVersion())));
    }

    /** For {@code status.diskRecords}, under the id of the disk. */
    public static DiskEntry entry(DiskRecord record) {
        DiskEntry entry = new DiskEntry();
        entry.setCluster(record.cluster().toString());
        entry.setPool(record.pool());
        entry.setOpenCount(record.openCount());
        entry.setVersion(record.version());
        return entry;
    }
}
