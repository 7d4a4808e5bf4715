package io.gabion.store.log;

import io.gabion.core.message.RequestId;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;
import io.gabion.store.metadata.MalformedMetadataException;
import java.util.ArrayList;
import java.util.List;

/**
 * Records inside a batch of the log.
 *
 * <pre>
 * kind (1) | volume (16) | by kind:
 * 1 written   lsn, committed, offset (8), length (8), request (16), pieces
 * 2 trimmed   lsn, committed, offset, length, request
 * 3 session   lsn, generation (8), connection (8), instance (16)
 * 4 grown     lsn, size in bytes (8)
 * 5 marked    lsn
 * 6 copied    live epoch (8), count (4), per run: first block (8), blocks (4), lsn, pieces (count 0: a hole)
 * 7 changed   replica record
 * 8 deleted
 * 9 snapshot taken    lsn, number (8)
 * 10 snapshot deleted lsn, number (8)
 * 11 cloned   parent volume (16), lsn, replica record
 * 12 copied under a snapshot  live epoch (8), lsn of the snapshot, as copied from count on
 * 13 repaired origin volume (16), first block (8), blocks (4), lsn, pieces
 * 14 quarantined  block (8), lsn, place (8), milliseconds since 1970 (8)
 * lsn: epoch (8), seq (8);  pieces: count (4), per piece: flags (1) = 0, place (8), blocks (4), crc32c per block (4 each)
 * </pre>
 *
 * Flag 1 of a piece stands for encryption slots (key id, nonces, tags) behind the checksums; not used yet.
 */
public final class StoredRecordCodec {
    private static final int PIECE_BYTES = 13;

    private StoredRecordCodec() {}

    public static void encode(StoredRecord record, BinaryOutput out) {
        switch (record) {
            case StoredRecord.Written r -> {
                head(out, 1, r.volume());
                putLsn(out, r.lsn());
                putLsn(out, r.committed());
                putRange(out, r.range(), r.request());
                putPieces(out, r.pieces());
            }
            case StoredRecord.Trimmed r -> {
                head(out, 2, r.volume());
                putLsn(out, r.lsn());
                putLsn(out, r.committed());
                putRange(out, r.range(), r.request());
            }
            case StoredRecord.SessionOpened r -> {
                head(out, 3, r.volume());
                putLsn(out, r.lsn());
                ReplicaRecordCodec.putSession(out, r.session());
            }
            case StoredRecord.Grown r -> {
                head(out, 4, r.volume());
                putLsn(out, r.lsn());
                out.putLong(r.sizeBytes());
            }
            case StoredRecord.Marked r -> {
                head(out, 5, r.volume());
                putLsn(out, r.lsn());
            }
            case StoredRecord.Copied r -> {
                head(out, 6, r.volume());
                out.putLong(r.liveEpoch());
                putRuns(out, r.runs());
            }
            case StoredRecord.CopiedUnder r -> {
                head(out, 12, r.volume());
                out.putLong(r.liveEpoch());
                putLsn(out, r.at());
                putRuns(out, r.runs());
            }
            case StoredRecord.ReplicaChanged r -> {
                head(out, 7, r.volume());
                ReplicaRecordCodec.encode(r.record(), out);
            }
            case StoredRecord.Repaired r -> {
                head(out, 13, r.volume());
                out.putUuid(r.origin().value());
                putRun(out, r.run());
            }
            case StoredRecord.Quarantined r -> {
                head(out, 14, r.volume());
                out.putLong(r.block());
                putLsn(out, r.lsn());
                out.putLong(r.place()).putLong(r.millis());
            }
            case StoredRecord.ReplicaDeleted r -> head(out, 8, r.volume());
            case StoredRecord.SnapshotTaken r -> putSnapshot(out, 9, r.volume(), r.lsn(), r.snapshot());
            case StoredRecord.SnapshotDeleted r -> putSnapshot(out, 10, r.volume(), r.lsn(), r.snapshot());
            case StoredRecord.Cloned r -> {
                head(out, 11, r.volume());
                out.putUuid(r.parent().value());
                putLsn(out, r.at());
                ReplicaRecordCodec.encode(r.record(), out);
            }
        }
    }

    public static StoredRecord decode(BinaryInput in) {
        int kind = in.getByte();
        VolumeId volume = new VolumeId(in.getUuid());
        return switch (kind) {
            case 1 -> {
                Lsn lsn = getLsn(in);
                Lsn committed = getLsn(in);
                ByteRange range = getRange(in);
                RequestId request = getRequest(in);
                yield new StoredRecord.Written(volume, lsn, committed, range, request, getPieces(in));
            }
            case 2 -> {
                Lsn lsn = getLsn(in);
                Lsn committed = getLsn(in);
                ByteRange range = getRange(in);
                yield new StoredRecord.Trimmed(volume, lsn, committed, range, getRequest(in));
            }
            case 3 -> {
                Lsn lsn = getLsn(in);
                yield new StoredRecord.SessionOpened(volume, lsn, ReplicaRecordCodec.getSession(in));
            }
            case 4 -> {
                Lsn lsn = getLsn(in);
                yield new StoredRecord.Grown(volume, lsn, in.getLong());
            }
            case 5 -> new StoredRecord.Marked(volume, getLsn(in));
            case 6 -> new StoredRecord.Copied(volume, in.getLong(), getRuns(in));
            case 7 -> new StoredRecord.ReplicaChanged(volume, ReplicaRecordCodec.decode(in));
            case 8 -> new StoredRecord.ReplicaDeleted(volume);
            case 9 -> {
                Lsn lsn = getLsn(in);
                yield new StoredRecord.SnapshotTaken(volume, lsn, in.getLong());
            }
            case 10 -> {
                Lsn lsn = getLsn(in);
                yield new StoredRecord.SnapshotDeleted(volume, lsn, in.getLong());
            }
            case 11 -> {
                VolumeId parent = new VolumeId(in.getUuid());
                Lsn at = getLsn(in);
                yield new StoredRecord.Cloned(volume, ReplicaRecordCodec.decode(in), parent, at);
            }
            case 12 -> {
                long liveEpoch = in.getLong();
                Lsn at = getLsn(in);
                yield new StoredRecord.CopiedUnder(volume, liveEpoch, at, getRuns(in));
            }
            case 13 -> {
                VolumeId origin = new VolumeId(in.getUuid());
                yield new StoredRecord.Repaired(volume, origin, getRun(in));
            }
            case 14 -> {
                long block = in.getLong();
                Lsn lsn = getLsn(in);
                long place = in.getLong();
                yield new StoredRecord.Quarantined(volume, block, lsn, place, in.getLong());
            }
            default -> throw new MalformedMetadataException("log record of kind " + kind);
        };
    }

    private static void head(BinaryOutput out, int kind, VolumeId volume) {
        out.putByte(kind).putUuid(volume.value());
    }

    private static void putSnapshot(BinaryOutput out, int kind, VolumeId volume, Lsn lsn, long snapshot) {
        head(out, kind, volume);
        putLsn(out, lsn);
        out.putLong(snapshot);
    }

    private static void putRange(BinaryOutput out, ByteRange range, RequestId request) {
        out.putLong(range.offset()).putLong(range.length());
        out.putLong(request.generation()).putLong(request.number());
    }

    private static ByteRange getRange(BinaryInput in) {
        long offset = in.getLong();
        return new ByteRange(offset, in.getLong());
    }

    private static RequestId getRequest(BinaryInput in) {
        long generation = in.getLong();
        return new RequestId(generation, in.getLong());
    }

    private static void putLsn(BinaryOutput out, Lsn lsn) {
        ReplicaRecordCodec.putLsn(out, lsn);
    }

    private static Lsn getLsn(BinaryInput in) {
        return ReplicaRecordCodec.getLsn(in);
    }

    private static void putPieces(BinaryOutput out, List<Piece> pieces) {
        out.putInt(pieces.size());
        for (Piece piece : pieces) {
            out.putByte(0).putLong(piece.place()).putInt(piece.blocks());
            for (int i = 0; i < piece.blocks(); i++) {
                out.putInt(piece.checksum(i));
            }
        }
    }

    private static List<Piece> getPieces(BinaryInput in) {
        int count = in.getCount(PIECE_BYTES);
        List<Piece> pieces = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int flags = in.getByte();
            if (flags != 0) {
                throw new MalformedMetadataException("piece with flags " + flags);
            }
            long place = in.getLong();
            int[] checksums = new int[in.getCount(Integer.BYTES)];
            for (int block = 0; block < checksums.length; block++) {
                checksums[block] = in.getInt();
            }
            pieces.add(new Piece(place, checksums));
        }
        return pieces;
    }

    private static void putRuns(BinaryOutput out, List<StoredRecord.CopiedRun> runs) {
        out.putInt(runs.size());
        runs.forEach(run -> putRun(out, run));
    }

    private static void putRun(BinaryOutput out, StoredRecord.CopiedRun run) {
        out.putLong(run.firstBlock()).putInt(run.blocks());
        putLsn(out, run.lsn());
        putPieces(out, run.pieces());
    }

    private static List<StoredRecord.CopiedRun> getRuns(BinaryInput in) {
        int count = in.getCount(32);
        List<StoredRecord.CopiedRun> runs = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            runs.add(getRun(in));
        }
        return runs;
    }

    private static StoredRecord.CopiedRun getRun(BinaryInput in) {
        long firstBlock = in.getLong();
        int blocks = in.getInt();
        Lsn lsn = getLsn(in);
        return new StoredRecord.CopiedRun(firstBlock, blocks, lsn, getPieces(in));
    }
}
