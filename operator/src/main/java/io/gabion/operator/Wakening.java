package io.gabion.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.ReplicaOnNode;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.model.VolumeId;
import io.gabion.operator.view.ClusterView;
import io.gabion.operator.view.InformerView;
import io.gabion.operator.volume.VolumeControl;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** Whose business a change is. Wakes too many rather than too few: looking again without a reason costs nothing. */
final class Wakening implements InformerView.Listener {
    private final ClusterView view;
    private final Reconcilers.OfVolumes volumes;
    private final Reconcilers.OfNodes nodes;
    private final Reconcilers.OfPools pools;
    private final Reconcilers.OfClusters clusters;

    Wakening(
            ClusterView view,
            Reconcilers.OfVolumes volumes,
            Reconcilers.OfNodes nodes,
            Reconcilers.OfPools pools,
            Reconcilers.OfClusters clusters) {
        this.view = view;
        this.volumes = volumes;
        this.nodes = nodes;
        this.pools = pools;
        this.clusters = clusters;
    }

    @Override
    public void changed(Optional<HasMetadata> before, HasMetadata after) {
        switch (after) {
            case Node machine -> machine(before, machine);
            case Pod pod -> pod(pod);
            case StorageNode node -> storageNode(before, node);
            case StoragePool pool -> pool(pool);
            case Volume volume -> volume(before, volume);
            case StorageCluster cluster -> cluster(before, cluster);
            default -> throw new IllegalStateException("nobody watches " + after.getKind());
        }
    }

    /** A storage node fell silent or answers again. */
    void nodeAnswers(String node) {
        nodes.wake(node);
    }

    /** Copies of a volume changed. */
    void copiesChanged(VolumeId id) {
        view.volumes().stream()
                .filter(v -> id.toString().equals(v.getStatus().getVolumeId()) || id.equals(VolumeRecords.volumeId(v)))
                .forEach(v -> volumes.wake(v.getMetadata().getName()));
    }

    private void machine(Optional<HasMetadata> before, Node machine) {
        if (before.isPresent()
                && before.get() instanceof Node old
                && isNews(old, machine)
                && marks(old).equals(marks(machine))) {
            return;
        }
        nodes.wake(machine.getMetadata().getName());
        wakePools();
        wakeVolumes(Set.of(machine.getMetadata().getName()));
    }

    /** Not a removed object, and not one that is shown again to heal what was missed: those count whatever they say. */
    private static boolean isNews(HasMetadata before, HasMetadata after) {
        return !Objects.equals(
                before.getMetadata().getResourceVersion(), after.getMetadata().getResourceVersion());
    }

    /** What of a machine matters; its heartbeats do not. */
    private static List<Object> marks(Node machine) {
        Object ready = machine.getStatus() == null || machine.getStatus().getConditions() == null
                ? ""
                : machine.getStatus().getConditions().stream()
                        .filter(c -> "Ready".equals(c.getType()))
                        .map(c -> String.valueOf(c.getStatus()))
                        .toList();
        Object unschedulable = machine.getSpec() == null
                ? ""
                : String.valueOf(machine.getSpec().getUnschedulable());
        return List.of(
                ready,
                unschedulable,
                Objects.requireNonNullElse(machine.getMetadata().getLabels(), ""));
    }

    private void pod(Pod pod) {
        if (pod.getSpec() != null && pod.getSpec().getNodeName() != null) {
            nodes.wake(pod.getSpec().getNodeName());
        }
        clusters.wake(StorageCluster.NAME);
    }

    private void storageNode(Optional<HasMetadata> before, StorageNode node) {
        wakePools();
        boolean same = before.isPresent()
                && before.get() instanceof StorageNode old
                && isNews(old, node)
                && Objects.equals(
                        old.getMetadata().getGeneration(), node.getMetadata().getGeneration())
                && Objects.equals(
                        old.getMetadata().getAnnotations(), node.getMetadata().getAnnotations())
                && old.getStatus().getConditions().equals(node.getStatus().getConditions());
        if (!same) {
            clusters.wake(StorageCluster.NAME);
            wakeVolumes(Set.of(node.getMetadata().getName()));
        }
    }

    private void pool(StoragePool pool) {
        clusters.wake(StorageCluster.NAME);
        view.storageNodes().forEach(n -> nodes.wake(n.getMetadata().getName()));
        view.volumes().stream()
                .filter(v -> v.getSpec().getPool().equals(pool.getMetadata().getName()))
                .forEach(v -> volumes.wake(v.getMetadata().getName()));
    }

    private void volume(Optional<HasMetadata> before, Volume volume) {
        Set<String> touched = new HashSet<>();
        volume.getStatus().getPlacement().stream().map(ReplicaOnNode::getNode).forEach(touched::add);
        clusters.wake(StorageCluster.NAME);
        if (before.isPresent() && before.get() instanceof Volume old) {
            Set<String> was = new HashSet<>();
            old.getStatus().getPlacement().stream().map(ReplicaOnNode::getNode).forEach(was::add);
            boolean sameLead = Objects.equals(
                    old.getStatus().getPrimaryNode(), volume.getStatus().getPrimaryNode());
            if (isNews(old, volume) && was.equals(touched) && sameLead) {
                return;
            }
            touched.addAll(was);
        }
        touched.forEach(nodes::wake);
        pools.wake(volume.getSpec().getPool());
    }

    private void cluster(Optional<HasMetadata> before, StorageCluster cluster) {
        boolean same = before.isPresent()
                && before.get() instanceof StorageCluster old
                && old.getSpec().isPaused() == cluster.getSpec().isPaused();
        if (!same) {
            view.volumes().forEach(v -> volumes.wake(v.getMetadata().getName()));
        }
    }

    private void wakePools() {
        view.pools().forEach(p -> pools.wake(p.getMetadata().getName()));
    }

    private void wakeVolumes(Set<String> onNodes) {
        view.volumes().stream()
                .filter(v -> VolumeControl.concerns(v, onNodes))
                .forEach(v -> volumes.wake(v.getMetadata().getName()));
    }
}
