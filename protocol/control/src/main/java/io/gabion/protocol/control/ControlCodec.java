package io.gabion.protocol.control;

import io.gabion.model.Attachment;
import io.gabion.model.ClusterId;
import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.RecoveryPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeOrigin;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Between the messages of control.proto and the records of the model: the only place where they meet. {@code fromProto}
 * throws {@link IllegalArgumentException} that names the field, as in {@code config.in_sync[1].replica}, when a message is
 * incomplete or holds a value that the record does not allow.
 */
public final class ControlCodec {
    private static final int MAX_PORT = 65535;
    /** More than any record can need; stops a message that would make every later step slow. */
    private static final int MAX_LIST_ENTRIES = 4096;

    private ControlCodec() {}

    // ---- volume
    public static io.gabion.protocol.control.v1.VolumeRecord toProto(VolumeRecord volume) {
        io.gabion.protocol.control.v1.VolumeRecord.Builder message =
                io.gabion.protocol.control.v1.VolumeRecord.newBuilder();
        volume.origin().ifPresent(origin -> message.setOrigin(toProto(origin)));
        return message.setId(volume.id().toString())
                .setSpec(toProto(volume.spec()))
                .addAllPlacement(
                        volume.placement().stream().map(ControlCodec::toProto).toList())
                .addAllRemoved(
                        volume.removed().stream().map(ControlCodec::toProto).toList())
                .setDeleting(volume.deleting())
                .setConfig(toProto(volume.config()))
                .build();
    }

    public static VolumeRecord fromProto(io.gabion.protocol.control.v1.VolumeRecord message) {
        check(message.hasSpec(), "spec", "missing");
        check(message.hasConfig(), "config", "missing");
        VolumeId id = field("id", () -> VolumeId.of(message.getId()));
        VolumeSpec spec = fromProto(message.getSpec());
        List<ReplicaPlacement> placement = placements("placement", message.getPlacementList());
        List<ReplicaPlacement> removed = placements("removed", message.getRemovedList());
        VolumeConfig config = fromProto(message.getConfig());
        Optional<VolumeOrigin> origin =
                message.hasOrigin() ? Optional.of(fromProto(message.getOrigin())) : Optional.empty();
        return field("", () -> new VolumeRecord(id, spec, placement, removed, message.getDeleting(), config, origin));
    }

    private static io.gabion.protocol.control.v1.VolumeOrigin toProto(VolumeOrigin origin) {
        return io.gabion.protocol.control.v1.VolumeOrigin.newBuilder()
                .setVolume(origin.volume().toString())
                .setSnapshot(origin.snapshot())
                .setLsn(origin.at().toString())
                .build();
    }

    private static VolumeOrigin fromProto(io.gabion.protocol.control.v1.VolumeOrigin message) {
        return field(
                "origin",
                () -> new VolumeOrigin(
                        VolumeId.of(message.getVolume()), message.getSnapshot(), SnapshotCodec.lsn(message.getLsn())));
    }

    private static io.gabion.protocol.control.v1.VolumeSpec toProto(VolumeSpec spec) {
        return io.gabion.protocol.control.v1.VolumeSpec.newBuilder()
                .setName(spec.name())
                .setSizeBytes(spec.sizeBytes())
                .setReplicas(spec.replicas())
                .setMinInSync(spec.minInSync())
                .setPool(spec.pool())
                .setOnPoolFull(
                        switch (spec.onPoolFull()) {
                            case STALL -> io.gabion.protocol.control.v1.PoolFullPolicy.POOL_FULL_POLICY_STALL;
                            case ERROR -> io.gabion.protocol.control.v1.PoolFullPolicy.POOL_FULL_POLICY_ERROR;
                        })
                .setRecoveryPolicy(
                        switch (spec.recoveryPolicy()) {
                            case ANY -> io.gabion.protocol.control.v1.RecoveryPolicy.RECOVERY_POLICY_ANY;
                            case ALL -> io.gabion.protocol.control.v1.RecoveryPolicy.RECOVERY_POLICY_ALL;
                        })
                .build();
    }

    private static VolumeSpec fromProto(io.gabion.protocol.control.v1.VolumeSpec message) {
        PoolFullPolicy onPoolFull =
                switch (message.getOnPoolFull()) {
                    case POOL_FULL_POLICY_STALL -> PoolFullPolicy.STALL;
                    case POOL_FULL_POLICY_ERROR -> PoolFullPolicy.ERROR;
                    case UNRECOGNIZED -> throw unknown("spec.on_pool_full", message.getOnPoolFullValue());
                };
        RecoveryPolicy recovery =
                switch (message.getRecoveryPolicy()) {
                    case RECOVERY_POLICY_ANY -> RecoveryPolicy.ANY;
                    case RECOVERY_POLICY_ALL -> RecoveryPolicy.ALL;
                    case UNRECOGNIZED -> throw unknown("spec.recovery_policy", message.getRecoveryPolicyValue());
                };
        return field(
                "spec",
                () -> new VolumeSpec(
                        message.getName(),
                        message.getSizeBytes(),
                        message.getReplicas(),
                        message.getMinInSync(),
                        message.getPool(),
                        onPoolFull,
                        recovery));
    }

    private static io.gabion.protocol.control.v1.VolumeConfig toProto(VolumeConfig config) {
        io.gabion.protocol.control.v1.VolumeConfig.Builder builder =
                io.gabion.protocol.control.v1.VolumeConfig.newBuilder()
                        .setVersion(config.version())
                        .setEpoch(config.epoch())
                        .setPrimary(config.primary().toString())
                        .setVerifier(config.verifier())
                        .setSizeBytes(config.sizeBytes())
                        .setSessionFloor(config.sessionFloor())
                        .setSnapSequence(config.snapSequence())
                        .setWriter(config.writer());
        for (InSyncMember member : config.inSync()) {
            builder.addInSync(io.gabion.protocol.control.v1.InSyncMember.newBuilder()
                    .setReplica(member.replica().toString())
                    .setIncarnation(member.incarnation()));
        }
        for (Attachment attachment : config.attachments()) {
            builder.addAttachments(io.gabion.protocol.control.v1.Attachment.newBuilder()
                    .setNode(attachment.node().value())
                    .setGeneration(attachment.generation())
                    .setReadOnly(attachment.readOnly()));
        }
        return builder.build();
    }

    private static VolumeConfig fromProto(io.gabion.protocol.control.v1.VolumeConfig message) {
        List<InSyncMember> inSync = each(
                "config.in_sync",
                message.getInSyncList(),
                m -> new InSyncMember(ReplicaId.of(m.getReplica()), m.getIncarnation()));
        List<Attachment> attachments = each(
                "config.attachments",
                message.getAttachmentsList(),
                a -> new Attachment(new NodeName(a.getNode()), a.getGeneration(), a.getReadOnly()));
        ReplicaId primary = field("config.primary", () -> ReplicaId.of(message.getPrimary()));
        check(message.getSizeBytes() > 0, "config.size_bytes", "must be positive, not " + message.getSizeBytes());
        check(message.getVerifier() >= 0, "config.verifier", "must not be negative");
        check(message.getSessionFloor() >= 0, "config.session_floor", "must not be negative");
        check(message.getSnapSequence() >= 0, "config.snap_sequence", "must not be negative");
        return field(
                "config",
                () -> new VolumeConfig(
                        message.getVersion(),
                        message.getEpoch(),
                        primary,
                        inSync,
                        message.getVerifier(),
                        message.getSizeBytes(),
                        message.getSessionFloor(),
                        attachments,
                        message.getSnapSequence(),
                        message.getWriter()));
    }

    private static io.gabion.protocol.control.v1.ReplicaPlacement toProto(ReplicaPlacement placement) {
        return io.gabion.protocol.control.v1.ReplicaPlacement.newBuilder()
                .setReplica(placement.replica().toString())
                .setNode(placement.node().value())
                .build();
    }

    private static List<ReplicaPlacement> placements(
            String name, List<io.gabion.protocol.control.v1.ReplicaPlacement> messages) {
        return each(name, messages, p -> new ReplicaPlacement(ReplicaId.of(p.getReplica()), new NodeName(p.getNode())));
    }

    // ---- disk, node, pool
    public static io.gabion.protocol.control.v1.DiskRecord toProto(DiskRecord disk) {
        return io.gabion.protocol.control.v1.DiskRecord.newBuilder()
                .setId(disk.id().toString())
                .setCluster(disk.cluster().toString())
                .setNode(disk.node().value())
                .setPool(disk.pool())
                .setOpenCount(disk.openCount())
                .setVersion(disk.version())
                .build();
    }

    public static DiskRecord fromProto(io.gabion.protocol.control.v1.DiskRecord message) {
        check(message.getOpenCount() >= 0, "open_count", "must not be negative");
        check(message.getVersion() >= 1, "version", "starts at 1, not " + message.getVersion());
        return new DiskRecord(
                field("id", () -> DiskId.of(message.getId())),
                field("cluster", () -> ClusterId.of(message.getCluster())),
                field("node", () -> new NodeName(message.getNode())),
                message.getPool(),
                message.getOpenCount(),
                message.getVersion());
    }

    public static io.gabion.protocol.control.v1.NodeRecord toProto(NodeRecord node) {
        return io.gabion.protocol.control.v1.NodeRecord.newBuilder()
                .setName(node.name().value())
                .setHost(node.host())
                .setDataPort(node.dataPort())
                .setControlPort(node.controlPort())
                .setMetricsPort(node.metricsPort())
                .setSoftwareVersion(node.softwareVersion())
                .setVersion(node.version())
                .build();
    }

    public static NodeRecord fromProto(io.gabion.protocol.control.v1.NodeRecord message) {
        NodeName name = field("name", () -> new NodeName(message.getName()));
        check(!message.getHost().isBlank(), "host", "missing");
        return new NodeRecord(
                name,
                message.getHost(),
                port("data_port", message.getDataPort()),
                port("control_port", message.getControlPort()),
                port("metrics_port", message.getMetricsPort()),
                message.getSoftwareVersion(),
                message.getVersion());
    }

    public static io.gabion.protocol.control.v1.PoolRecord toProto(PoolRecord pool) {
        return io.gabion.protocol.control.v1.PoolRecord.newBuilder()
                .setName(pool.name())
                .addAllNodes(pool.nodes().stream().map(NodeName::value).toList())
                .setVersion(pool.version())
                .build();
    }

    public static PoolRecord fromProto(io.gabion.protocol.control.v1.PoolRecord message) {
        List<NodeName> nodes = each("nodes", message.getNodesList(), NodeName::new);
        return field("", () -> new PoolRecord(message.getName(), nodes, message.getVersion()));
    }

    // ---- errors that name the field
    private static int port(String name, int value) {
        check(value >= 0 && value <= MAX_PORT, name, "must be 0 to " + MAX_PORT + ", not " + value);
        return value;
    }

    private static <M, T> List<T> each(String name, List<M> messages, Function<M, T> decode) {
        check(messages.size() <= MAX_LIST_ENTRIES, name, "has more than " + MAX_LIST_ENTRIES + " entries");
        List<T> decoded = new ArrayList<>(messages.size());
        for (int i = 0; i < messages.size(); i++) {
            M message = messages.get(i);
            decoded.add(field(name + "[" + i + "]", () -> decode.apply(message)));
        }
        return decoded;
    }

    private static <T> T field(String name, Supplier<T> decode) {
        try {
            return decode.get();
        } catch (IllegalArgumentException e) {
            String prefix = name.isEmpty() ? "" : name + ": ";
            throw new IllegalArgumentException(prefix + e.getMessage(), e);
        }
    }

    private static void check(boolean condition, String name, String problem) {
        if (!condition) {
            throw new IllegalArgumentException(name + ": " + problem);
        }
    }

    private static IllegalArgumentException unknown(String name, int value) {
        return new IllegalArgumentException(name + ": unknown value " + value + " (the sender is of a newer version)");
    }
}
