package io.gabion.store.log;

import io.gabion.core.message.RequestId;
import io.gabion.core.port.EpochStart;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.Attachment;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.RecoveryPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeOrigin;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;
import io.gabion.store.metadata.MalformedMetadataException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Binary form of a {@link ReplicaRecord}, in log and index. Enums are stored by their number here, not by their ordinal. */
public final class ReplicaRecordCodec {
    /** Version 1 knows no clones. */
    private static final int VERSION = 2;

    private static final int UUID_BYTES = 16;
    private static final int REQUEST_BYTES = 16;

    private ReplicaRecordCodec() {}

    public static void encode(ReplicaRecord record, BinaryOutput out) {
        out.putByte(VERSION)
                .putUuid(record.volume().value())
                .putUuid(record.replica().value())
                .putLong(record.promisedEpoch())
                .putLong(record.incarnation())
                .putByte(numberOf(record.status()));
        out.putInt(record.epochStarts().size());
        for (EpochStart start : record.epochStarts()) {
            out.putLong(start.epoch());
            putLsn(out, start.start());
        }
        putLsn(out, record.position());
        putSession(out, record.session());
        out.putInt(record.requests().size());
        for (RequestId request : record.requests()) {
            out.putLong(request.generation()).putLong(request.number());
        }
        encodeVolume(record.record(), out);
        Optional<VolumeOrigin> origin = record.record().origin();
        out.putBoolean(origin.isPresent());
        if (origin.isPresent()) {
            out.putUuid(origin.get().volume().value()).putLong(origin.get().snapshot());
            putLsn(out, origin.get().at());
        }
    }

    public static ReplicaRecord decode(BinaryInput in) {
        int version = in.getByte();
        if (version < 1 || version > VERSION) {
            throw new MalformedMetadataException("replica record has version " + version + ", not 1 to " + VERSION);
        }
        VolumeId volume = new VolumeId(in.getUuid());
        ReplicaId replica = new ReplicaId(in.getUuid());
        long promisedEpoch = in.getLong();
        long incarnation = in.getLong();
        ReplicaStatus status = statusOf(in.getByte());
        int starts = in.getCount(24);
        List<EpochStart> epochStarts = new ArrayList<>(starts);
        for (int i = 0; i < starts; i++) {
            long epoch = in.getLong();
            epochStarts.add(new EpochStart(epoch, getLsn(in)));
        }
        Lsn position = getLsn(in);
        SessionId session = getSession(in);
        int known = in.getCount(REQUEST_BYTES);
        List<RequestId> requests = new ArrayList<>(known);
        for (int i = 0; i < known; i++) {
            long generation = in.getLong();
            requests.add(new RequestId(generation, in.getLong()));
        }
        VolumeRecord record = decodeVolume(in, version);
        return new ReplicaRecord(
                volume, replica, promisedEpoch, record, incarnation, status, epochStarts, position, session, requests);
    }

    private static void encodeVolume(VolumeRecord record, BinaryOutput out) {
        VolumeSpec spec = record.spec();
        out.putUuid(record.id().value())
                .putString(spec.name())
                .putLong(spec.sizeBytes())
                .putInt(spec.replicas())
                .putInt(spec.minInSync())
                .putString(spec.pool())
                .putByte(
                        switch (spec.onPoolFull()) {
                            case STALL -> 1;
                            case ERROR -> 2;
                        })
                .putByte(
                        switch (spec.recoveryPolicy()) {
                            case ANY -> 1;
                            case ALL -> 2;
                        });
        putPlacements(record.placement(), out);
        putPlacements(record.removed(), out);
        out.putBoolean(record.deleting());
        VolumeConfig config = record.config();
        out.putLong(config.version())
                .putLong(config.epoch())
                .putUuid(config.primary().value());
        out.putInt(config.inSync().size());
        for (InSyncMember member : config.inSync()) {
            out.putUuid(member.replica().value()).putLong(member.incarnation());
        }
        out.putLong(config.verifier()).putLong(config.sizeBytes()).putLong(config.sessionFloor());
        out.putInt(config.attachments().size());
        for (Attachment attachment : config.attachments()) {
            out.putString(attachment.node().value())
                    .putLong(attachment.generation())
                    .putBoolean(attachment.readOnly());
        }
        out.putLong(config.snapSequence()).putString(config.writer());
    }

    private static VolumeRecord decodeVolume(BinaryInput in, int version) {
        VolumeId id = new VolumeId(in.getUuid());
        VolumeSpec spec = new VolumeSpec(
                in.getString(),
                in.getLong(),
                in.getInt(),
                in.getInt(),
                in.getString(),
                poolFullOf(in.getByte()),
                recoveryOf(in.getByte()));
        List<ReplicaPlacement> placement = getPlacements(in);
        List<ReplicaPlacement> removed = getPlacements(in);
        boolean deleting = in.getBoolean();
        VolumeConfig config = decodeConfig(in);
        Optional<VolumeOrigin> origin = version == 1 ? Optional.empty() : decodeOrigin(in);
        return new VolumeRecord(id, spec, placement, removed, deleting, config, origin);
    }

    private static Optional<VolumeOrigin> decodeOrigin(BinaryInput in) {
        if (!in.getBoolean()) {
            return Optional.empty();
        }
        VolumeId volume = new VolumeId(in.getUuid());
        long snapshot = in.getLong();
        return Optional.of(new VolumeOrigin(volume, snapshot, getLsn(in)));
    }

    private static VolumeConfig decodeConfig(BinaryInput in) {
        long version = in.getLong();
        long epoch = in.getLong();
        ReplicaId primary = new ReplicaId(in.getUuid());
        int members = in.getCount(UUID_BYTES + 8);
        List<InSyncMember> inSync = new ArrayList<>(members);
        for (int i = 0; i < members; i++) {
            ReplicaId replica = new ReplicaId(in.getUuid());
            inSync.add(new InSyncMember(replica, in.getLong()));
        }
        long verifier = in.getLong();
        long sizeBytes = in.getLong();
        long sessionFloor = in.getLong();
        int count = in.getCount(13);
        List<Attachment> attachments = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            NodeName node = new NodeName(in.getString());
            long generation = in.getLong();
            attachments.add(new Attachment(node, generation, in.getBoolean()));
        }
        long snapSequence = in.getLong();
        return new VolumeConfig(
                version,
                epoch,
                primary,
                inSync,
                verifier,
                sizeBytes,
                sessionFloor,
                attachments,
                snapSequence,
                in.getString());
    }

    private static void putPlacements(List<ReplicaPlacement> placements, BinaryOutput out) {
        out.putInt(placements.size());
        for (ReplicaPlacement placement : placements) {
            out.putUuid(placement.replica().value()).putString(placement.node().value());
        }
    }

    private static List<ReplicaPlacement> getPlacements(BinaryInput in) {
        int count = in.getCount(UUID_BYTES + 4);
        List<ReplicaPlacement> placements = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            ReplicaId replica = new ReplicaId(in.getUuid());
            placements.add(new ReplicaPlacement(replica, new NodeName(in.getString())));
        }
        return placements;
    }

    private static int numberOf(ReplicaStatus status) {
        return switch (status) {
            case EMPTY -> 1;
            case CATCHING_UP -> 2;
            case IN_SYNC -> 3;
            case OUTDATED -> 4;
            case FAULTED -> 5;
        };
    }

    private static ReplicaStatus statusOf(int number) {
        return switch (number) {
            case 1 -> ReplicaStatus.EMPTY;
            case 2 -> ReplicaStatus.CATCHING_UP;
            case 3 -> ReplicaStatus.IN_SYNC;
            case 4 -> ReplicaStatus.OUTDATED;
            case 5 -> ReplicaStatus.FAULTED;
            default -> throw new MalformedMetadataException("replica status " + number);
        };
    }

    private static PoolFullPolicy poolFullOf(int number) {
        return switch (number) {
            case 1 -> PoolFullPolicy.STALL;
            case 2 -> PoolFullPolicy.ERROR;
            default -> throw new MalformedMetadataException("pool full policy " + number);
        };
    }

    private static RecoveryPolicy recoveryOf(int number) {
        return switch (number) {
            case 1 -> RecoveryPolicy.ANY;
            case 2 -> RecoveryPolicy.ALL;
            default -> throw new MalformedMetadataException("recovery policy " + number);
        };
    }

    static void putLsn(BinaryOutput out, Lsn lsn) {
        out.putLong(lsn.epoch()).putLong(lsn.seq());
    }

    static Lsn getLsn(BinaryInput in) {
        long epoch = in.getLong();
        return new Lsn(epoch, in.getLong());
    }

    static void putSession(BinaryOutput out, SessionId session) {
        out.putLong(session.generation()).putLong(session.connection()).putUuid(session.instance());
    }

    static SessionId getSession(BinaryInput in) {
        long generation = in.getLong();
        long connection = in.getLong();
        return new SessionId(generation, connection, in.getUuid());
    }
}
