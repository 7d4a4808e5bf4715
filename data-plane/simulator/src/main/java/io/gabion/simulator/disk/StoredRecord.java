package io.gabion.simulator.disk;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.Payload;
import io.gabion.core.port.LogRecord;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A log record that was handed over, with its payloads read out and released. */
final class StoredRecord {
    private final LogRecord record;
    private final List<long @Nullable []> stamps;

    private StoredRecord(LogRecord record, List<long @Nullable []> stamps) {
        this.record = record;
        this.stamps = stamps;
    }

    static StoredRecord take(LogRecord record) {
        List<long @Nullable []> stamps = new ArrayList<>();
        if (record instanceof LogRecord.Written written) {
            stamps.add(take(written.payload()));
        } else {
            List<BlockRun> runs =
                    switch (record) {
                        case LogRecord.Copied copied -> copied.runs();
                        case LogRecord.CopiedUnder copied -> copied.runs();
                        case LogRecord.Repaired repaired -> List.of(repaired.run());
                        case LogRecord _ -> List.of();
                    };
            for (BlockRun run : runs) {
                stamps.add(run.payload().isPresent() ? take(run.payload().get()) : null);
            }
        }
        return new StoredRecord(record, stamps);
    }

    private static long[] take(Payload payload) {
        long[] stamps = StampPayload.stampsOf(payload);
        payload.release();
        return stamps;
    }

    LogRecord record() {
        return record;
    }

    /** Of the only payload, or of a copy's run; null for a hole. */
    long @Nullable [] stamps(int index) {
        return stamps.get(index);
    }

    @Override
    public String toString() {
        return switch (record) {
            case LogRecord.Written w -> "Written " + w.lsn() + " " + w.range() + " committed " + w.committed();
            case LogRecord.Copied c ->
                "Copied live " + c.liveEpoch() + " " + c.runs().size() + " runs";
            case LogRecord.CopiedUnder c ->
                "Copied under " + c.at() + " " + c.runs().size() + " runs";
            case LogRecord.Repaired r -> "Repaired " + r.run();
            case LogRecord.SnapshotTaken s -> s.toString();
            case LogRecord.SnapshotDeleted s -> s.toString();
            case LogRecord.ReplicaChanged r ->
                "ReplicaChanged promised " + r.record().promisedEpoch() + " incarnation "
                        + r.record().incarnation() + " " + r.record().status() + " at "
                        + r.record().position();
            case LogRecord.Trimmed t -> "Trimmed " + t.lsn() + " " + t.range();
            case LogRecord.SessionOpened s ->
                "SessionOpened " + s.lsn() + " " + s.session().generation() + "/"
                        + s.session().connection();
            case LogRecord.Grown g -> g.toString();
            case LogRecord.Marked m -> m.toString();
            case LogRecord.ReplicaDeleted d -> d.toString();
        };
    }
}
