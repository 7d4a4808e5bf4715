package io.gabion.wire;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.Operation;
import io.gabion.core.message.Payload;
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
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.ReplicaId;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads bodies of {@link PeerMessage}s, as {@link PeerMessageWriter} writes them. */
final class PeerMessageReader {
    private static final int REQUEST_BYTES = 16;
    private static final int RANGE_BYTES = 16;
    private static final int TAIL_ENTRY_BYTES = 48;
    private static final int REGION_BYTES = 28;
    private static final int SNAPSHOT_BYTES = 24;
    private static final int VERSION_BYTES = 28;
    private static final int MIN_RUN_BYTES = 29;

    private PeerMessageReader() {}

    static PeerMessage readReplicate(FrameBody in) {
        return new Replicate(in.volume(), in.i64(), in.replica(), in.i64(), in.i64(), operation(in));
    }

    private static Operation operation(FrameBody in) {
        int code = in.u8();
        return switch (code) {
            case PeerMessageWriter.OPERATION_WRITE ->
                new Operation.Write(in.range(BlockGeometry.MAX_IO_BYTES), in.request(), in.onlyPayload());
            case PeerMessageWriter.OPERATION_TRIM ->
                new Operation.Trim(in.range(BlockGeometry.MAX_TRIM_BYTES), in.request());
            case PeerMessageWriter.OPERATION_OPEN_SESSION -> new Operation.OpenSession(in.session(), in.node());
            case PeerMessageWriter.OPERATION_GROW -> new Operation.Grow(in.count64());
            case PeerMessageWriter.OPERATION_VERIFY_POINT -> new Operation.VerifyPoint(in.i64());
            case PeerMessageWriter.OPERATION_COMPARE_POINT -> new Operation.ComparePoint(in.i64());
            case PeerMessageWriter.OPERATION_TAKE_SNAPSHOT -> new Operation.TakeSnapshot(in.count64());
            case PeerMessageWriter.OPERATION_DELETE_SNAPSHOT -> new Operation.DeleteSnapshot(in.count64());
            default -> throw in.malformed("unknown operation " + code);
        };
    }

    static PeerMessage readDurable(FrameBody in) {
        return new Durable(in.volume(), in.i64(), in.replica(), in.i64(), in.i64());
    }

    static PeerMessage readCommitted(FrameBody in) {
        return new Committed(in.volume(), in.i64(), in.replica(), in.i64());
    }

    static PeerMessage readNewEpoch(FrameBody in) {
        VolumeId volume = in.volume();
        long epoch = in.i64();
        ReplicaId from = in.replica();
        Lsn committed = in.lsn();
        return new NewEpoch(volume, epoch, from, RecordCodec.read(in), committed);
    }

    static PeerMessage readEpochPromised(FrameBody in) {
        VolumeId volume = in.volume();
        long epoch = in.i64();
        ReplicaId from = in.replica();
        long incarnation = in.i64();
        Lsn lastLsn = in.lsn();
        Lsn committed = in.lsn();
        long creditLimitBytes = in.i64();
        int count = in.count(Frames.MAX_REQUESTS, TAIL_ENTRY_BYTES, "tail entries");
        List<TailEntry> tail = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            tail.add(new TailEntry(in.lsn(), in.range(), in.request()));
        }
        return new EpochPromised(
                volume, epoch, from, incarnation, lastLsn, committed, tail, creditLimitBytes, snapshots(in));
    }

    static PeerMessage readEpochRefused(FrameBody in) {
        return new EpochRefused(in.volume(), in.i64(), in.replica(), in.i64());
    }

    static PeerMessage readReconcile(FrameBody in) {
        return new Reconcile(in.volume(), in.i64(), in.replica(), runs(in));
    }

    static PeerMessage readReconcileEnd(FrameBody in) {
        return new ReconcileEnd(
                in.volume(), in.i64(), in.replica(), in.lsn(), in.session(), in.i64(), requests(in), snapshots(in));
    }

    static PeerMessage readReconciled(FrameBody in) {
        return new Reconciled(in.volume(), in.i64(), in.replica());
    }

    static PeerMessage readMemberFaulted(FrameBody in) {
        return new MemberFaulted(in.volume(), in.i64(), in.replica(), in.reason());
    }

    static PeerMessage readResume(FrameBody in) {
        return new Resume(in.volume(), in.i64(), in.replica(), in.i64(), in.i64(), in.i64());
    }

    static PeerMessage readTakeOver(FrameBody in) {
        return new TakeOver(in.volume(), in.i64(), in.replica(), in.lsn());
    }

    static PeerMessage readStateReport(FrameBody in) {
        return new StateReport(in.volume(), in.i64(), in.replica(), in.i64(), in.bool(), in.bool(), in.lsn());
    }

    static PeerMessage readJoinRequest(FrameBody in) {
        return new JoinRequest(in.volume(), in.i64(), in.replica(), in.i64(), in.lsn(), in.lsn());
    }

    static PeerMessage readJoinStart(FrameBody in) {
        VolumeId volume = in.volume();
        long epoch = in.i64();
        ReplicaId from = in.replica();
        long startSeq = in.i64();
        SessionId session = in.session();
        VolumeRecord record = RecordCodec.read(in);
        return new JoinStart(volume, epoch, from, record, startSeq, session, requests(in), snapshots(in));
    }

    static PeerMessage readJoinRefused(FrameBody in) {
        return new JoinRefused(in.volume(), in.i64(), in.replica(), in.reason());
    }

    static PeerMessage readDifferenceQuery(FrameBody in) {
        VolumeId volume = in.volume();
        long epoch = in.i64();
        ReplicaId from = in.replica();
        Lsn after = in.lsn();
        long snapshot = in.count64();
        return new DifferenceQuery(volume, epoch, from, after, regions(in), snapshot);
    }

    static PeerMessage readDifferences(FrameBody in) {
        VolumeId volume = in.volume();
        long epoch = in.i64();
        ReplicaId from = in.replica();
        boolean fromChangeLog = in.bool();
        long snapshot = in.count64();
        return new Differences(volume, epoch, from, fromChangeLog, ranges(in), snapshot);
    }

    static PeerMessage readFetchBlocks(FrameBody in) {
        VolumeId volume = in.volume();
        long epoch = in.i64();
        ReplicaId from = in.replica();
        long fetch = in.i64();
        ByteRange range = in.range(BlockGeometry.REGION_BYTES);
        long snapshot = in.count64();
        return new FetchBlocks(volume, epoch, from, fetch, range, versions(in), snapshot);
    }

    static PeerMessage readBlocks(FrameBody in) {
        return new Blocks(in.volume(), in.i64(), in.replica(), in.i64(), runs(in));
    }

    static PeerMessage readBlocksUnreadable(FrameBody in) {
        return new BlocksUnreadable(in.volume(), in.i64(), in.replica(), in.i64(), in.reason());
    }

    static PeerMessage readCopyComplete(FrameBody in) {
        return new CopyComplete(in.volume(), in.i64(), in.replica());
    }

    static PeerMessage readRegionsAt(FrameBody in) {
        return new RegionsAt(in.volume(), in.i64(), in.replica(), in.i64(), regions(in));
    }

    static PeerMessage readStillDifferent(FrameBody in) {
        return new StillDifferent(in.volume(), in.i64(), in.replica(), in.i64(), ranges(in));
    }

    private static SnapshotSet snapshots(FrameBody in) {
        long highest = in.count64();
        int count = in.count(SnapshotSet.MAX_SNAPSHOTS, SNAPSHOT_BYTES, "snapshots");
        List<SnapshotPoint> points = new ArrayList<>(count);
        long last = SnapshotPoint.HEAD;
        for (int i = 0; i < count; i++) {
            long number = in.count64();
            if (number <= last || number > highest) {
                throw in.malformed("snapshot " + number + " after " + last);
            }
            last = number;
            points.add(new SnapshotPoint(number, in.lsn()));
        }
        return new SnapshotSet(points, highest);
    }

    private static List<RequestId> requests(FrameBody in) {
        int count = in.count(Frames.MAX_REQUESTS, REQUEST_BYTES, "requests");
        List<RequestId> requests = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            requests.add(in.request());
        }
        return requests;
    }

    private static List<ByteRange> ranges(FrameBody in) {
        int count = in.count(Frames.MAX_REGIONS, RANGE_BYTES, "ranges");
        List<ByteRange> ranges = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            ranges.add(in.range());
        }
        return ranges;
    }

    private static List<RegionState> regions(FrameBody in) {
        int count = in.count(Frames.MAX_REGIONS, REGION_BYTES, "regions");
        List<RegionState> regions = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            regions.add(new RegionState(in.i32(), in.lsn(), in.i64()));
        }
        return regions;
    }

    private static List<BlockVersion> versions(FrameBody in) {
        int count = in.count(Frames.MAX_VERSIONS, VERSION_BYTES, "block versions");
        List<BlockVersion> versions = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            versions.add(new BlockVersion(in.i64(), in.lsn(), in.i32()));
        }
        return versions;
    }

    private static List<BlockRun> runs(FrameBody in) {
        int count = in.count(Frames.MAX_RUNS, MIN_RUN_BYTES, "block runs");
        List<BlockRun> runs = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            long firstBlock = in.i64();
            int blocks = in.i32();
            Lsn lsn = in.lsn();
            if (!in.bool()) {
                runs.add(new BlockRun(firstBlock, blocks, lsn, Optional.empty()));
                continue;
            }
            if (blocks < 1 || blocks > BlockGeometry.BLOCKS_PER_REGION) {
                throw in.malformed("run of " + blocks + " blocks");
            }
            Payload payload = in.nextPayload(blocks * BlockGeometry.BLOCK_BYTES);
            runs.add(new BlockRun(firstBlock, blocks, lsn, Optional.of(payload)));
        }
        return runs;
    }
}
