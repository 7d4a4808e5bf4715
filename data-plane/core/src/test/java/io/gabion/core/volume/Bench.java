package io.gabion.core.volume;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.message.TailEntry;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.PeerLeases;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.port.ReplicaStatus;
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
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** One replica under test, with its effects laid out; the other replicas are played by the test. */
final class Bench {
    static final VolumeId VOLUME = new VolumeId(new UUID(7, 7));
    static final NodeName N1 = new NodeName("n1");
    static final NodeName N2 = new NodeName("n2");
    static final NodeName N3 = new NodeName("n3");
    static final NodeName AGENT = new NodeName("c1");
    static final ReplicaId R1 = new ReplicaId(new UUID(1, 1));
    static final ReplicaId R2 = new ReplicaId(new UUID(1, 2));
    static final ReplicaId R3 = new ReplicaId(new UUID(1, 3));
    static final UUID INSTANCE = new UUID(9, 1);
    static final long LINK = 5;

    final VolumeReplica replica;
    final ReplicaId me;
    final List<Effect> effects = new ArrayList<>();
    final List<HeapPayload> payloads = new ArrayList<>();
    long now = 1_000_000_000L;
    long leaseUntil = Long.MAX_VALUE;
    SnapshotSet snapshots = SnapshotSet.NONE;
    private long lastAppend;

    Bench(NodeName self, ReplicaId me) {
        this.me = me;
        PeerLeases leases = new PeerLeases() {
            @Override
            public long validUntilNanos(NodeName peer) {
                return leaseUntil;
            }

            @Override
            public boolean isUp(NodeName peer) {
                return true;
            }
        };
        replica = new VolumeReplica(VOLUME, self, ReplicaSettings.standard(), leases, 42);
    }

    static VolumeRecord record(long version, long epoch, ReplicaId primary, InSyncMember... inSync) {
        return new VolumeRecord(
                VOLUME,
                new VolumeSpec("v", 1 << 20, 3, 1, "p", PoolFullPolicy.STALL, RecoveryPolicy.ANY),
                List.of(new ReplicaPlacement(R1, N1), new ReplicaPlacement(R2, N2), new ReplicaPlacement(R3, N3)),
                List.of(),
                false,
                new VolumeConfig(
                        version,
                        epoch,
                        primary,
                        List.of(inSync),
                        0,
                        1 << 20,
                        0,
                        List.of(new Attachment(AGENT, 1, false)),
                        0,
                        "test"));
    }

    static InSyncMember in(ReplicaId replica, long incarnation) {
        return new InSyncMember(replica, incarnation);
    }

    /** Three replicas, all in sync, in {@code epoch}; its version is the epoch. */
    static VolumeRecord three(long epoch, ReplicaId primary) {
        return record(epoch, epoch, primary, in(R1, 0), in(R2, 0), in(R3, 0));
    }

    // ---- what happens to it
    void step(Event event) {
        replica.step(event, now, effects::add);
    }

    /** A replica that was in sync in the epoch of {@code record}, and activated. */
    void started(VolumeRecord record, boolean unclean, Lsn last, Lsn committed, List<TailEntry> tail) {
        ReplicaRecord own = new ReplicaRecord(
                VOLUME,
                me,
                record.config().epoch(),
                record,
                0,
                ReplicaStatus.IN_SYNC,
                List.of(),
                new Lsn(record.config().epoch(), 0),
                SessionId.NONE,
                List.of());
        step(new Event.Started(new RecoveredReplica(own, unclean, true, last, committed, tail, List.of(), snapshots)));
    }

    void peersUp() {
        for (NodeName node : List.of(N1, N2, N3)) {
            step(new Event.PeerUp(node));
        }
    }

    /** Everything appended so far is durable. */
    void durable() {
        for (Effect effect : effects) {
            if (effect instanceof Effect.Append append) {
                lastAppend = Math.max(lastAppend, append.ticket());
            }
        }
        step(new Event.Appended(lastAppend));
    }

    void configIs(VolumeRecord record) {
        for (Effect.ReadConfig read : drain(Effect.ReadConfig.class)) {
            step(new Event.ConfigRead(read.ticket(), new Event.ReadOutcome.Found(record)));
        }
    }

    /** The one swap proposed wins. */
    VolumeRecord swapWins() {
        Effect.SwapConfig swap = only(Effect.SwapConfig.class);
        step(new Event.ConfigSwapped(swap.ticket(), new Event.SwapOutcome.Won(swap.next())));
        return swap.next();
    }

    void from(NodeName node, PeerMessage message) {
        step(new Event.FromPeer(node, message));
    }

    void promisedAndEqual(NodeName node, ReplicaId from, long epoch, TailEntry... tail) {
        from(
                node,
                new PeerMessage.EpochPromised(
                        VOLUME,
                        epoch,
                        from,
                        0,
                        new Lsn(1, 0),
                        Lsn.ZERO,
                        List.of(tail),
                        Long.MAX_VALUE / 4,
                        SnapshotSet.NONE));
        for (Effect.ReadBlocks read : drain(Effect.ReadBlocks.class)) {
            step(new Event.BlocksRead(read.ticket(), List.of()));
        }
        from(node, new PeerMessage.Reconciled(VOLUME, epoch, from));
    }

    /** Goes from nothing to an active epoch 2 of three replicas; only for {@link #R1}. */
    void becomeActive() {
        step(new Event.Create(three(1, R1), me));
        peersUp();
        durable();
        promisedAndEqual(N2, R2, 1);
        promisedAndEqual(N3, R3, 1);
        swapWins();
        durable();
        promisedAndEqual(N2, R2, 2);
        promisedAndEqual(N3, R3, 2);
        durable();
        configIs(three(2, R1));
    }

    SessionId openSession() {
        step(new Event.FromClient(LINK, AGENT, new ClientMessage.Open(VOLUME, 1, INSTANCE, 0, 0)));
        durable();
        Operation.OpenSession open =
                (Operation.OpenSession) replicated(N2).getLast().operation();
        acknowledge(replicated(N2).getLast().seq());
        return open.session();
    }

    void write(SessionId session, long number, long block) {
        HeapPayload payload = HeapPayload.of(new byte[BlockGeometry.BLOCK_BYTES]);
        payloads.add(payload);
        step(new Event.FromClient(
                LINK,
                AGENT,
                new ClientMessage.Write(
                        VOLUME, session, new RequestId(1, number), 1, ByteRange.ofBlocks(block, 1), payload)));
    }

    void acknowledge(long seq) {
        from(N2, new PeerMessage.Durable(VOLUME, epoch(), R2, seq, Long.MAX_VALUE / 4));
        from(N3, new PeerMessage.Durable(VOLUME, epoch(), R3, seq, Long.MAX_VALUE / 4));
    }

    long epoch() {
        return replica.view().promisedEpoch();
    }

    // ---- what it did
    <T> List<T> all(Class<T> type) {
        return effects.stream().filter(type::isInstance).map(type::cast).toList();
    }

    <T> List<T> drain(Class<T> type) {
        List<T> found = all(type);
        effects.removeIf(type::isInstance);
        return found;
    }

    <T> T only(Class<T> type) {
        List<T> found = drain(type);
        if (found.size() != 1) {
            throw new AssertionError("expected one " + type.getSimpleName() + " but found " + found);
        }
        return found.getFirst();
    }

    <T extends PeerMessage> List<T> sent(NodeName node, Class<T> type) {
        return all(Effect.SendPeer.class).stream()
                .filter(send -> send.node().equals(node) && type.isInstance(send.message()))
                .map(send -> type.cast(send.message()))
                .toList();
    }

    List<PeerMessage.Replicate> replicated(NodeName node) {
        return sent(node, PeerMessage.Replicate.class);
    }

    <T extends ClientMessage.Response> List<T> answered(Class<T> type) {
        return all(Effect.SendClient.class).stream()
                .map(Effect.SendClient::message)
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    <T extends LogRecord> List<T> appended(Class<T> type) {
        return all(Effect.Append.class).stream()
                .map(Effect.Append::record)
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }
}
