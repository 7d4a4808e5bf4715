package io.gabion.operator.record;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.record.RecordPatch;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeConfiguration;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.model.VolumeRecord;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Volumes of a real API server, changed by JSON patches that test what they were decided on. Patches are sent for the object that
 * was seen: by its name alone the client would read it first. Safe for any thread.
 */
public final class KubernetesVolumes implements VolumeApi {
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesVolumes.class);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final PatchContext JSON_PATCH = PatchContext.of(PatchType.JSON);
    private static final PatchContext MERGE_PATCH = PatchContext.of(PatchType.JSON_MERGE);
    private static final int UNPROCESSABLE = 422;

    private final KubernetesClient client;

    public KubernetesVolumes(KubernetesClient client) {
        this.client = client;
    }

    @Override
    public Optional<Volume> read(String name) {
        return Optional.ofNullable(client.resources(Volume.class).withName(name).get());
    }

    @Override
    public SwapOutcome relabel(Volume observed, Set<String> add, Set<String> remove) {
        ArrayNode patch = JSON.createArrayNode();
        test(patch, "/metadata/uid", observed.getMetadata().getUid());
        VolumeConfiguration config = observed.getStatus().getConfig();
        if (config == null) {
            test(patch, "/metadata/resourceVersion", observed.getMetadata().getResourceVersion());
        } else {
            patch.addObject()
                    .put("op", "test")
                    .put("path", "/status/config/version")
                    .put("value", config.getVersion());
        }
        Map<String, String> labels = observed.getMetadata().getLabels();
        if (labels == null || labels.isEmpty()) {
            patch.addObject().put("op", "add").put("path", "/metadata/labels").set("value", JSON.createObjectNode());
        }
        add.forEach(label -> patch.addObject()
                .put("op", "add")
                .put("path", "/metadata/labels/" + escape(label))
                .put("value", ""));
        remove.forEach(label -> patch.addObject().put("op", "remove").put("path", "/metadata/labels/" + escape(label)));
        try {
            return new SwapOutcome.Won(client.resource(observed).patch(JSON_PATCH, patch.toString()));
        } catch (KubernetesClientException e) {
            return failed(observed, e);
        }
    }

    private static String escape(String label) {
        return label.replace("~", "~0").replace("/", "~1");
    }

    private static void test(ArrayNode patch, String path, String value) {
        patch.addObject().put("op", "test").put("path", path).put("value", value);
    }

    @Override
    public SwapOutcome create(Volume observed, VolumeRecord first) {
        return send(observed, first, RecordPatch.first(observed, first));
    }

    @Override
    public SwapOutcome swap(Volume observed, VolumeRecord next) {
        return send(observed, next, RecordPatch.swap(observed, next));
    }

    private SwapOutcome send(Volume observed, VolumeRecord next, RecordPatch patch) {
        String name = observed.getMetadata().getName();
        try {
            Volume stored = client.resource(observed)
                    .subresource("status")
                    .patch(JSON_PATCH, withGeneration(patch.text(), observed));
            List<String> missing = patch.missingIn(stored);
            if (!missing.isEmpty()) {
                return new SwapOutcome.Refused(
                        "the installed definition of Volume is older than this operator and dropped " + missing
                                + "; upgrade the definitions");
            }
            return new SwapOutcome.Won(stored);
        } catch (KubernetesClientException e) {
            SwapOutcome outcome = failed(observed, e);
            return outcome instanceof SwapOutcome.Lost ? ownSuccess(name, next) : outcome;
        }
    }

    /** The answer may have got lost after the change was made: the writer tells whose record stands. */
    private SwapOutcome ownSuccess(String name, VolumeRecord next) {
        Optional<Volume> standing = read(name);
        return standing.filter(v -> v.getStatus().getConfig() != null
                        && next.config()
                                .writer()
                                .equals(v.getStatus().getConfig().getWriter()))
                .<SwapOutcome>map(SwapOutcome.Won::new)
                .orElseGet(SwapOutcome.Lost::new);
    }

    /** The generation whose wishes this change carries belongs to the same write. */
    private static String withGeneration(String patch, Volume observed) {
        Long generation = observed.getMetadata().getGeneration();
        if (generation == null) {
            return patch;
        }
        try {
            ArrayNode operations = (ArrayNode) JSON.readTree(patch);
            operations
                    .addObject()
                    .put("op", "add")
                    .put("path", "/status/observedGeneration")
                    .put("value", generation);
            return operations.toString();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a patch of ours is no JSON", e);
        }
    }

    private static SwapOutcome failed(Volume observed, KubernetesClientException e) {
        boolean broken = e.getCode() == UNPROCESSABLE
                && e.getStatus() != null
                && e.getStatus().getDetails() != null
                && e.getStatus().getDetails().getCauses() != null
                && !e.getStatus().getDetails().getCauses().isEmpty();
        if (broken || e.getCode() == HttpURLConnection.HTTP_FORBIDDEN) {
            return new SwapOutcome.Refused(String.valueOf(e.getMessage()));
        }
        if (e.getCode() != UNPROCESSABLE && e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
            LOG.info("volume {}: outcome unknown: {}", observed.getMetadata().getName(), e.getMessage());
        }
        return new SwapOutcome.Lost();
    }

    @Override
    public void report(Volume observed, VolumeStatus report) {
        ObjectNode status = JSON.createObjectNode();
        status.put("volumeId", report.getVolumeId());
        status.set("conditions", JSON.valueToTree(report.getConditions()));
        status.set("replicas", JSON.valueToTree(report.getReplicas()));
        status.put("replicaCount", report.getReplicaCount());
        status.put("primaryNode", report.getPrimaryNode());
        status.put("copies", report.getCopies());
        status.put("replicaNodes", report.getReplicaNodes());
        status.put("attachedTo", report.getAttachedTo());
        status.put("claim", report.getClaim());
        status.put("allocatedBytes", report.getAllocatedBytes());
        status.put("allocated", report.getAllocated());
        if (report.isEverWritten()) {
            status.put("everWritten", true);
        }
        if (report.getVolumeId() == null) {
            // What an invalid specification leaves unknown stays as it is.
            status.retain("conditions");
        }
        ObjectNode patch = JSON.createObjectNode();
        patch.putObject("metadata").put("uid", observed.getMetadata().getUid());
        patch.set("status", status);
        client.resource(observed).subresource("status").patch(MERGE_PATCH, patch.toString());
    }
}
