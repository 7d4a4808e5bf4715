package io.gabion.operator.pool;

import io.gabion.api.condition.ConditionType;
import io.gabion.api.v1alpha1.DiskReport;
import io.gabion.api.v1alpha1.DiskState;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.operator.view.ClusterView;
import io.gabion.operator.view.Finding;
import io.gabion.operator.view.NodeView;
import java.util.HashSet;
import java.util.Set;

/**
 * What the nodes of a pool add up to.
 *
 * @param domains failure domains with a working disk
 * @param provisionedBytes every copy of every volume at its full size
 */
record PoolSum(
        int nodes,
        int nodesReady,
        int disks,
        int disksOnline,
        int domains,
        long capacityBytes,
        long usedBytes,
        long freeBytes,
        long provisionedBytes) {
    static PoolSum of(StoragePool pool, ClusterView view) {
        String name = pool.getMetadata().getName();
        int nodes = 0;
        int ready = 0;
        int disks = 0;
        int online = 0;
        long capacity = 0;
        long used = 0;
        long free = 0;
        Set<String> domains = new HashSet<>();
        for (StorageNode node : view.storageNodes()) {
            if (node.getSpec().getDisks().stream().noneMatch(d -> d.getPool().equals(name))) {
                continue;
            }
            nodes++;
            disks++;
            ready += Finding.isTrue(node.getStatus().getConditions(), ConditionType.READY) ? 1 : 0;
            for (DiskReport disk : node.getStatus().getDisks()) {
                if (disk.getPool().equals(name)
                        && (disk.getState() == DiskState.ONLINE || disk.getState() == DiskState.FULL)) {
                    online++;
                    capacity += orZero(disk.getSizeBytes());
                    used += orZero(disk.getUsedBytes());
                    free += orZero(disk.getFreeBytes());
                    domains.add(NodeView.domain(
                            node,
                            view.machine(node.getMetadata().getName()).orElse(null),
                            pool.getSpec().getFailureDomainKey()));
                }
            }
        }
        domains.remove("");
        long provisioned = 0;
        for (Volume volume : view.volumes()) {
            if (volume.getSpec().getPool().equals(name)) {
                provisioned += volume.getSpec().getSize().getNumericalAmount().longValue()
                        * volume.getStatus().getPlacement().size();
            }
        }
        return new PoolSum(nodes, ready, disks, online, domains.size(), capacity, used, free, provisioned);
    }

    private static long orZero(@org.jspecify.annotations.Nullable Long bytes) {
        return bytes == null ? 0 : bytes;
    }
}
