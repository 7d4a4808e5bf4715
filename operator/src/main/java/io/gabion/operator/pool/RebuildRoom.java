package io.gabion.operator.pool;

import io.gabion.api.condition.ConditionType;
import io.gabion.api.record.ByteText;
import io.gabion.api.v1alpha1.DiskReport;
import io.gabion.api.v1alpha1.DiskState;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.operator.view.Finding;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Whether the copies of any one node of a pool would find room on its others. Pure. */
public final class RebuildRoom {
    private RebuildRoom() {}

    private record Share(String node, long usedBytes, long roomBytes) {}

    /** What is missing, for people; empty when all would fit, and where there is no other node anyway. */
    public static Optional<String> shortage(String pool, Collection<StorageNode> nodes) {
        List<Share> shares = nodes.stream().map(n -> share(pool, n)).toList();
        long room = shares.stream().mapToLong(Share::roomBytes).sum();
        Optional<Share> largest = shares.stream()
                .filter(s -> s.usedBytes() > room - s.roomBytes())
                .max(Comparator.comparingLong(Share::usedBytes));
        boolean alone =
                shares.stream().filter(s -> s.usedBytes() + s.roomBytes() > 0).count() < 2;
        return alone
                ? Optional.empty()
                : largest.map(s -> s.node() + " holds " + ByteText.of(s.usedBytes())
                        + ", the other nodes of the pool have " + ByteText.of(room - s.roomBytes())
                        + " free: its copies could not be made again there");
    }

    private static Share share(String pool, StorageNode node) {
        boolean serves = Finding.isTrue(node.getStatus().getConditions(), ConditionType.READY);
        long used = 0;
        long free = 0;
        for (DiskReport disk : node.getStatus().getDisks()) {
            if (disk.getPool().equals(pool)) {
                used += disk.getUsedBytes() == null ? 0 : disk.getUsedBytes();
                free += serves && disk.getState() == DiskState.ONLINE && disk.getFreeBytes() != null
                        ? disk.getFreeBytes()
                        : 0;
            }
        }
        return new Share(node.getMetadata().getName(), used, free);
    }
}
