package io.gabion.node.kubernetes;

import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.record.RecordPatch;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeSpec;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/** Volumes as the operator makes them. */
public final class ApiVolumes {
    static final long SIZE_BYTES = 1 << 20;
    private static final PatchContext JSON_PATCH = PatchContext.of(PatchType.JSON);

    private final KubernetesClient administrator;

    public ApiVolumes(KubernetesClient administrator) {
        this.administrator = administrator;
    }

    /** A new volume with a replica on each node, labelled for them before the record names them. */
    public VolumeRecord create(NodeName... nodes) {
        Volume volume = new Volume();
        volume.getMetadata().setName("vol-" + UUID.randomUUID());
        VolumeSpec spec = new VolumeSpec();
        spec.setSize(new Quantity(Long.toString(SIZE_BYTES)));
        spec.setPool("default");
        spec.setReplicas(nodes.length);
        volume.setSpec(spec);
        List<ReplicaPlacement> placement = Arrays.stream(nodes)
                .map(node -> new ReplicaPlacement(new ReplicaId(UUID.randomUUID()), node))
                .toList();
        for (NodeName node : nodes) {
            volume.getMetadata().getLabels().put(GabionApi.replicaLabel(node.value()), "");
        }
        Volume made = administrator.resource(volume).create();
        VolumeConfig config = new VolumeConfig(
                1,
                1,
                placement.getFirst().replica(),
                placement.stream().map(p -> new InSyncMember(p.replica(), 0)).toList(),
                1,
                SIZE_BYTES,
                0,
                List.of(),
                0,
                "test/1");
        VolumeRecord record = new VolumeRecord(
                VolumeId.of(made.getMetadata().getUid()),
                VolumeRecords.spec(made),
                placement,
                List.of(),
                false,
                config);
        patch(made, RecordPatch.first(made, record).text());
        return record;
    }

    public Volume get(VolumeId volume) {
        return administrator.resources(Volume.class).list().getItems().stream()
                .filter(v -> v.getMetadata().getUid().equals(volume.toString()))
                .findFirst()
                .orElseThrow();
    }

    public VolumeRecord record(VolumeId volume) {
        return VolumeRecords.record(get(volume)).orElseThrow();
    }

    /** Without looking at who else writes. */
    public void force(VolumeRecord next) {
        Volume current = get(next.id());
        patch(current, RecordPatch.swap(current, next).text());
    }

    public Volume patch(Volume volume, String operations) {
        return administrator.resource(volume).subresource("status").patch(JSON_PATCH, operations);
    }
}
