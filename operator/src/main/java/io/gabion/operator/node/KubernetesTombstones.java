package io.gabion.operator.node;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.v1alpha1.ReplicaTombstone;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import java.util.ArrayList;
import java.util.List;

/** Tombstones in {@code spec.tombstones} of StorageNodes, changed only from the version that was read. */
public final class KubernetesTombstones implements Tombstones {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** As the definition of StorageNode bounds them. */
    private static final int MAX_TOMBSTONES = 4096;

    private final KubernetesClient client;

    public KubernetesTombstones(KubernetesClient client) {
        this.client = client;
    }

    @Override
    public void bury(NodeName node, VolumeId volume, ReplicaId replica) {
        StorageNode standing =
                client.resources(StorageNode.class).withName(node.value()).get();
        if (standing == null) {
            return;
        }
        List<ReplicaTombstone> tombstones = new ArrayList<>(standing.getSpec().getTombstones());
        if (tombstones.stream().anyMatch(t -> t.getReplica().equals(replica.toString()))) {
            return;
        }
        if (tombstones.size() >= MAX_TOMBSTONES) {
            throw new IllegalStateException("StorageNode " + node + " holds " + MAX_TOMBSTONES
                    + " tombstones already; bring the node back, or delete the StorageNode if it is gone for ever");
        }
        ReplicaTombstone tombstone = new ReplicaTombstone();
        tombstone.setVolumeId(volume.toString());
        tombstone.setReplica(replica.toString());
        tombstones.add(tombstone);
        replace(standing, tombstones);
    }

    /** Writes the list if the node is still as it was read; throws otherwise. */
    void replace(StorageNode standing, List<ReplicaTombstone> tombstones) {
        ArrayNode patch = JSON.createArrayNode();
        patch.addObject()
                .put("op", "test")
                .put("path", "/metadata/resourceVersion")
                .put("value", standing.getMetadata().getResourceVersion());
        patch.addObject().put("op", "add").put("path", "/spec/tombstones").set("value", JSON.valueToTree(tombstones));
        client.resource(standing).patch(PatchContext.of(PatchType.JSON), patch.toString());
    }
}
