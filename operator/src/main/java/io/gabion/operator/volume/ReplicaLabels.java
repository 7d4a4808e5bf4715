package io.gabion.operator.volume;

import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.view.ClusterView;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The labels that make a Volume visible to its nodes. */
final class ReplicaLabels {
    private ReplicaLabels() {}

    static Set<String> of(Set<NodeName> nodes) {
        return nodes.stream().map(n -> GabionApi.replicaLabel(n.value())).collect(Collectors.toSet());
    }

    /** The nodes that the labels name. A long node name stands cut in its label, so nodes are looked up. */
    static Set<NodeName> nodes(Volume volume, Optional<VolumeRecord> record, ClusterView view) {
        Map<String, String> labels = volume.getMetadata().getLabels();
        if (labels == null) {
            return Set.of();
        }
        Map<String, NodeName> known = new HashMap<>();
        view.storageNodes().forEach(n -> remember(known, n.getMetadata().getName()));
        record.ifPresent(r -> {
            r.placement().forEach(c -> remember(known, c.node().value()));
            r.removed().forEach(c -> remember(known, c.node().value()));
        });
        Set<NodeName> nodes = new HashSet<>();
        for (String label : labels.keySet()) {
            NodeName node = known.get(label);
            if (node != null) {
                nodes.add(node);
            } else if (label.startsWith(GabionApi.REPLICA_LABEL_PREFIX)) {
                // Of a node that is gone: what stands in the label leads to the same label.
                nodes.add(new NodeName(label.substring(GabionApi.REPLICA_LABEL_PREFIX.length())));
            }
        }
        return nodes;
    }

    private static void remember(Map<String, NodeName> known, String node) {
        known.put(GabionApi.replicaLabel(node), new NodeName(node));
    }
}
