package io.gabion.core.port;

import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.PeerMessage;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeOrigin;
import io.gabion.model.VolumeRecord;
import java.util.List;

/**
 * Everything a volume's replica can ask of the outside. Effects of one step are carried out in their order. Tickets are
 * numbers of the replica, rising, never re-used; each is answered by exactly one event that carries it (appends: by an {@link
 * Event.Appended} that reaches it, or {@link Event.StoreFaulted}).
 */
public sealed interface Effect {
    /** Say this to the replica's peer on that node; lost if there is no link. */
    record SendPeer(NodeName node, PeerMessage message) implements Effect {}

    record SendClient(long link, ClientMessage.Response message) implements Effect {}

    /** Close this client's connection for the volume: it broke the protocol or lost its session. */
    record CloseClient(long link, String reason) implements Effect {}

    // ---- configuration store
    record ReadConfig(long ticket) implements Effect {}

    /** Swap if the stored version is {@code next.config().version() - 1}. */
    record SwapConfig(long ticket, VolumeRecord next) implements Effect {}

    // ---- store
    /** An effect that the disk's store carries out. */
    sealed interface StoreEffect extends Effect {}

    record Append(long ticket, LogRecord record) implements StoreEffect {}

    /**
     * Make a replica with this record that holds what {@code origin} says. Possible only on a disk with a replica of the origin's
     * volume that was in sync up to the snapshot (status {@link ReplicaStatus#IN_SYNC} or {@link ReplicaStatus#OUTDATED}, intact)
     * and holds it at exactly that LSN. What is inherited counts as content of the new replica with its versions as they are, in
     * all reads and region tables; checksums of versions are as if this volume had written it.
     */
    record Clone(long ticket, ReplicaRecord record, VolumeOrigin origin) implements StoreEffect {}

    /** Content of whole blocks; sees every append reported durable before, and none that is emitted later. */
    record Read(long ticket, ByteRange range) implements StoreEffect {}

    /** Holes and data within the range. */
    record ReadExtents(long ticket, ByteRange range) implements StoreEffect {}

    /** Blocks of the range whose version or checksum differ from {@code known} (a block not named is a hole there); all blocks, holes too, when {@code all}. */
    record ReadBlocks(long ticket, ByteRange range, boolean all, List<BlockVersion> known) implements StoreEffect {
        public ReadBlocks {
            known = List.copyOf(known);
        }
    }

    record ReadVersions(long ticket, ByteRange range) implements StoreEffect {}

    /** Taken at exactly this place in the order of appends. */
    record ReadRegionTable(long ticket) implements StoreEffect {}

    record ReadChanges(long ticket, Lsn after) implements StoreEffect {}

    /**
     * The same of a snapshot: a read of content, extents, blocks, versions or the region table. Answered with a failure when the
     * replica has no such snapshot.
     */
    record AtSnapshot(long snapshot, StoreEffect read) implements StoreEffect {
        public AtSnapshot {
            switch (read) {
                case Read _, ReadExtents _, ReadBlocks _, ReadVersions _, ReadRegionTable _ -> {}
                case Append _, Clone _, ReadChanges _, Verify _, AtSnapshot _ ->
                    throw new IllegalArgumentException("not a read of a snapshot: " + read);
            }
        }
    }

    /** Digest the content as it is at exactly this place in the order of appends; the result goes to whoever asked, not back here. */
    record Verify(long id, Lsn lsn) implements StoreEffect {}

    // ---- the rest
    /** Answer to {@link Event.SnapshotWanted} or {@link Event.SnapshotUnwanted} with this call. */
    record SnapshotAnswered(long call, SnapshotOutcome outcome) implements Effect {}

    /** Something happened that people, metrics and logs want to know. */
    record Notify(Notice notice) implements Effect {}

    /** The replica's data was deleted; forget it. */
    record Forget() implements Effect {}

    /** After {@link Event.ShutdownRequested}: nothing is in flight any more. */
    record ReadyToStop() implements Effect {}
}
