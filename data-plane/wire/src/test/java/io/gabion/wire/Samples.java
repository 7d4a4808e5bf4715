package io.gabion.wire;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.Operation;
import io.gabion.core.message.Payload;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RegionState;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.message.TailEntry;
import io.gabion.model.Attachment;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Random messages of every type, from one seed. */
final class Samples {
    private final Random random;
    /** For what came later: the bytes of everything else stay what they were. */
    private final Random later;

    private final int maxBlocks;
    private final int maxList;

    Samples(long seed, int maxBlocks, int maxList) {
        this.random = new Random(seed);
        this.later = new Random(~seed);
        this.maxBlocks = maxBlocks;
        this.maxList = maxList;
    }

    /** One of each type, operations of each kind included. */
    List<Object> one() {
        List<Object> all = new ArrayList<>();
        all.addAll(nodeMessages());
        all.addAll(peerMessages());
        all.addAll(clientMessages());
        all.addAll(snapshotMessages());
        return all;
    }

    List<NodeMessage> nodeMessages() {
        return List.of(
                new NodeMessage.Heartbeat(number(), uuid(), number(), list(this::promised)),
                new NodeMessage.HeartbeatAck(number(), list(this::promised)));
    }

    List<PeerMessage> peerMessages() {
        List<PeerMessage> all = new ArrayList<>();
        for (Operation operation : operations()) {
            all.add(new PeerMessage.Replicate(volume(), number(), replica(), number(), number(), operation));
        }
        all.add(new PeerMessage.Durable(volume(), number(), replica(), number(), number()));
        all.add(new PeerMessage.Committed(volume(), number(), replica(), number()));
        all.add(new PeerMessage.NewEpoch(volume(), number(), replica(), record(), lsn()));
        all.add(new PeerMessage.EpochPromised(
                volume(), number(), replica(), number(), lsn(), lsn(), list(this::tailEntry), number(), snapshots()));
        all.add(new PeerMessage.EpochRefused(volume(), number(), replica(), number()));
        all.add(new PeerMessage.Reconcile(volume(), number(), replica(), runs()));
        all.add(new PeerMessage.ReconcileEnd(
                volume(), number(), replica(), lsn(), session(), number(), list(this::request), snapshots()));
        all.add(new PeerMessage.Reconciled(volume(), number(), replica()));
        all.add(new PeerMessage.MemberFaulted(volume(), number(), replica(), reason()));
        all.add(new PeerMessage.Resume(volume(), number(), replica(), number(), number(), number()));
        all.add(new PeerMessage.TakeOver(volume(), number(), replica(), lsn()));
        all.add(new PeerMessage.StateReport(
                volume(), number(), replica(), number(), random.nextBoolean(), random.nextBoolean(), lsn()));
        all.add(new PeerMessage.JoinRequest(volume(), number(), replica(), number(), lsn(), lsn()));
        all.add(new PeerMessage.JoinStart(
                volume(), number(), replica(), record(), number(), session(), list(this::request), snapshots()));
        all.add(new PeerMessage.JoinRefused(volume(), number(), replica(), reason()));
        all.add(new PeerMessage.DifferenceQuery(volume(), number(), replica(), lsn(), list(this::region), snapshot()));
        all.add(new PeerMessage.Differences(
                volume(), number(), replica(), random.nextBoolean(), list(() -> range(maxBlocks)), snapshot()));
        all.add(new PeerMessage.FetchBlocks(
                volume(), number(), replica(), number(), range(maxBlocks), list(this::version), snapshot()));
        all.add(new PeerMessage.Blocks(volume(), number(), replica(), number(), runs()));
        all.add(new PeerMessage.BlocksUnreadable(volume(), number(), replica(), number(), reason()));
        all.add(new PeerMessage.CopyComplete(volume(), number(), replica()));
        all.add(new PeerMessage.RegionsAt(volume(), number(), replica(), number(), list(this::region)));
        all.add(new PeerMessage.StillDifferent(volume(), number(), replica(), number(), list(() -> range(maxBlocks))));
        return all;
    }

    List<Operation> operations() {
        ByteRange written = range(maxBlocks);
        return List.of(
                new Operation.Write(written, request(), payload((int) written.length())),
                new Operation.Trim(range(maxBlocks), request()),
                new Operation.OpenSession(session(), node()),
                new Operation.Grow(number()),
                new Operation.VerifyPoint(number()),
                new Operation.ComparePoint(number()));
    }

    List<PeerMessage> snapshotMessages() {
        return Stream.of(new Operation.TakeSnapshot(snapshot()), new Operation.DeleteSnapshot(snapshot()))
                .<PeerMessage>map(operation ->
                        new PeerMessage.Replicate(volume(), number(), replica(), number(), number(), operation))
                .toList();
    }

    private long snapshot() {
        return later.nextLong() >>> 1;
    }

    private SnapshotSet snapshots() {
        List<SnapshotPoint> points = new ArrayList<>();
        long number = 0;
        for (int left = later.nextInt(4); left > 0; left--) {
            number += 1 + later.nextInt(1000);
            points.add(new SnapshotPoint(number, new Lsn(later.nextInt(100), later.nextInt(1000))));
        }
        return new SnapshotSet(points, number + later.nextInt(3));
    }

    List<ClientMessage> clientMessages() {
        List<ClientMessage> all = new ArrayList<>(requests());
        all.addAll(responses());
        return all;
    }

    List<ClientMessage> requests() {
        return List.of(
                new ClientMessage.Open(volume(), number(), uuid(), number(), number()),
                new ClientMessage.Close(volume(), session()),
                write(1 + random.nextInt(maxBlocks)),
                new ClientMessage.Read(volume(), session(), request(), number(), range(maxBlocks)),
                new ClientMessage.Trim(volume(), session(), request(), number(), range(maxBlocks)),
                new ClientMessage.Flush(volume(), session(), request(), number()),
                new ClientMessage.BlockStatus(volume(), session(), request(), number(), range(maxBlocks)));
    }

    List<ClientMessage> responses() {
        List<ClientMessage> all = new ArrayList<>();
        all.add(new ClientMessage.Opened(volume(), number(), session(), number(), random.nextInt(1000), number()));
        all.add(new ClientMessage.NotPrimary(volume(), number(), Optional.of(node()), reason()));
        all.add(new ClientMessage.NotPrimary(volume(), number(), Optional.empty(), ""));
        all.add(new ClientMessage.SessionFenced(volume(), session(), reason()));
        all.add(new ClientMessage.NotAttached(volume(), reason()));
        all.add(new ClientMessage.UnknownVolume(volume()));
        for (ClientMessage.IoStatus status : ClientMessage.IoStatus.values()) {
            all.add(new ClientMessage.Done(volume(), request(), number(), status, times()));
        }
        all.add(new ClientMessage.ReadDone(
                volume(),
                request(),
                number(),
                payload(BlockGeometry.BLOCK_BYTES * (1 + random.nextInt(maxBlocks))),
                times()));
        all.add(new ClientMessage.BlockStatusDone(
                volume(), request(), number(), list(() -> new ClientMessage.Extent(number(), random.nextBoolean()))));
        return all;
    }

    ClientMessage.Write write(int blocks) {
        ByteRange range = ByteRange.ofBlocks(random.nextInt(1 << 20), blocks);
        return new ClientMessage.Write(volume(), session(), request(), number(), range, payload((int) range.length()));
    }

    PeerMessage.Replicate replicate(int blocks) {
        ByteRange range = ByteRange.ofBlocks(random.nextInt(1 << 20), blocks);
        return new PeerMessage.Replicate(
                volume(), number(), replica(), number(), number(), new Operation.Write(range, request(), payload((int)
                        range.length())));
    }

    Payload payload(int length) {
        byte[] content = new byte[length];
        random.nextBytes(content);
        return HeapPayload.of(content);
    }

    List<BlockRun> runs() {
        List<BlockRun> runs = new ArrayList<>();
        int blocksLeft = BlockGeometry.BLOCKS_PER_REGION;
        for (int i = 0; i < maxList && blocksLeft > 0; i++) {
            int blocks = 1 + random.nextInt(Math.min(maxBlocks, blocksLeft));
            boolean hole = random.nextInt(3) == 0;
            runs.add(new BlockRun(
                    random.nextInt(1 << 20),
                    blocks,
                    lsn(),
                    hole ? Optional.empty() : Optional.of(payload(blocks * BlockGeometry.BLOCK_BYTES))));
            blocksLeft -= blocks;
        }
        return runs;
    }

    private ByteRange range(int blocks) {
        return ByteRange.ofBlocks(random.nextInt(1 << 20), 1 + random.nextInt(blocks));
    }

    private <T> List<T> list(Supplier<T> element) {
        List<T> elements = new ArrayList<>();
        for (int i = random.nextInt(maxList + 1); i > 0; i--) {
            elements.add(element.get());
        }
        return elements;
    }

    private long number() {
        return random.nextLong() >>> (1 + random.nextInt(60));
    }

    private UUID uuid() {
        return new UUID(random.nextLong(), random.nextLong());
    }

    VolumeId volume() {
        return new VolumeId(uuid());
    }

    private ReplicaId replica() {
        return new ReplicaId(uuid());
    }

    private Lsn lsn() {
        return new Lsn(number(), number());
    }

    private RequestId request() {
        return new RequestId(number(), number());
    }

    private SessionId session() {
        return new SessionId(number(), number(), uuid());
    }

    private NodeName node() {
        return new NodeName("node-" + random.nextInt(100_000));
    }

    private String reason() {
        return "grund \u00e4\u20ac " + random.nextInt();
    }

    private ClientMessage.PhaseTimes times() {
        return new ClientMessage.PhaseTimes(number(), number(), number());
    }

    private NodeMessage.PromisedEpoch promised() {
        return new NodeMessage.PromisedEpoch(volume(), number());
    }

    private TailEntry tailEntry() {
        return new TailEntry(lsn(), range(maxBlocks), request());
    }

    private RegionState region() {
        return new RegionState(random.nextInt(1 << 20), lsn(), random.nextLong());
    }

    private BlockVersion version() {
        return new BlockVersion(random.nextInt(1 << 20), lsn(), random.nextInt());
    }

    VolumeRecord record() {
        List<ReplicaPlacement> placement = new ArrayList<>();
        List<InSyncMember> members = new ArrayList<>();
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            placement.add(new ReplicaPlacement(replica(), node()));
            members.add(new InSyncMember(placement.getLast().replica(), number()));
        }
        VolumeConfig config = new VolumeConfig(
                1 + number(),
                1 + number(),
                members.getFirst().replica(),
                members,
                number(),
                number(),
                number(),
                list(() -> new Attachment(node(), 1 + number(), random.nextBoolean())),
                number(),
                "node-1/" + number());
        VolumeSpec spec = new VolumeSpec(
                "volume-\u00fc-" + random.nextInt(),
                BlockGeometry.BLOCK_BYTES * (1L + random.nextInt() & 0xFFFF) + BlockGeometry.BLOCK_BYTES,
                3,
                2,
                "pool",
                random.nextBoolean() ? PoolFullPolicy.STALL : PoolFullPolicy.ERROR,
                random.nextBoolean() ? RecoveryPolicy.ANY : RecoveryPolicy.ALL);
        return new VolumeRecord(
                volume(),
                spec,
                placement,
                list(() -> new ReplicaPlacement(replica(), node())),
                random.nextBoolean(),
                config,
                config.version() % 3 == 1
                        ? Optional.of(new VolumeOrigin(new VolumeId(new UUID(config.version(), 1)), 7, new Lsn(3, 9)))
                        : Optional.empty());
    }
}
