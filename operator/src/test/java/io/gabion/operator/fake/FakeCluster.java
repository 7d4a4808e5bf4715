package io.gabion.operator.fake;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.ClaimReference;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.ReplicaTombstone;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeConfiguration;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.model.ConfigTransition;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.event.EventSink;
import io.gabion.operator.node.DataPlane;
import io.gabion.operator.node.ReplicaObservation;
import io.gabion.operator.node.Tombstones;
import io.gabion.operator.record.SwapOutcome;
import io.gabion.operator.record.VolumeApi;
import io.gabion.operator.view.ClusterView;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** An API server in memory that knows the rules of the record, and a clock that the test moves. */
public final class FakeCluster implements VolumeApi, ClusterView, DataPlane, Tombstones, EventSink, InstantSource {
    private final Map<String, Volume> volumes = new TreeMap<>();
    private final Map<String, StorageNode> nodes = new TreeMap<>();
    private final Map<String, Node> machines = new TreeMap<>();
    private final Map<String, StoragePool> pools = new LinkedHashMap<>();
    private final List<String> news = new ArrayList<>();
    private final List<String> handovers = new ArrayList<>();
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private @Nullable StorageCluster paused;
    private long resourceVersion;
    private long identities;

    public FakeCluster(String... nodeNames) {
        pools.put(Objects.POOL, Objects.pool());
        for (String name : nodeNames) {
            machines.put(name, Objects.machine(name));
            nodes.put(name, Objects.storageNode(name, now));
        }
    }

    public UUID identity() {
        identities++;
        return new UUID(0x1000_0000_0000_4000L + identities, 0x8000_0000_0000_0000L + identities);
    }

    @Override
    public Instant instant() {
        return now;
    }

    public void pass(Duration time) {
        now = now.plus(time);
    }

    public void setReady(String node, boolean ready) {
        Objects.setReady(node(node).getStatus(), ready, now);
    }

    public boolean isReady(String node) {
        return io.gabion.operator.view.Finding.isTrue(
                node(node).getStatus().getConditions(), io.gabion.api.condition.ConditionType.READY);
    }

    public StorageNode node(String name) {
        return at(nodes, name);
    }

    public void removeNode(String name) {
        nodes.remove(name);
    }

    public void removePool() {
        pools.clear();
    }

    private static <T> T at(Map<String, T> all, String name) {
        T found = all.get(name);
        if (found == null) {
            throw new IllegalStateException(name + " does not exist");
        }
        return found;
    }

    public List<String> news() {
        return news;
    }

    public List<String> handovers() {
        return handovers;
    }

    // ---- volumes as users handle them
    public Volume create(Volume volume) {
        volume.getMetadata().setUid(identity().toString());
        volume.getMetadata().setGeneration(1L);
        store(volume);
        return volume;
    }

    public void edit(String name, java.util.function.Consumer<Volume> change) {
        Volume volume = Objects.copy(at(volumes, name));
        change.accept(volume);
        volume.getMetadata().setGeneration(volume.getMetadata().getGeneration() + 1);
        store(volume);
    }

    public void delete(String name) {
        Volume volume = Objects.copy(at(volumes, name));
        volume.getMetadata().setDeletionTimestamp(now.toString());
        store(volume);
    }

    public void forget(String name) {
        volumes.remove(name);
    }

    private Volume store(Volume volume) {
        volume.getMetadata().setResourceVersion(Long.toString(++resourceVersion));
        volumes.put(volume.getMetadata().getName(), Objects.copy(volume));
        return Objects.copy(volume);
    }

    // ---- VolumeApi
    @Override
    public Optional<Volume> read(String name) {
        return Optional.ofNullable(volumes.get(name)).map(Objects::copy);
    }

    @Override
    public SwapOutcome relabel(Volume observed, Set<String> add, Set<String> remove) {
        Volume standing = volumes.get(observed.getMetadata().getName());
        if (standing == null || version(standing) != version(observed)) {
            return new SwapOutcome.Lost();
        }
        Volume next = Objects.copy(standing);
        Map<String, String> labels = new HashMap<>();
        if (next.getMetadata().getLabels() != null) {
            labels.putAll(next.getMetadata().getLabels());
        }
        add.forEach(l -> labels.put(l, ""));
        remove.forEach(labels::remove);
        next.getMetadata().setLabels(labels);
        return new SwapOutcome.Won(store(next));
    }

    @Override
    public SwapOutcome create(Volume observed, VolumeRecord first) {
        Volume standing = volumes.get(observed.getMetadata().getName());
        if (standing == null
                || !standing.getMetadata()
                        .getResourceVersion()
                        .equals(observed.getMetadata().getResourceVersion())) {
            return new SwapOutcome.Lost();
        }
        assertThat(first.config().version()).isEqualTo(1);
        return write(standing, first);
    }

    @Override
    public SwapOutcome swap(Volume observed, VolumeRecord next) {
        Volume standing = volumes.get(observed.getMetadata().getName());
        if (standing == null || version(standing) != next.config().version() - 1) {
            return new SwapOutcome.Lost();
        }
        assertThat(ConfigTransition.violations(VolumeRecords.record(standing).orElseThrow(), next))
                .isEmpty();
        return write(standing, next);
    }

    private SwapOutcome write(Volume standing, VolumeRecord next) {
        Volume written = Objects.copy(standing);
        VolumeStatus status = written.getStatus();
        VolumeConfiguration before = status.getConfig();
        status.setVolumeId(next.id().toString());
        status.setPlacement(VolumeRecords.entries(next.placement()));
        status.setRemoved(VolumeRecords.entries(next.removed()));
        status.setDeleting(next.deleting());
        status.setConfig(VolumeRecords.configuration(next.config(), before));
        if (next.config().writer().startsWith("operator/")) {
            status.setObservedGeneration(written.getMetadata().getGeneration());
        }
        written.setStatus(status);
        next.placement().forEach(c -> assertLabelled(written, c.node()));
        next.removed().forEach(c -> assertLabelled(written, c.node()));
        return new SwapOutcome.Won(store(written));
    }

    private static void assertLabelled(Volume volume, NodeName node) {
        assertThat(volume.getMetadata().getLabels())
                .as("the label comes before the record names the node")
                .containsKey(GabionApi.replicaLabel(node.value()));
    }

    private static long version(Volume volume) {
        return volume.getStatus().getConfig() == null
                ? 0
                : volume.getStatus().getConfig().getVersion();
    }

    @Override
    public void report(Volume observed, VolumeStatus report) {
        Volume next = Objects.copy(at(volumes, observed.getMetadata().getName()));
        VolumeStatus status = next.getStatus();
        status.setVolumeId(report.getVolumeId());
        status.setConditions(report.getConditions());
        status.setReplicas(report.getReplicas());
        status.setReplicaCount(report.getReplicaCount());
        status.setCopies(report.getCopies());
        status.setPrimaryNode(report.getPrimaryNode());
        status.setReplicaNodes(report.getReplicaNodes());
        status.setAttachedTo(report.getAttachedTo());
        status.setClaim(report.getClaim());
        status.setAllocated(report.getAllocated());
        status.setAllocatedBytes(report.getAllocatedBytes());
        status.setEverWritten(report.isEverWritten());
        next.setStatus(status);
        store(next);
    }

    // ---- what is seen
    @Override
    public List<StoragePool> pools() {
        return List.copyOf(pools.values());
    }

    @Override
    public List<StorageNode> storageNodes() {
        return nodes.values().stream().map(Objects::copy).toList();
    }

    @Override
    public List<Volume> volumes() {
        return volumes.values().stream().map(Objects::copy).toList();
    }

    @Override
    public List<Node> machines() {
        return List.copyOf(machines.values());
    }

    @Override
    public List<Pod> dataPlanePods() {
        return List.of();
    }

    @Override
    public List<String> podsOf(ClaimReference claim) {
        return List.of("consumer-of-" + claim.getName());
    }

    @Override
    public Optional<StorageCluster> cluster() {
        return Optional.ofNullable(paused);
    }

    /** Nothing is to be changed. */
    public void pause(boolean pause) {
        paused = pause ? Objects.pausedCluster() : null;
    }

    @Override
    public Map<ReplicaId, ReplicaObservation> replicas(VolumeId volume) {
        return Map.of();
    }

    @Override
    public Optional<List<ReplicaObservation>> replicasOn(NodeName node) {
        return Optional.empty();
    }

    @Override
    public Optional<String> silence(NodeName node) {
        return Optional.empty();
    }

    @Override
    public Optional<String> handOver(NodeName from, VolumeId volume, ReplicaId target) {
        handovers.add(from + " " + target);
        for (Volume candidate : volumes()) {
            Optional<VolumeRecord> record = VolumeRecords.record(candidate);
            if (record.isPresent() && record.get().id().equals(volume)) {
                VolumeRecord r = record.get();
                swap(
                        candidate,
                        r.withConfig(r.config().withMembers(target, r.config().inSync(), "node/handover")));
            }
        }
        return Optional.empty();
    }

    @Override
    public void bury(NodeName node, VolumeId volume, ReplicaId replica) {
        StorageNode standing = node(node.value());
        List<ReplicaTombstone> tombstones = new ArrayList<>(standing.getSpec().getTombstones());
        if (tombstones.stream().noneMatch(t -> t.getReplica().equals(replica.toString()))) {
            ReplicaTombstone tombstone = new ReplicaTombstone();
            tombstone.setVolumeId(volume.toString());
            tombstone.setReplica(replica.toString());
            tombstones.add(tombstone);
            standing.getSpec().setTombstones(tombstones);
        }
    }

    @Override
    public void tell(ObjectReference about, Kind kind, String reason, String message) {
        news.add(about.getKind() + "/" + about.getName() + " " + kind.word() + " " + reason + ": " + message);
    }
}
