package io.gabion.operator.record;

import io.gabion.api.v1alpha1.InSyncReplica;
import io.gabion.api.v1alpha1.OnPoolFull;
import io.gabion.api.v1alpha1.RecoveryMode;
import io.gabion.api.v1alpha1.ReplicaOnNode;
import io.gabion.api.v1alpha1.SessionGrant;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeConfiguration;
import io.gabion.api.v1alpha1.VolumeStatus;
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
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Between the Volume object and the record that the data plane obeys. */
public final class Records {
    private Records() {}

    /** Identity of the data: what stands in the status, else what the user gave, else the object's UID. */
    public static VolumeId id(Volume volume) {
        VolumeStatus status = volume.getStatus();
        String written = status == null ? null : status.getVolumeId();
        String given = volume.getSpec().getVolumeId();
        return VolumeId.of(
                written != null
                        ? written
                        : given != null ? given : volume.getMetadata().getUid());
    }

    /** Throws {@link IllegalArgumentException} that names the field when the specification cannot be obeyed. */
    public static VolumeSpec spec(Volume volume) {
        io.gabion.api.v1alpha1.VolumeSpec spec = volume.getSpec();
        Integer minInSync = spec.getMinInSync();
        return new VolumeSpec(
                volume.getMetadata().getName(),
                bytes(
                        "spec.size",
                        spec.getSize().getNumericalAmount(),
                        spec.getSize().toString()),
                spec.getReplicas(),
                minInSync == null ? VolumeSpec.defaultMinInSync(spec.getReplicas()) : minInSync,
                spec.getPool(),
                spec.getOnPoolFull() == OnPoolFull.ERROR ? PoolFullPolicy.ERROR : PoolFullPolicy.STALL,
                spec.getRecoveryPolicy() == RecoveryMode.ALL ? RecoveryPolicy.ALL : RecoveryPolicy.ANY);
    }

    private static long bytes(String field, BigDecimal amount, String text) {
        try {
            return amount.longValueExact();
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(field + " must be a whole number of bytes, not " + text, e);
        }
    }

    /** The record as it stands; empty until the volume was placed. Throws {@link IllegalArgumentException} on a damaged one. */
    public static Optional<VolumeRecord> of(Volume volume) {
        VolumeStatus status = volume.getStatus();
        VolumeConfiguration config = status == null ? null : status.getConfig();
        if (status == null || config == null) {
            return Optional.empty();
        }
        return Optional.of(new VolumeRecord(
                id(volume),
                spec(volume),
                placements(status.getPlacement()),
                placements(status.getRemoved()),
                status.isDeleting(),
                config(config)));
    }

    private static VolumeConfig config(VolumeConfiguration c) {
        return new VolumeConfig(
                c.getVersion(),
                c.getEpoch(),
                ReplicaId.of(c.getPrimary()),
                c.getInSync().stream()
                        .map(m -> new InSyncMember(ReplicaId.of(m.getReplica()), m.getIncarnation()))
                        .toList(),
                c.getVerifier(),
                c.getSizeBytes(),
                c.getSessionFloor(),
                c.getAttachments().stream()
                        .map(a -> new Attachment(new NodeName(a.getNode()), a.getGeneration(), a.isReadOnly()))
                        .toList(),
                c.getSnapSequence(),
                c.getWriter());
    }

    /**
     * The configuration for the API.
     *
     * @param standing what it replaces; fields that this version does not know are taken over from it
     */
    public static VolumeConfiguration toApi(VolumeConfig config, @Nullable VolumeConfiguration standing) {
        VolumeConfiguration c = new VolumeConfiguration();
        c.setVersion(config.version());
        c.setEpoch(config.epoch());
        c.setPrimary(config.primary().toString());
        c.setInSync(config.inSync().stream().map(m -> member(m, standing)).toList());
        c.setVerifier(config.verifier());
        c.setSizeBytes(config.sizeBytes());
        c.setSessionFloor(config.sessionFloor());
        c.setAttachments(
                config.attachments().stream().map(a -> grant(a, standing)).toList());
        c.setSnapSequence(config.snapSequence());
        c.setWriter(config.writer());
        if (standing != null) {
            standing.getUnknown().forEach(c::setUnknown);
        }
        return c;
    }

    private static InSyncReplica member(InSyncMember member, @Nullable VolumeConfiguration standing) {
        InSyncReplica m = new InSyncReplica();
        m.setReplica(member.replica().toString());
        m.setIncarnation(member.incarnation());
        if (standing != null) {
            standing.getInSync().stream()
                    .filter(old -> old.getReplica().equals(m.getReplica()))
                    .forEach(old -> old.getUnknown().forEach(m::setUnknown));
        }
        return m;
    }

    private static SessionGrant grant(Attachment attachment, @Nullable VolumeConfiguration standing) {
        SessionGrant g = new SessionGrant();
        g.setNode(attachment.node().value());
        g.setGeneration(attachment.generation());
        g.setReadOnly(attachment.readOnly());
        if (standing != null) {
            standing.getAttachments().stream()
                    .filter(old -> old.getGeneration() == g.getGeneration())
                    .forEach(old -> old.getUnknown().forEach(g::setUnknown));
        }
        return g;
    }

    public static List<ReplicaOnNode> toApi(List<ReplicaPlacement> placements) {
        List<ReplicaOnNode> all = new ArrayList<>();
        for (ReplicaPlacement placement : placements) {
            ReplicaOnNode copy = new ReplicaOnNode();
            copy.setReplica(placement.replica().toString());
            copy.setNode(placement.node().value());
            all.add(copy);
        }
        return all;
    }

    private static List<ReplicaPlacement> placements(List<ReplicaOnNode> copies) {
        return copies.stream()
                .map(c -> new ReplicaPlacement(ReplicaId.of(c.getReplica()), new NodeName(c.getNode())))
                .toList();
    }
}
