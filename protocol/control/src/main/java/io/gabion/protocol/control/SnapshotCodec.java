package io.gabion.protocol.control;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import java.util.Optional;

/**
 * Between the messages of snapshots.proto and records. {@code fromProto} throws {@link IllegalArgumentException} that names the
 * field.
 */
public final class SnapshotCodec {
    private SnapshotCodec() {}

    public static io.gabion.protocol.control.v1.SnapshotRecord toProto(SnapshotRecord record) {
        io.gabion.protocol.control.v1.SnapshotRecord.Builder message =
                io.gabion.protocol.control.v1.SnapshotRecord.newBuilder()
                        .setVolume(record.volume().toString())
                        .setName(record.name())
                        .setNumber(record.number())
                        .setWantedAtMillis(record.wantedAtMillis())
                        .setDeleting(record.deleting())
                        .setVersion(record.version());
        record.taken()
                .ifPresent(taken ->
                        message.setTaken(true).setLsn(taken.lsn().toString()).setSizeBytes(taken.sizeBytes()));
        return message.build();
    }

    public static SnapshotRecord fromProto(io.gabion.protocol.control.v1.SnapshotRecord message) {
        Optional<SnapshotRecord.Taken> taken = message.getTaken()
                ? Optional.of(new SnapshotRecord.Taken(lsn(message.getLsn()), message.getSizeBytes()))
                : Optional.empty();
        return new SnapshotRecord(
                volume(message.getVolume()),
                message.getName(),
                message.getNumber(),
                taken,
                message.getWantedAtMillis(),
                message.getDeleting(),
                message.getVersion());
    }

    /** Reads {@code epoch.seq}. */
    public static Lsn lsn(String text) {
        int dot = text.indexOf('.');
        if (dot > 0) {
            try {
                return new Lsn(Long.parseLong(text.substring(0, dot)), Long.parseLong(text.substring(dot + 1)));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("lsn: \"" + text + "\" is not EPOCH.SEQUENCE", e);
            }
        }
        throw new IllegalArgumentException("lsn: \"" + text + "\" is not EPOCH.SEQUENCE");
    }

    private static VolumeId volume(String text) {
        try {
            return VolumeId.of(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("volume: \"" + text + "\" is not a volume id (UUID)", e);
        }
    }
}
