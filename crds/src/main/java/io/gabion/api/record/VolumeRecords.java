package io.gabion.api.record;

import io.fabric8.kubernetes.api.model.Quantity;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.InSyncReplica;
import io.gabion.api.v1alpha1.OnPoolFull;
import io.gabion.api.v1alpha1.RecoveryMode;
import io.gabion.api.v1alpha1.ReplicaOnNode;
import io.gabion.api.v1alpha1.SessionGrant;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeConfiguration;
import io.gabion.model.Attachment;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.RecoveryPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Between a Volume of the API and the record that the data plane obeys: the only place where they meet. Reading throws
 * {@link IllegalArgumentException} that names the field, as in {@code status.config.inSync[1]}, when the object holds a value
 * that the record does not allow.
 */
public final class VolumeRecords {
    private VolumeRecords() {}

    // ---- from the API
    /** Identity of the volume's data: {@code status.volumeId}, else {@code spec.volumeId}, else the UID of the object. */
    public static VolumeId volumeId(Volume volume) {
        String recorded = volume.getStatus().getVolumeId();
        if (recorded != null) {
            return field("status.volumeId", () -> VolumeId.of(recorded));
        }
        String adopted = volume.getSpec().getVolumeId();
        return adopted != null
                ? field("spec.volumeId", () -> VolumeId.of(adopted))
                : field("metadata.uid", () -> VolumeId.of(volume.getMetadata().getUid()));
    }

    /** What the user asked for; {@code minInSync} has its default when it was left out. */
    public static VolumeSpec spec(Volume volume) {
        io.gabion.api.v1alpha1.VolumeSpec spec = volume.getSpec();
        Integer minInSync = spec.getMinInSync();
        int replicas = spec.getReplicas();
        long sizeBytes = bytes("spec.size", spec.getSize());
        return field(
                "spec",
                () -> new VolumeSpec(
                        volume.getMetadata().getName(),
                        sizeBytes,
                        replicas,
                        minInSync == null ? VolumeSpec.defaultMinInSync(replicas) : minInSync,
                        spec.getPool(),
                        switch (spec.getOnPoolFull()) {
                            case STALL -> PoolFullPolicy.STALL;
                            case ERROR -> PoolFullPolicy.ERROR;
                        },
                        switch (spec.getRecoveryPolicy()) {
                            case ANY -> RecoveryPolicy.ANY;
                            case ALL -> RecoveryPolicy.ALL;
                        }));
    }

    /** The record; empty while the volume has no first configuration. */
    public static Optional<VolumeRecord> record(Volume volume) {
        VolumeConfiguration config = volume.getStatus().getConfig();
        if (config == null) {
            return Optional.empty();
        }
        VolumeId id = volumeId(volume);
        VolumeSpec spec = spec(volume);
        List<ReplicaPlacement> placement =
                placements("status.placement", volume.getStatus().getPlacement());
        List<ReplicaPlacement> removed =
                placements("status.removed", volume.getStatus().getRemoved());
        VolumeConfig read = config(config);
        return Optional.of(field(
                "status",
                () -> new VolumeRecord(
                        id, spec, placement, removed, volume.getStatus().isDeleting(), read)));
    }

    /** A quantity of the API as bytes. */
    public static long bytes(String name, Quantity quantity) {
        try {
            return quantity.getNumericalAmount().longValueExact();
        } catch (ArithmeticException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    name + ": \"" + quantity + "\" is not a whole number of bytes such as 10Gi", e);
        }
    }

    static List<ReplicaPlacement> placements(String name, List<ReplicaOnNode> entries) {
        return each(name, entries, p -> new ReplicaPlacement(ReplicaId.of(p.getReplica()), new NodeName(p.getNode())));
    }

    private static VolumeConfig config(VolumeConfiguration config) {
        List<InSyncMember> inSync = each(
                "status.config.inSync",
                config.getInSync(),
                m -> new InSyncMember(ReplicaId.of(m.getReplica()), m.getIncarnation()));
        List<Attachment> attachments = each(
                "status.config.attachments",
                config.getAttachments(),
                a -> new Attachment(new NodeName(a.getNode()), a.getGeneration(), a.isReadOnly()));
        ReplicaId primary = field("status.config.primary", () -> ReplicaId.of(config.getPrimary()));
        return field(
                "status.config",
                () -> new VolumeConfig(
                        config.getVersion(),
                        config.getEpoch(),
                        primary,
                        inSync,
                        config.getVerifier(),
                        config.getSizeBytes(),
                        config.getSessionFloor(),
                        attachments,
                        config.getSnapSequence(),
                        config.getWriter()));
    }

    // ---- to the API
    /**
     * The configuration for {@code status.config}.
     *
     * @param before what stands there now: fields of it, its members and its attachments that this version does not know are
     *     taken over
     */
    public static VolumeConfiguration configuration(VolumeConfig config, @Nullable VolumeConfiguration before) {
        VolumeConfiguration made = new VolumeConfiguration();
        made.setVersion(config.version());
        made.setEpoch(config.epoch());
        made.setPrimary(config.primary().toString());
        made.setInSync(config.inSync().stream().map(m -> member(m, before)).toList());
        made.setVerifier(config.verifier());
        made.setSizeBytes(config.sizeBytes());
        made.setSessionFloor(config.sessionFloor());
        made.setAttachments(
                config.attachments().stream().map(a -> grant(a, before)).toList());
        made.setSnapSequence(config.snapSequence());
        made.setWriter(config.writer());
        if (before != null) {
            before.getUnknown().forEach(made::setUnknown);
        }
        return made;
    }

    private static InSyncReplica member(InSyncMember member, @Nullable VolumeConfiguration before) {
        InSyncReplica made = new InSyncReplica();
        made.setReplica(member.replica().toString());
        made.setIncarnation(member.incarnation());
        if (before != null) {
            before.getInSync().stream()
                    .filter(m -> m.getReplica().equals(made.getReplica()))
                    .forEach(m -> m.getUnknown().forEach(made::setUnknown));
        }
        return made;
    }

    private static SessionGrant grant(Attachment attachment, @Nullable VolumeConfiguration before) {
        SessionGrant made = new SessionGrant();
        made.setNode(attachment.node().value());
        made.setGeneration(attachment.generation());
        made.setReadOnly(attachment.readOnly());
        if (before != null) {
            before.getAttachments().stream()
                    .filter(a -> a.getNode().equals(made.getNode()) && a.getGeneration() == made.getGeneration())
                    .forEach(a -> a.getUnknown().forEach(made::setUnknown));
        }
        return made;
    }

    /** For {@code status.placement} and {@code status.removed}. */
    public static List<ReplicaOnNode> entries(List<ReplicaPlacement> placements) {
        return placements.stream()
                .map(p -> new ReplicaOnNode(p.replica().toString(), p.node().value()))
                .toList();
    }

    /** Labels that the Volume must carry before {@code record} may stand in it: one per node that it names. */
    public static List<String> replicaLabels(VolumeRecord record) {
        return List.copyOf(new TreeSet<>(Stream.concat(record.placement().stream(), record.removed().stream())
                .map(p -> GabionApi.replicaLabel(p.node().value()))
                .toList()));
    }

    /** The specification's policy as the API names it. */
    public static OnPoolFull onPoolFull(PoolFullPolicy policy) {
        return switch (policy) {
            case STALL -> OnPoolFull.STALL;
            case ERROR -> OnPoolFull.ERROR;
        };
    }

    /** The specification's policy as the API names it. */
    public static RecoveryMode recoveryMode(RecoveryPolicy policy) {
        return switch (policy) {
            case ANY -> RecoveryMode.ANY;
            case ALL -> RecoveryMode.ALL;
        };
    }

    // ---- errors that name the field
    private static <M, T> List<T> each(String name, List<M> entries, Function<M, T> decode) {
        List<T> decoded = new ArrayList<>(entries.size());
        for (int i = 0; i < entries.size(); i++) {
            M entry = entries.get(i);
            decoded.add(field(name + "[" + i + "]", () -> decode.apply(entry)));
        }
        return decoded;
    }

    static <T> T field(String name, Supplier<T> decode) {
        try {
            return decode.get();
        } catch (IllegalArgumentException | NullPointerException e) {
            throw new IllegalArgumentException(name + ": " + Objects.requireNonNullElse(e.getMessage(), "missing"), e);
        }
    }
}
