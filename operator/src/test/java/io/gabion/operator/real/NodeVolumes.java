package io.gabion.operator.real;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.record.RecordPatch;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.record.SwapOutcome;
import io.gabion.operator.record.VolumeApi;
import java.util.Optional;
import java.util.Set;

/** Volumes of a real API server as storage nodes and the driver change them: the record alone. */
final class NodeVolumes implements VolumeApi {
    private final KubernetesClient client;

    NodeVolumes(KubernetesClient client) {
        this.client = client;
    }

    @Override
    public Optional<Volume> read(String name) {
        return Optional.ofNullable(client.resources(Volume.class).withName(name).get());
    }

    @Override
    public SwapOutcome swap(Volume observed, VolumeRecord next) {
        RecordPatch patch = RecordPatch.swap(observed, next);
        try {
            return new SwapOutcome.Won(client.resources(Volume.class)
                    .withName(observed.getMetadata().getName())
                    .subresource("status")
                    .patch(PatchContext.of(PatchType.JSON), patch.text()));
        } catch (KubernetesClientException e) {
            return new SwapOutcome.Lost();
        }
    }

    @Override
    public SwapOutcome relabel(Volume observed, Set<String> add, Set<String> remove) {
        throw new UnsupportedOperationException("the operator's");
    }

    @Override
    public SwapOutcome create(Volume observed, VolumeRecord first) {
        throw new UnsupportedOperationException("the operator's");
    }

    @Override
    public void report(Volume observed, VolumeStatus report) {
        throw new UnsupportedOperationException("the operator's");
    }
}
