package io.gabion.operator.node;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.condition.ConditionStatus;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.v1alpha1.NodeDisk;
import io.gabion.api.v1alpha1.ReplicaOnNode;
import io.gabion.api.v1alpha1.ReplicaTombstone;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.model.NodeName;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.failpoint.Step;
import io.gabion.operator.pool.DiskResolution;
import io.gabion.operator.record.StatusPatch;
import io.gabion.operator.view.ClusterView;
import io.gabion.operator.view.Finding;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells storage nodes what to open, says how they are, and lets go of those that are gone for good. Safe for any thread. */
public final class StorageNodeControl {
    private static final Logger LOG = LoggerFactory.getLogger(StorageNodeControl.class);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** A machine that is taken away and comes back under its name within this time is the same storage node. */
    private static final Duration GONE_FOR = Duration.ofMinutes(10);

    private final KubernetesClient client;
    private final ClusterView view;
    private final DataPlane dataPlane;
    private final FailPoint failPoint;
    private final InstantSource clock;

    public StorageNodeControl(
            KubernetesClient client, ClusterView view, DataPlane dataPlane, FailPoint failPoint, InstantSource clock) {
        this.client = client;
        this.view = view;
        this.dataPlane = dataPlane;
        this.failPoint = failPoint;
        this.clock = clock;
    }

    /** Returns when to look again although nothing changed. */
    public Optional<Duration> reconcile(StorageNode node) {
        resolveDisks(node);
        clearTombstones(node);
        report(node);
        if (isGoneForGood(node)) {
            LOG.info("storage node {} is gone for good", name(node));
            client.resource(node).delete();
        }
        return view.machine(name(node)).isEmpty() ? Optional.of(GONE_FOR.dividedBy(2)) : Optional.empty();
    }

    /** Whether the object may go: no volume counts on a copy here. Otherwise what it waits for. */
    public Optional<String> keptBy(StorageNode node) {
        List<String> volumes = view.volumes().stream()
                .filter(v -> countsOn(v, name(node)))
                .map(v -> v.getMetadata().getName())
                .sorted()
                .toList();
        return volumes.isEmpty() ? Optional.empty() : Optional.of("volumes have copies here: " + volumes);
    }

    private static boolean countsOn(Volume volume, String node) {
        Set<String> removed = new HashSet<>();
        volume.getStatus().getRemoved().forEach(c -> removed.add(c.getReplica()));
        Set<String> inSync = new HashSet<>();
        if (volume.getStatus().getConfig() != null) {
            volume.getStatus().getConfig().getInSync().forEach(m -> inSync.add(m.getReplica()));
        }
        return volume.getStatus().getPlacement().stream()
                .anyMatch(c -> c.getNode().equals(node)
                        && (inSync.contains(c.getReplica()) || !removed.contains(c.getReplica())));
    }

    private boolean isGoneForGood(StorageNode node) {
        Optional<Instant> lost =
                Finding.notTrueSince(node.getStatus().getConditions(), ConditionType.READY, clock.instant());
        return node.getMetadata().getDeletionTimestamp() == null
                && view.machine(name(node)).isEmpty()
                && lost.filter(t -> t.plus(GONE_FOR).isBefore(clock.instant())).isPresent()
                && keptBy(node).isEmpty();
    }

    private void resolveDisks(StorageNode node) {
        Set<String> inUse = new HashSet<>();
        node.getStatus().getDiskRecords().values().forEach(d -> inUse.add(d.getPool()));
        view.volumes().stream()
                .filter(v -> v.getStatus().getPlacement().stream()
                        .map(ReplicaOnNode::getNode)
                        .anyMatch(name(node)::equals))
                .forEach(v -> inUse.add(v.getSpec().getPool()));
        List<NodeDisk> wanted = DiskResolution.disks(
                view.pools(),
                view.machine(name(node)).orElse(null),
                node.getSpec().getDisks(),
                inUse);
        if (JSON.valueToTree(wanted).equals(JSON.valueToTree(node.getSpec().getDisks()))) {
            return;
        }
        ArrayNode patch = JSON.createArrayNode();
        patch.addObject()
                .put("op", "test")
                .put("path", "/metadata/uid")
                .put("value", node.getMetadata().getUid());
        patch.addObject()
                .put("op", "test")
                .put("path", "/metadata/generation")
                .put("value", node.getMetadata().getGeneration());
        patch.addObject().put("op", "add").put("path", "/spec/disks").set("value", JSON.valueToTree(wanted));
        failPoint.around(Step.RESOLVE_DISKS, () -> client.resource(node)
                .patch(PatchContext.of(PatchType.JSON), patch.toString()));
    }

    /** A tombstone has done its work once the node says that the data is gone. */
    private void clearTombstones(StorageNode node) {
        List<ReplicaTombstone> tombstones = node.getSpec().getTombstones();
        Set<String> erased = new HashSet<>();
        node.getStatus().getErased().forEach(t -> erased.add(t.getVolumeId() + t.getReplica()));
        List<ReplicaTombstone> left = tombstones.stream()
                .filter(t -> !erased.contains(t.getVolumeId() + t.getReplica()))
                .toList();
        if (left.size() < tombstones.size()) {
            failPoint.around(Step.CLEAR_TOMBSTONE, () -> new KubernetesTombstones(client).replace(node, left));
        }
    }

    private void report(StorageNode node) {
        NodeName name = new NodeName(name(node));
        Optional<Pod> pod = view.dataPlanePods().stream()
                .filter(p ->
                        p.getSpec() != null && name(node).equals(p.getSpec().getNodeName()))
                .findFirst();
        NodeConditions.Evidence evidence = new NodeConditions.Evidence(
                view.machine(name(node)), pod, dataPlane.replicasOn(name).isPresent(), dataPlane.silence(name));
        List<Finding> findings = NodeConditions.of(node, evidence);
        StatusPatch patch = new StatusPatch()
                .set(
                        "conditions",
                        Finding.apply(
                                ConditionType.NODE,
                                node.getStatus().getConditions(),
                                findings,
                                node.getMetadata().getGeneration(),
                                clock.instant()));
        boolean serves =
                findings.stream().anyMatch(f -> f.type() == ConditionType.READY && f.status() == ConditionStatus.TRUE);
        if (!serves) {
            // While it serves, its figures are its own.
            addFigures(node, patch);
        }
        if (!patch.isMetBy(node.getStatus())) {
            failPoint.around(Step.REPORT_NODE, () -> patch.send(client, node));
        }
    }

    private void addFigures(StorageNode node, StatusPatch patch) {
        int primaries = 0;
        int replicas = 0;
        for (Volume volume : view.volumes()) {
            for (ReplicaOnNode copy : volume.getStatus().getPlacement()) {
                if (copy.getNode().equals(name(node)) && volume.getStatus().getConfig() != null) {
                    replicas++;
                    primaries += volume.getStatus().getConfig().getPrimary().equals(copy.getReplica()) ? 1 : 0;
                }
            }
        }
        patch.set("primaries", primaries)
                .set("replicas", replicas)
                .set("disksOnline", "0/" + node.getSpec().getDisks().size());
    }

    private static String name(StorageNode node) {
        return node.getMetadata().getName();
    }
}
