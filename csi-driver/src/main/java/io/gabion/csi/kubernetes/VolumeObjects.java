package io.gabion.csi.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.ClaimReference;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.Locality;
import io.gabion.api.v1alpha1.QualityOfService;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeSpec;
import io.gabion.csi.backend.NewVolume;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.StoredVolume.Holds;
import io.gabion.csi.backend.StoredVolume.Marks;
import io.gabion.csi.backend.StoredVolume.Observation;
import io.gabion.csi.backend.StoredVolume.Origin;
import io.gabion.csi.backend.VolumeSettings;
import io.gabion.csi.backend.VolumeSettings.Limits;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Between Volume objects and what the driver knows of volumes. */
final class VolumeObjects {
    /** The name that the orchestrator asked for, where the object's is another. */
    static final String REQUESTED_NAME = "csi.gabion.io/requested-name";
    /** Parameters of the class. */
    static final String PARAMETERS = "csi.gabion.io/parameters";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private VolumeObjects() {}

    static StoredVolume stored(Volume volume) {
        Optional<VolumeRecord> record = VolumeRecords.record(volume);
        List<ReplicaPlacement> placement = record.map(VolumeRecord::placement).orElse(List.of());
        boolean deleting = volume.isMarkedForDeletion() || volume.getStatus().isDeleting();
        return new StoredVolume(
                volume.getMetadata().getName(),
                VolumeRecords.volumeId(volume),
                origin(volume),
                settings(volume.getSpec()),
                placement,
                record.map(VolumeRecord::config),
                new Marks(
                        deleting,
                        volume.getStatus().isEverWritten(),
                        volume.getSpec().isDeletionProtection(),
                        volume.getStatus().getConditions().stream()
                                .map(VolumeObjects::observation)
                                .toList()));
    }

    private static Optional<Origin> origin(Volume volume) {
        Map<String, String> annotations =
                Objects.requireNonNullElse(volume.getMetadata().getAnnotations(), Map.of());
        @Nullable String parameters = annotations.get(PARAMETERS);
        return parameters == null
                ? Optional.empty()
                : Optional.of(new Origin(
                        annotations.getOrDefault(
                                REQUESTED_NAME, volume.getMetadata().getName()),
                        parameters));
    }

    private static Observation observation(Condition condition) {
        Holds holds =
                switch (condition.getStatus()) {
                    case "True" -> Holds.YES;
                    case "False" -> Holds.NO;
                    default -> Holds.UNKNOWN;
                };
        return new Observation(
                condition.getType(),
                holds,
                Objects.requireNonNullElse(condition.getReason(), ""),
                Objects.requireNonNullElse(condition.getMessage(), ""));
    }

    static VolumeSettings settings(VolumeSpec spec) {
        @Nullable Integer minInSync = spec.getMinInSync();
        return new VolumeSettings(
                VolumeRecords.bytes("spec.size", spec.getSize()),
                spec.getPool(),
                spec.getReplicas(),
                minInSync == null ? OptionalInt.empty() : OptionalInt.of(minInSync),
                switch (spec.getOnPoolFull()) {
                    case STALL -> PoolFullPolicy.STALL;
                    case ERROR -> PoolFullPolicy.ERROR;
                },
                spec.getLocality() == Locality.PREFERRED,
                limits(spec.getQos()));
    }

    private static Limits limits(@Nullable QualityOfService qos) {
        return qos == null ? Limits.NONE : new Limits(optional(qos.getIops()), optional(qos.getBytesPerSecond()));
    }

    private static OptionalLong optional(@Nullable Long value) {
        return value == null ? OptionalLong.empty() : OptionalLong.of(value);
    }

    /** @param preferredNode where the first copy is wanted */
    static Volume object(NewVolume volume, Optional<String> preferredNode) {
        Volume object = new Volume();
        Map<String, String> annotations = new HashMap<>();
        annotations.put(PARAMETERS, volume.origin().parameters());
        if (!volume.origin().requestedName().equals(volume.name())) {
            annotations.put(REQUESTED_NAME, volume.origin().requestedName());
        }
        preferredNode.ifPresent(node -> annotations.put(GabionApi.PREFERRED_NODE, node));
        object.setMetadata(new ObjectMetaBuilder()
                .withName(volume.name())
                .withAnnotations(annotations)
                .build());
        VolumeSpec spec = new VolumeSpec();
        apply(spec, volume.settings());
        volume.claim().ifPresent(claim -> {
            ClaimReference reference = new ClaimReference();
            reference.setNamespace(claim.namespace());
            reference.setName(claim.name());
            claim.uid().ifPresent(reference::setUid);
            spec.setClaimRef(reference);
        });
        object.setSpec(spec);
        return object;
    }

    private static void apply(VolumeSpec spec, VolumeSettings settings) {
        spec.setSize(quantity(settings.sizeBytes()));
        spec.setPool(settings.pool());
        spec.setReplicas(settings.replicas());
        spec.setMinInSync(
                settings.minInSync().isPresent() ? settings.minInSync().getAsInt() : null);
        spec.setOnPoolFull(VolumeRecords.onPoolFull(settings.onPoolFull()));
        spec.setLocality(settings.preferLocal() ? Locality.PREFERRED : Locality.NONE);
        Limits limits = settings.limits();
        if (!limits.equals(Limits.NONE)) {
            QualityOfService qos = new QualityOfService();
            limits.iops().ifPresent(qos::setIops);
            limits.bytesPerSecond().ifPresent(qos::setBytesPerSecond);
            spec.setQos(qos);
        }
    }

    /** Binary units where they divide the size, for people. */
    static Quantity quantity(long bytes) {
        for (Map.Entry<String, Long> unit : List.of(
                Map.entry("Ti", 1L << 40),
                Map.entry("Gi", 1L << 30),
                Map.entry("Mi", 1L << 20),
                Map.entry("Ki", 1L << 10))) {
            if (bytes % unit.getValue() == 0) {
                return new Quantity(Long.toString(bytes / unit.getValue()), unit.getKey());
            }
        }
        return new Quantity(Long.toString(bytes));
    }

    /** Changes of the specification, bound to the object exactly as it was read. */
    static String settingsPatch(Volume current, VolumeSettings settings) {
        VolumeSettings before = settings(current.getSpec());
        VolumeSpec wanted = new VolumeSpec();
        apply(wanted, settings);
        ArrayNode operations = JSON.createArrayNode();
        add(
                operations,
                "test",
                "/metadata/uid",
                JSON.valueToTree(current.getMetadata().getUid()));
        add(
                operations,
                "test",
                "/metadata/resourceVersion",
                JSON.valueToTree(current.getMetadata().getResourceVersion()));
        if (before.sizeBytes() != settings.sizeBytes()) {
            add(operations, "add", "/spec/size", JSON.valueToTree(wanted.getSize()));
        }
        if (before.replicas() != settings.replicas()) {
            add(operations, "add", "/spec/replicas", JSON.valueToTree(settings.replicas()));
        }
        if (before.preferLocal() != settings.preferLocal()) {
            add(operations, "add", "/spec/locality", JSON.valueToTree(wanted.getLocality()));
        }
        if (!before.limits().equals(settings.limits()) && wanted.getQos() != null) {
            add(operations, "add", "/spec/qos", JSON.valueToTree(wanted.getQos()));
        }
        return operations.toString();
    }

    private static void add(ArrayNode operations, String operation, String path, JsonNode value) {
        operations.addObject().put("op", operation).put("path", path).set("value", value);
    }
}
