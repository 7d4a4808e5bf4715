package io.gabion.node.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.api.v1alpha1.DiskReport;
import io.gabion.api.v1alpha1.DiskState;
import io.gabion.api.v1alpha1.MediaClass;
import io.gabion.api.v1alpha1.NodeDisk;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StorageNodeStatus;
import io.gabion.node.control.NodeOperations;
import io.gabion.node.control.NodeOperations.DiskFacts;
import io.gabion.node.control.NodeOperations.ReplicaFacts;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes what this node knows of itself into the status of its StorageNode: at once when a state changes, rarely when only
 * figures do. The conditions are the operator's: a node cannot report its own death. Blocks; for a thread of its own.
 */
final class StatusPublisher {
    private static final Logger LOG = LoggerFactory.getLogger(StatusPublisher.class);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** Changed figures wait so long for others. */
    private static final long FIGURES_NANOS = TimeUnit.SECONDS.toNanos(60);
    /** A change of used bytes by this part of the disk does not wait. */
    private static final long LARGE_PART = 50;

    /** So long the watch may take to show what was written. */
    private static final long SEEN_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final double PERCENT = 100;

    private final NodeObjects nodes;
    private final NodeOperations node;
    private final NodeAssignment.Disk disk;
    private final Optional<MediaClass> media;
    private final LongSupplier nanoTime;
    private @Nullable Snapshot published;
    private long publishedNanos;

    /** What was written. */
    private record Snapshot(DiskReport disk, int replicas, int primaries) {}

    StatusPublisher(
            NodeObjects nodes,
            NodeOperations node,
            NodeAssignment.Disk disk,
            Optional<MediaClass> media,
            LongSupplier nanoTime) {
        this.nodes = nodes;
        this.node = node;
        this.disk = disk;
        this.media = media;
        this.nanoTime = nanoTime;
    }

    /** Looks and writes if it is due. */
    void publish() {
        List<ReplicaFacts> replicas = node.replicas(Optional.empty());
        int primaries = (int)
                replicas.stream().filter(r -> r.view().role().equals("primary")).count();
        Snapshot now = new Snapshot(report(node.facts().disks().getFirst()), replicas.size(), primaries);
        Snapshot before = published;
        if (before != null && !isDue(before, now) && !isOverwritten(now)) {
            return;
        }
        try {
            nodes.merge(status(now));
            published = now;
            publishedNanos = nanoTime.getAsLong();
        } catch (KubernetesClientException e) {
            LOG.debug("the status of this node was not written yet: {}", e.getMessage());
        }
    }

    private boolean isDue(Snapshot before, Snapshot now) {
        if (before.disk().getState() != now.disk().getState()
                || !Objects.equals(before.disk().getReason(), now.disk().getReason())
                || before.replicas() != now.replicas()
                || before.primaries() != now.primaries()) {
            return true;
        }
        long size = orZero(now.disk().getSizeBytes());
        long moved = Math.abs(
                orZero(now.disk().getFreeBytes()) - orZero(before.disk().getFreeBytes()));
        boolean old = nanoTime.getAsLong() - publishedNanos >= FIGURES_NANOS;
        return moved * LARGE_PART > size || size != orZero(before.disk().getSizeBytes()) || (moved > 0 && old);
    }

    private boolean isOverwritten(Snapshot now) {
        StorageNode own = nodes.knownOwn();
        return own != null
                && nanoTime.getAsLong() - publishedNanos >= SEEN_NANOS
                && isOverwritten(own.getStatus(), status(now));
    }

    /**
     * While the operator counts this node as lost it puts in its own figures; afterwards ours are due again, although nothing
     * changed here.
     */
    static boolean isOverwritten(StorageNodeStatus seen, ObjectNode ours) {
        boolean lost = seen.getConditions().stream()
                .noneMatch(c -> "Ready".equals(c.getType()) && "True".equals(c.getStatus()));
        JsonNode standing = JSON.valueToTree(seen);
        return !lost
                && Stream.of("disksOnline", "replicas", "primaries").anyMatch(field -> !ours.path(field)
                        .asText()
                        .equals(standing.path(field).asText()));
    }

    private static long orZero(@Nullable Long value) {
        return value == null ? 0 : value;
    }

    private ObjectNode status(Snapshot now) {
        List<DiskReport> disks = new ArrayList<>();
        disks.add(now.disk());
        for (NodeDisk unused : disk.unused()) {
            disks.add(unused(unused));
        }
        long size = orZero(now.disk().getSizeBytes());
        ObjectNode status = JSON.createObjectNode();
        status.set("disks", JSON.valueToTree(disks));
        status.put("disksOnline", (isOnline(now.disk()) ? 1 : 0) + "/" + disks.size());
        status.put(
                "usedPercent",
                size == 0 ? 0 : (int) Math.round(PERCENT * orZero(now.disk().getUsedBytes()) / size));
        status.put("replicas", now.replicas());
        status.put("primaries", now.primaries());
        return status;
    }

    private static boolean isOnline(DiskReport report) {
        return report.getState() == DiskState.ONLINE || report.getState() == DiskState.FULL;
    }

    private DiskReport report(DiskFacts facts) {
        DiskReport report = new DiskReport();
        report.setId(facts.id());
        report.setPool(disk.pool());
        report.setDirectory(disk.directory().toString());
        media.ifPresent(report::setMediaClass);
        report.setSizeBytes(facts.sizeBytes());
        report.setUsedBytes(facts.usedBytes());
        // What replicas have reserved for their next writes is taken.
        report.setFreeBytes(facts.freeBytes());
        report.setState(
                switch (facts.state()) {
                    case "serving", "suspect" -> facts.freeBytes() > 0 ? DiskState.ONLINE : DiskState.FULL;
                    case "checking" -> DiskState.OFFLINE;
                    default -> DiskState.FAILED;
                });
        report.setReason(facts.reason());
        return report;
    }

    private static DiskReport unused(NodeDisk unused) {
        DiskReport report = new DiskReport();
        report.setPool(unused.getPool());
        report.setDirectory(unused.getDirectory());
        report.setState(DiskState.OFFLINE);
        report.setReason("more than one disk per node is not supported yet: only the first is used. Let one pool select"
                + " this node");
        return report;
    }

    /** A disk that could not even be opened. */
    static ObjectNode failed(NodeAssignment.Disk disk, String reason) {
        DiskReport report = new DiskReport();
        report.setPool(disk.pool());
        report.setDirectory(disk.directory().toString());
        report.setState(DiskState.FAILED);
        report.setReason(reason);
        ObjectNode status = JSON.createObjectNode();
        status.set("disks", JSON.valueToTree(List.of(report)));
        status.put("disksOnline", "0/1");
        return status;
    }
}
