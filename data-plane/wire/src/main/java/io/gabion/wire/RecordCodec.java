package io.gabion.wire;

import io.gabion.model.Attachment;
import io.gabion.model.InSyncMember;
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

/** A volume's record within a body. */
final class RecordCodec {
    private static final int UUID_BYTES = 16;
    private static final int MEMBER_BYTES = UUID_BYTES + Long.BYTES;
    /** A node's name has a length byte and at least one character. */
    private static final int MIN_NAME_BYTES = 2;

    private RecordCodec() {}

    static void write(FrameWriter out, VolumeRecord record) {
        out.uuid(record.id().value());
        writeSpec(out, record.spec());
        writePlacements(out, record.placement());
        writePlacements(out, record.removed());
        out.bool(record.deleting());
        writeConfig(out, record.config());
        out.bool(record.origin().isPresent());
        record.origin().ifPresent(origin -> {
            out.uuid(origin.volume().value());
            out.i64(origin.snapshot());
            out.lsn(origin.at());
        });
    }

    static VolumeRecord read(FrameBody in) {
        VolumeId id = in.volume();
        VolumeSpec spec = readSpec(in);
        List<ReplicaPlacement> placement = readPlacements(in);
        List<ReplicaPlacement> removed = readPlacements(in);
        boolean deleting = in.bool();
        VolumeConfig config = readConfig(in);
        return new VolumeRecord(id, spec, placement, removed, deleting, config, readOrigin(in));
    }

    private static Optional<VolumeOrigin> readOrigin(FrameBody in) {
        return in.bool() ? Optional.of(new VolumeOrigin(in.volume(), in.i64(), in.lsn())) : Optional.empty();
    }

    private static void writeSpec(FrameWriter out, VolumeSpec spec) {
        out.text(spec.name());
        out.i64(spec.sizeBytes());
        out.u8(spec.replicas());
        out.u8(spec.minInSync());
        out.text(spec.pool());
        out.u8(
                switch (spec.onPoolFull()) {
                    case STALL -> 0;
                    case ERROR -> 1;
                });
        out.u8(
                switch (spec.recoveryPolicy()) {
                    case ANY -> 0;
                    case ALL -> 1;
                });
    }

    private static VolumeSpec readSpec(FrameBody in) {
        return new VolumeSpec(
                in.text(),
                in.i64(),
                in.u8(),
                in.u8(),
                in.text(),
                in.bool() ? PoolFullPolicy.ERROR : PoolFullPolicy.STALL,
                in.bool() ? RecoveryPolicy.ALL : RecoveryPolicy.ANY);
    }

    private static void writePlacements(FrameWriter out, List<ReplicaPlacement> placements) {
        out.count(placements.size(), Frames.MAX_PLACEMENTS, "placements");
        for (ReplicaPlacement placement : placements) {
            out.uuid(placement.replica().value());
            out.node(placement.node());
        }
    }

    private static List<ReplicaPlacement> readPlacements(FrameBody in) {
        int count = in.count(Frames.MAX_PLACEMENTS, UUID_BYTES + MIN_NAME_BYTES, "placements");
        List<ReplicaPlacement> placements = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            placements.add(new ReplicaPlacement(in.replica(), in.node()));
        }
        return placements;
    }

    private static void writeConfig(FrameWriter out, VolumeConfig config) {
        out.i64(config.version());
        out.i64(config.epoch());
        out.uuid(config.primary().value());
        out.count(config.inSync().size(), Frames.MAX_PLACEMENTS, "members");
        for (InSyncMember member : config.inSync()) {
            out.uuid(member.replica().value());
            out.i64(member.incarnation());
        }
        out.i64(config.verifier());
        out.i64(config.sizeBytes());
        out.i64(config.sessionFloor());
        out.count(config.attachments().size(), Frames.MAX_PLACEMENTS, "attachments");
        for (Attachment attachment : config.attachments()) {
            out.node(attachment.node());
            out.i64(attachment.generation());
            out.bool(attachment.readOnly());
        }
        out.i64(config.snapSequence());
        out.text(config.writer());
    }

    private static VolumeConfig readConfig(FrameBody in) {
        long version = in.i64();
        long epoch = in.i64();
        ReplicaId primary = in.replica();
        int members = in.count(Frames.MAX_PLACEMENTS, MEMBER_BYTES, "members");
        List<InSyncMember> inSync = new ArrayList<>(members);
        for (int i = 0; i < members; i++) {
            inSync.add(new InSyncMember(in.replica(), in.i64()));
        }
        long verifier = in.i64();
        long sizeBytes = in.i64();
        long sessionFloor = in.i64();
        int attached = in.count(Frames.MAX_PLACEMENTS, MIN_NAME_BYTES + Long.BYTES + 1, "attachments");
        List<Attachment> attachments = new ArrayList<>(attached);
        for (int i = 0; i < attached; i++) {
            attachments.add(new Attachment(in.node(), in.i64(), in.bool()));
        }
        return new VolumeConfig(
                version, epoch, primary, inSync, verifier, sizeBytes, sessionFloor, attachments, in.i64(), in.text());
    }
}
