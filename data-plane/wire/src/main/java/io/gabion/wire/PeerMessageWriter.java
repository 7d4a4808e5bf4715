package io.gabion.wire;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.PeerMessage.Blocks;
import io.gabion.core.message.PeerMessage.BlocksUnreadable;
import io.gabion.core.message.PeerMessage.Committed;
import io.gabion.core.message.PeerMessage.CopyComplete;
import io.gabion.core.message.PeerMessage.DifferenceQuery;
import io.gabion.core.message.PeerMessage.Differences;
import io.gabion.core.message.PeerMessage.Durable;
import io.gabion.core.message.PeerMessage.EpochPromised;
import io.gabion.core.message.PeerMessage.EpochRefused;
import io.gabion.core.message.PeerMessage.FetchBlocks;
import io.gabion.core.message.PeerMessage.JoinRefused;
import io.gabion.core.message.PeerMessage.JoinRequest;
import io.gabion.core.message.PeerMessage.JoinStart;
import io.gabion.core.message.PeerMessage.MemberFaulted;
import io.gabion.core.message.PeerMessage.NewEpoch;
import io.gabion.core.message.PeerMessage.Reconcile;
import io.gabion.core.message.PeerMessage.ReconcileEnd;
import io.gabion.core.message.PeerMessage.Reconciled;
import io.gabion.core.message.PeerMessage.RegionsAt;
import io.gabion.core.message.PeerMessage.Replicate;
import io.gabion.core.message.PeerMessage.Resume;
import io.gabion.core.message.PeerMessage.StateReport;
import io.gabion.core.message.PeerMessage.StillDifferent;
import io.gabion.core.message.PeerMessage.TakeOver;
import io.gabion.core.message.RegionState;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.message.TailEntry;
import io.gabion.model.ByteRange;
import java.util.List;

/** Writes bodies of {@link PeerMessage}s; {@link PeerMessageReader} reads them. Each begins with volume, epoch and sender. */
final class PeerMessageWriter {
    static final int OPERATION_WRITE = 1;
    static final int OPERATION_TRIM = 2;
    static final int OPERATION_OPEN_SESSION = 3;
    static final int OPERATION_GROW = 4;
    static final int OPERATION_VERIFY_POINT = 5;
    static final int OPERATION_COMPARE_POINT = 6;
    static final int OPERATION_TAKE_SNAPSHOT = 7;
    static final int OPERATION_DELETE_SNAPSHOT = 8;

    private PeerMessageWriter() {}

    static void write(FrameWriter out, PeerMessage message) {
        switch (message) {
            case Replicate m ->
                operation(begin(out, FrameType.REPLICATE, m).i64(m.seq()).i64(m.committedSeq()), m.operation());
            case Durable m -> begin(out, FrameType.DURABLE, m).i64(m.seq()).i64(m.creditLimitBytes());
            case Committed m -> begin(out, FrameType.COMMITTED, m).i64(m.committedSeq());
            case NewEpoch m ->
                RecordCodec.write(begin(out, FrameType.NEW_EPOCH, m).lsn(m.committed()), m.record());
            case EpochPromised m -> epochPromised(out, m);
            case EpochRefused m -> begin(out, FrameType.EPOCH_REFUSED, m).i64(m.promisedEpoch());
            case Reconcile m -> runs(begin(out, FrameType.RECONCILE, m), m.runs());
            case ReconcileEnd m -> reconcileEnd(out, m);
            case Reconciled m -> begin(out, FrameType.RECONCILED, m);
            case MemberFaulted m -> begin(out, FrameType.MEMBER_FAULTED, m).reason(m.reason());
            case Resume m ->
                begin(out, FrameType.RESUME, m)
                        .i64(m.incarnation())
                        .i64(m.appliedSeq())
                        .i64(m.creditLimitBytes());
            case TakeOver m -> begin(out, FrameType.TAKE_OVER, m).lsn(m.lastLsn());
            case StateReport m ->
                begin(out, FrameType.STATE_REPORT, m)
                        .i64(m.incarnation())
                        .bool(m.unclean())
                        .bool(m.intact())
                        .lsn(m.lastLsn());
            case JoinRequest m ->
                begin(out, FrameType.JOIN_REQUEST, m)
                        .i64(m.incarnation())
                        .lsn(m.lastLsn())
                        .lsn(m.committed());
            case JoinStart m -> joinStart(out, m);
            case JoinRefused m -> begin(out, FrameType.JOIN_REFUSED, m).reason(m.reason());
            case DifferenceQuery m ->
                regions(begin(out, FrameType.DIFFERENCE_QUERY, m).lsn(m.after()).i64(m.snapshot()), m.regions());
            case Differences m ->
                ranges(
                        begin(out, FrameType.DIFFERENCES, m)
                                .bool(m.fromChangeLog())
                                .i64(m.snapshot()),
                        m.ranges());
            case FetchBlocks m ->
                versions(
                        begin(out, FrameType.FETCH_BLOCKS, m)
                                .i64(m.fetch())
                                .range(m.range())
                                .i64(m.snapshot()),
                        m.versions());
            case Blocks m -> runs(begin(out, FrameType.BLOCKS, m).i64(m.fetch()), m.runs());
            case BlocksUnreadable m ->
                begin(out, FrameType.BLOCKS_UNREADABLE, m).i64(m.fetch()).reason(m.reason());
            case CopyComplete m -> begin(out, FrameType.COPY_COMPLETE, m);
            case RegionsAt m -> regions(begin(out, FrameType.REGIONS_AT, m).i64(m.round()), m.regions());
            case StillDifferent m ->
                ranges(begin(out, FrameType.STILL_DIFFERENT, m).i64(m.round()), m.ranges());
        }
        out.finish();
    }

    private static FrameWriter begin(FrameWriter out, FrameType type, PeerMessage message) {
        out.begin(type);
        return out.uuid(message.volume().value())
                .i64(message.epoch())
                .uuid(message.from().value());
    }

    private static void operation(FrameWriter out, Operation operation) {
        switch (operation) {
            case Operation.Write o ->
                out.u8(OPERATION_WRITE).range(o.range()).request(o.request()).onlyPayload(o.payload());
            case Operation.Trim o -> out.u8(OPERATION_TRIM).range(o.range()).request(o.request());
            case Operation.OpenSession o ->
                out.u8(OPERATION_OPEN_SESSION).session(o.session()).node(o.node());
            case Operation.Grow o -> out.u8(OPERATION_GROW).i64(o.sizeBytes());
            case Operation.VerifyPoint o -> out.u8(OPERATION_VERIFY_POINT).i64(o.id());
            case Operation.ComparePoint o -> out.u8(OPERATION_COMPARE_POINT).i64(o.round());
            case Operation.TakeSnapshot o -> out.u8(OPERATION_TAKE_SNAPSHOT).i64(o.number());
            case Operation.DeleteSnapshot o -> out.u8(OPERATION_DELETE_SNAPSHOT).i64(o.number());
        }
    }

    private static void epochPromised(FrameWriter out, EpochPromised m) {
        begin(out, FrameType.EPOCH_PROMISED, m)
                .i64(m.incarnation())
                .lsn(m.lastLsn())
                .lsn(m.committed())
                .i64(m.creditLimitBytes());
        out.count(m.tail().size(), Frames.MAX_REQUESTS, "tail entries");
        for (TailEntry entry : m.tail()) {
            out.lsn(entry.lsn()).range(entry.range()).request(entry.request());
        }
        snapshots(out, m.snapshots());
    }

    private static void reconcileEnd(FrameWriter out, ReconcileEnd m) {
        begin(out, FrameType.RECONCILE_END, m)
                .lsn(m.start())
                .session(m.session())
                .i64(m.sizeBytes());
        requests(out, m.requests());
        snapshots(out, m.snapshots());
    }

    private static void joinStart(FrameWriter out, JoinStart m) {
        begin(out, FrameType.JOIN_START, m).i64(m.startSeq()).session(m.session());
        RecordCodec.write(out, m.record());
        requests(out, m.requests());
        snapshots(out, m.snapshots());
    }

    private static void snapshots(FrameWriter out, SnapshotSet snapshots) {
        out.i64(snapshots.highest());
        out.count(snapshots.points().size(), SnapshotSet.MAX_SNAPSHOTS, "snapshots");
        for (SnapshotPoint point : snapshots.points()) {
            out.i64(point.number()).lsn(point.lsn());
        }
    }

    private static void requests(FrameWriter out, List<RequestId> requests) {
        out.count(requests.size(), Frames.MAX_REQUESTS, "requests");
        for (RequestId request : requests) {
            out.request(request);
        }
    }

    private static void ranges(FrameWriter out, List<ByteRange> ranges) {
        out.count(ranges.size(), Frames.MAX_REGIONS, "ranges");
        for (ByteRange range : ranges) {
            out.range(range);
        }
    }

    private static void regions(FrameWriter out, List<RegionState> regions) {
        out.count(regions.size(), Frames.MAX_REGIONS, "regions");
        for (RegionState region : regions) {
            out.i32(region.region()).lsn(region.highest()).i64(region.hash());
        }
    }

    private static void versions(FrameWriter out, List<BlockVersion> versions) {
        out.count(versions.size(), Frames.MAX_VERSIONS, "block versions");
        for (BlockVersion version : versions) {
            out.i64(version.block()).lsn(version.lsn()).i32(version.crc32c());
        }
    }

    private static void runs(FrameWriter out, List<BlockRun> runs) {
        out.count(runs.size(), Frames.MAX_RUNS, "block runs");
        for (BlockRun run : runs) {
            out.i64(run.firstBlock()).i32(run.blocks()).lsn(run.lsn());
            out.bool(run.payload().isPresent());
            run.payload().ifPresent(out::nextPayload);
        }
    }
}
