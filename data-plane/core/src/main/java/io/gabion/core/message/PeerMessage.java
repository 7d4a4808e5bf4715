package io.gabion.core.message;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.ReplicaId;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import java.util.List;

/**
 * What the nodes that hold replicas of one volume say to each other. Each pair of nodes has one first-in-first-out link;
 * after a reset everything in flight is lost and both ends learn of it.
 *
 * <p>Every message carries the sender's epoch and replica. A receiver that promised a higher epoch answers {@link
 * EpochRefused} and does nothing else.
 */
public sealed interface PeerMessage {
    VolumeId volume();

    /** Epoch in which the sender speaks; 0 where the message is not bound to one. */
    long epoch();

    /** The replica that speaks. */
    ReplicaId from();

    // ---- epoch and activation
    /** Primary to in-sync members: promise this epoch, stop everything of lower ones, and report your tail. */
    record NewEpoch(VolumeId volume, long epoch, ReplicaId from, VolumeRecord record, Lsn committed)
            implements PeerMessage {}

    /**
     * Member to primary: the epoch is promised durably.
     *
     * @param lastLsn highest operation that is durable here
     * @param committed highest operation known here to be on all in-sync members
     * @param tail every durable operation after {@code committed}, oldest first
     * @param creditLimitBytes see {@link Durable}
     * @param snapshots as held here: a snapshot that the primary has and this set says is gone will be deleted everywhere
     */
    record EpochPromised(
            VolumeId volume,
            long epoch,
            ReplicaId from,
            long incarnation,
            Lsn lastLsn,
            Lsn committed,
            List<TailEntry> tail,
            long creditLimitBytes,
            SnapshotSet snapshots)
            implements PeerMessage {
        public EpochPromised {
            requireNonNull(snapshots, "snapshots is null");
            tail = List.copyOf(tail);
        }
    }

    /** The receiver of a message promised {@code promisedEpoch}, higher than the message's; it did nothing. */
    record EpochRefused(VolumeId volume, long epoch, ReplicaId from, long promisedEpoch) implements PeerMessage {}

    /** Primary to member during activation: make these blocks exactly so, whatever you have. */
    record Reconcile(VolumeId volume, long epoch, ReplicaId from, List<BlockRun> runs) implements PeerMessage {
        public Reconcile {
            runs = List.copyOf(runs);
        }
    }

    /**
     * Primary to member: the last Reconcile was sent; this is the rest of the state in which the epoch starts. The member
     * makes all of it durable, then answers {@link Reconciled}; sequence numbers of the epoch start at 1.
     *
     * @param start last operation of the earlier epochs that counts
     * @param requests requests that are applied already and must not be applied again
     * @param snapshots those of the primary, which the member makes its own
     */
    record ReconcileEnd(
            VolumeId volume,
            long epoch,
            ReplicaId from,
            Lsn start,
            SessionId session,
            long sizeBytes,
            List<RequestId> requests,
            SnapshotSet snapshots)
            implements PeerMessage {
        public ReconcileEnd {
            requireNonNull(snapshots, "snapshots is null");
            requests = List.copyOf(requests);
        }
    }

    /** Member to primary: equal to you, durably. */
    record Reconciled(VolumeId volume, long epoch, ReplicaId from) implements PeerMessage {}

    // ---- the stream
    /** Primary to members and joiners: apply this as (epoch, seq). {@code committedSeq} is the commit position in this epoch. */
    record Replicate(VolumeId volume, long epoch, ReplicaId from, long seq, long committedSeq, Operation operation)
            implements PeerMessage {
        public Replicate {
            requireNonNull(operation, "operation is null");
        }
    }

    /**
     * Member to primary: every operation of the epoch up to {@code seq} is durable here.
     *
     * @param creditLimitBytes the primary may have sent at most this many payload bytes in the epoch in total (a limit that
     *     only rises, like a TCP window): how a member's free space reaches the primary before it is needed
     */
    record Durable(VolumeId volume, long epoch, ReplicaId from, long seq, long creditLimitBytes)
            implements PeerMessage {}

    /** Primary to members when nothing else is under way: the commit position, so that tails stay short. */
    record Committed(VolumeId volume, long epoch, ReplicaId from, long committedSeq) implements PeerMessage {}

    /** The sender's copy cannot go on (disk fault, failed checksum of what must be good); drop it or take over. */
    record MemberFaulted(VolumeId volume, long epoch, ReplicaId from, String reason) implements PeerMessage {}

    /**
     * A member whose link was reset (or whose process was restarted in the same boot) to the primary of the same epoch: I
     * hold everything up to {@code appliedSeq}, send me the rest again. The primary answers by sending from there, or with a
     * new epoch.
     */
    record Resume(VolumeId volume, long epoch, ReplicaId from, long incarnation, long appliedSeq, long creditLimitBytes)
            implements PeerMessage {}

    /** Primary to an in-sync member: promote yourself now (planned handover after draining, or my disk is failing). */
    record TakeOver(VolumeId volume, long epoch, ReplicaId from, Lsn lastLsn) implements PeerMessage {}

    // ---- who holds what, when nobody may speak for the volume
    /** Periodic while a volume has no primary that serves: what this replica holds. Decides who goes on after a power cut. */
    record StateReport(
            VolumeId volume, long epoch, ReplicaId from, long incarnation, boolean unclean, boolean intact, Lsn lastLsn)
            implements PeerMessage {}

    // ---- resync
    /** A replica outside the in-sync set asks the primary to be brought back. Repeated until answered. */
    record JoinRequest(VolumeId volume, long epoch, ReplicaId from, long incarnation, Lsn lastLsn, Lsn committed)
            implements PeerMessage {}

    /**
     * Primary to joiner: adopt the record, promise the epoch; the stream reaches you from {@code startSeq} on. Before it the
     * volume has {@code snapshots}.
     */
    record JoinStart(
            VolumeId volume,
            long epoch,
            ReplicaId from,
            VolumeRecord record,
            long startSeq,
            SessionId session,
            List<RequestId> requests,
            SnapshotSet snapshots)
            implements PeerMessage {
        public JoinStart {
            requireNonNull(snapshots, "snapshots is null");
            requests = List.copyOf(requests);
        }
    }

    /** Primary to joiner: not now; {@code reason} for people (busy, not placed, handing over). */
    record JoinRefused(VolumeId volume, long epoch, ReplicaId from, String reason) implements PeerMessage {}

    /**
     * Joiner to a source: what may differ? With {@code after} set the source may answer from its change log; the joiner adds
     * what it wrote itself after that point. The regions are those of a snapshot, or of {@link SnapshotPoint#HEAD the head}.
     */
    record DifferenceQuery(
            VolumeId volume, long epoch, ReplicaId from, Lsn after, List<RegionState> regions, long snapshot)
            implements PeerMessage {
        public DifferenceQuery {
            regions = List.copyOf(regions);
        }
    }

    /** Source to joiner: compare these ranges (each within one region); nothing else differs at this moment. */
    record Differences(
            VolumeId volume, long epoch, ReplicaId from, boolean fromChangeLog, List<ByteRange> ranges, long snapshot)
            implements PeerMessage {
        public Differences {
            ranges = List.copyOf(ranges);
        }
    }

    /**
     * Joiner to source: my versions of the blocks of this range (at most one region) in a snapshot, or in {@link
     * SnapshotPoint#HEAD the head}; send me what differs.
     */
    record FetchBlocks(
            VolumeId volume,
            long epoch,
            ReplicaId from,
            long fetch,
            ByteRange range,
            List<BlockVersion> versions,
            long snapshot)
            implements PeerMessage {
        public FetchBlocks {
            versions = List.copyOf(versions);
        }
    }

    /** Source to joiner: answer to one FetchBlocks; blocks not named are equal. */
    record Blocks(VolumeId volume, long epoch, ReplicaId from, long fetch, List<BlockRun> runs) implements PeerMessage {
        public Blocks {
            runs = List.copyOf(runs);
        }
    }

    /** Source to joiner: the source cannot read this range (its copy is damaged); ask another member. */
    record BlocksUnreadable(VolumeId volume, long epoch, ReplicaId from, long fetch, String reason)
            implements PeerMessage {}

    /** Joiner to primary: the copy is complete and durable; count me in for acknowledgements and compare. */
    record CopyComplete(VolumeId volume, long epoch, ReplicaId from) implements PeerMessage {}

    /** Joiner to primary: my region table at {@link Operation.ComparePoint} {@code round}. */
    record RegionsAt(VolumeId volume, long epoch, ReplicaId from, long round, List<RegionState> regions)
            implements PeerMessage {
        public RegionsAt {
            regions = List.copyOf(regions);
        }
    }

    /** Primary to joiner: these regions differed at the compare point; copy them again. */
    record StillDifferent(VolumeId volume, long epoch, ReplicaId from, long round, List<ByteRange> ranges)
            implements PeerMessage {
        public StillDifferent {
            ranges = List.copyOf(ranges);
        }
    }
}
