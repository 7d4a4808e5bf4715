package io.gabion.core.port;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.Payload;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RegionState;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeRecord;
import java.util.List;
import java.util.Optional;

/** Everything that can happen to a volume's replica on one node. Events are the only way in. */
public sealed interface Event {
    /** Time has passed; also sent when the deadline that the replica asked for is reached. */
    record Tick() implements Event {}

    /** First event of a replica that the store found. */
    record Started(RecoveredReplica recovered) implements Event {}

    /** First event of a replica that does not exist yet: the record, read with a quorum, places it on this node. */
    record Create(VolumeRecord record, ReplicaId replica) implements Event {}

    // ---- configuration store
    /** From a watch: true at some time, perhaps no longer. */
    record ConfigHint(VolumeRecord record) implements Event {}

    /** Answer to {@link Effect.ReadConfig}: a quorum read that began after the effect. */
    record ConfigRead(long ticket, ReadOutcome outcome) implements Event {}

    /** Answer to {@link Effect.SwapConfig}. */
    record ConfigSwapped(long ticket, SwapOutcome outcome) implements Event {}

    sealed interface ReadOutcome {
        record Found(VolumeRecord record) implements ReadOutcome {}

        /** No such record. Never a reason to delete anything. */
        record Absent() implements ReadOutcome {}

        record Unavailable(String reason) implements ReadOutcome {}
    }

    sealed interface SwapOutcome {
        record Won(VolumeRecord record) implements SwapOutcome {}

        /** Another version was there first. */
        record Lost(VolumeRecord current) implements SwapOutcome {}

        /** The store says that this change may never be. */
        record Refused(List<String> violations) implements SwapOutcome {
            public Refused {
                violations = List.copyOf(violations);
            }
        }

        /** Perhaps done, perhaps not, perhaps later: read before doing anything else. */
        record Unknown(String reason) implements SwapOutcome {}
    }

    // ---- peers
    /** A link to the node is up; everything said on an earlier link is lost or was received. */
    record PeerUp(NodeName node) implements Event {}

    record PeerDown(NodeName node, DownReason reason) implements Event {}

    enum DownReason {
        /** The link was reset; the process may still be there. */
        RESET,
        /** The link was reset and a new connection was refused: the process is gone. */
        GONE,
        /** No heartbeat for longer than the grace time. */
        SILENT
    }

    record FromPeer(NodeName node, PeerMessage message) implements Event {}

    /** The node said that it promised this epoch for the volume. */
    record PeerPromised(NodeName node, long epoch) implements Event {}

    // ---- clients
    /** @param link number of the connection, never re-used by this process
     * @param agent the node that the connection's certificate names */
    record FromClient(long link, NodeName agent, ClientMessage.Request message) implements Event {}

    record ClientGone(long link) implements Event {}

    // ---- store
    /** Every record appended with a ticket up to this one is durable and applied. */
    record Appended(long throughTicket) implements Event {}

    /**
     * Answer to {@link Effect.Clone} at its place in the order of appends.
     *
     * @param done the replica is there, durably; else nothing changed
     */
    record Cloned(long ticket, boolean done) implements Event {}

    /** The disk failed or refused; nothing more will become durable until it is recovered. */
    record StoreFaulted(String reason) implements Event {}

    /** Answer to {@link Effect.Read}. Owns the payload. */
    record ReadCompleted(long ticket, Payload payload) implements Event {}

    /** A read met a block whose checksum is wrong, or the disk's error. */
    record ReadFailed(long ticket, String reason) implements Event {}

    /**
     * Content of this replica fails its checksum or cannot be read; found by a read (which was answered with a failure), a
     * verification or the scrub, and told each time. {@code snapshot} is one through which the blocks can be read, or {@link
     * io.gabion.core.message.SnapshotPoint#HEAD}. A copy of the same versions may be put in place with {@link LogRecord.Repaired}.
     */
    record BlocksDamaged(long snapshot, List<BlockVersion> blocks) implements Event {
        public BlocksDamaged {
            blocks = List.copyOf(blocks);
        }
    }

    record ExtentsRead(long ticket, List<ClientMessage.Extent> extents) implements Event {}

    /** Answer to {@link Effect.ReadBlocks}. Owns the payloads. */
    record BlocksRead(long ticket, List<BlockRun> runs) implements Event {}

    record VersionsRead(long ticket, List<BlockVersion> versions) implements Event {}

    /** The whole region table as it was in the order of appends where it was asked for; regions with neither data nor history are left out. */
    record RegionTableRead(long ticket, List<RegionState> regions) implements Event {}

    /** Ranges changed after the LSN asked for, or empty when the change log does not reach back that far. */
    record ChangesRead(long ticket, Optional<List<ByteRange>> ranges) implements Event {}

    /** Bytes of payload that this replica can take beyond what it was given; sent when it changed much, and at start. */
    record SpaceAvailable(long freeBytes) implements Event {}

    // ---- operator
    /** Verify the volume: a person (or scrub) asks the primary to mark a point. */
    record VerifyRequested(long id) implements Event {}

    /**
     * Take a snapshot under a number reserved in the record. May be said any number of times; each is answered by one {@link
     * Effect.SnapshotAnswered}, unless the process ends before.
     */
    record SnapshotWanted(long call, long number) implements Event {}

    /** Delete the snapshot with this number; as {@link SnapshotWanted}. */
    record SnapshotUnwanted(long call, long number) implements Event {}

    /** Move the primary to this replica in an orderly way. */
    record HandoverRequested(ReplicaId target) implements Event {}

    /** The process is about to end in good order: hand over, stop serving. */
    record ShutdownRequested() implements Event {}
}
