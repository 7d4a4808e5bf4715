package io.gabion.core.volume;

import io.gabion.core.Invariants;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.port.Effect;
import io.gabion.core.port.EffectSink;
import io.gabion.core.port.EpochStart;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.Notice;
import io.gabion.core.port.PeerLeases;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.ByteRange;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeOrigin;
import io.gabion.model.VolumeRecord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the roles of one replica share: its durable record, what it knows, and its ways to the outside. */
final class Replica {
    /** Receives the one answer to a read of the store; owns the payloads in it. */
    interface StoreAnswer {
        void answered(Event event);
    }

    final VolumeId volume;
    final NodeName self;
    final ReplicaSettings settings;
    final PeerLeases leases;
    final Jitter jitter;
    final PeerTable peers;
    final SpaceGauge space;
    final ConfigAccess config;
    final AppendQueue appends = new AppendQueue();
    final RequestTable requests = new RequestTable();
    final Tail tail = new Tail();
    final ResyncSource source;
    final Snapshots snapshots;
    final Repair repair;

    long now;
    EffectSink sink = _ -> {};

    /** As last appended, not necessarily durable yet. */
    ReplicaRecord own;
    /** The highest record known, adopted or not. */
    VolumeRecord record;
    /** Highest operation that is known to be on all in-sync members. */
    Lsn committed;

    Lsn lastLsn;
    SessionId session;
    /** False once something that was durable is damaged, or before there was anything. */
    boolean intact;
    /** A quorum read or a swap of this process's life told what the record is. */
    boolean confirmed;

    boolean stopping;
    boolean stopped;
    /** Up to here the content is a state of the volume's history plus changes of our own, see the change-log tier of resync. */
    Lsn wholeUpTo;

    /** The store is still making the replica: it is nothing yet. */
    boolean beginning;

    boolean reconsider;
    Role role;
    /** Since when nobody could acknowledge a write, as far as seen from here; {@link Long#MAX_VALUE} when unknown. */
    long outageSinceNanos = Long.MAX_VALUE;

    private final Map<Long, StoreAnswer> reads = new HashMap<>();
    private long lastTicket;

    Replica(
            VolumeReplica.Identity identity,
            PeerTable peers,
            SpaceGauge space,
            ReplicaRecord own,
            long now,
            EffectSink sink) {
        this.volume = identity.volume();
        this.self = identity.self();
        this.settings = identity.settings();
        this.leases = identity.leases();
        this.jitter = new Jitter(identity.seed());
        this.peers = peers;
        this.space = space;
        this.own = own;
        this.record = own.record();
        this.committed = Lsn.ZERO;
        this.lastLsn = Lsn.ZERO;
        this.wholeUpTo = Lsn.ZERO;
        this.session = own.session();
        this.now = now;
        this.sink = sink;
        this.config = new ConfigAccess(this, identity.seed() ^ Long.rotateLeft(now, 17));
        this.source = new ResyncSource(this);
        this.snapshots = new Snapshots(this);
        this.repair = new Repair(this);
        this.role = new Waiting(this, "waiting for the configuration");
    }

    // ---- who am I
    ReplicaId me() {
        return own.replica();
    }

    long promised() {
        return own.promisedEpoch();
    }

    VolumeConfig cfg() {
        return record.config();
    }

    boolean isMine(VolumeConfig someConfig) {
        return someConfig.isInSync(me(), own.incarnation());
    }

    /** Placed replicas other than this one. */
    List<NodeName> otherNodes() {
        List<NodeName> nodes = new ArrayList<>();
        record.placement().forEach(placement -> {
            if (!placement.replica().equals(me())) {
                nodes.add(placement.node());
            }
        });
        return nodes;
    }

    String describe(ReplicaId replica) {
        return replica + record.nodeOf(replica).map(node -> " on " + node).orElse("");
    }

    boolean learn(VolumeRecord found) {
        if (found.config().version() <= record.config().version() || !found.id().equals(volume)) {
            return false;
        }
        record = found;
        reconsider = true;
        return true;
    }

    void changeEnded() {
        reconsider = true;
    }

    // ---- effects
    void emit(Effect effect) {
        sink.emit(effect);
    }

    void notice(Notice notice) {
        sink.emit(new Effect.Notify(notice));
    }

    void send(NodeName node, PeerMessage message) {
        sink.emit(new Effect.SendPeer(node, message));
    }

    void respond(long link, ClientMessage.Response response) {
        sink.emit(new Effect.SendClient(link, response));
    }

    long ticket() {
        lastTicket++;
        return lastTicket;
    }

    void append(LogRecord logRecord, AppendQueue.Pending pending) {
        long ticket = ticket();
        appends.issued(ticket, pending);
        sink.emit(new Effect.Append(ticket, logRecord));
    }

    void append(LogRecord logRecord) {
        long ticket = ticket();
        appends.issued(ticket);
        sink.emit(new Effect.Append(ticket, logRecord));
    }

    void read(ByteRange range, StoreAnswer answer) {
        long ticket = expect(answer);
        sink.emit(new Effect.Read(ticket, range));
    }

    void readExtents(ByteRange range, StoreAnswer answer) {
        long ticket = expect(answer);
        sink.emit(new Effect.ReadExtents(ticket, range));
    }

    void readBlocks(ByteRange range, boolean all, List<BlockVersion> known, StoreAnswer answer) {
        long ticket = expect(answer);
        sink.emit(new Effect.ReadBlocks(ticket, range, all, known));
    }

    /** What of a snapshot, or of {@link SnapshotPoint#HEAD the head}, is not as {@code known}. */
    void readUnknownBlocks(long snapshot, ByteRange range, List<BlockVersion> known, StoreAnswer answer) {
        long ticket = expect(answer);
        sink.emit(of(snapshot, new Effect.ReadBlocks(ticket, range, false, known)));
    }

    void readVersions(long snapshot, ByteRange range, StoreAnswer answer) {
        long ticket = expect(answer);
        sink.emit(of(snapshot, new Effect.ReadVersions(ticket, range)));
    }

    void readRegionTable(StoreAnswer answer) {
        readRegionTable(SnapshotPoint.HEAD, answer);
    }

    void readRegionTable(long snapshot, StoreAnswer answer) {
        long ticket = expect(answer);
        sink.emit(of(snapshot, new Effect.ReadRegionTable(ticket)));
    }

    private static Effect of(long snapshot, Effect.StoreEffect read) {
        return snapshot == SnapshotPoint.HEAD ? read : new Effect.AtSnapshot(snapshot, read);
    }

    void readChanges(Lsn after, StoreAnswer answer) {
        long ticket = expect(answer);
        sink.emit(new Effect.ReadChanges(ticket, after));
    }

    /** Makes the replica of a clone, with its record as it is. */
    void cloneFrom(VolumeOrigin origin, StoreAnswer answer) {
        long ticket = expect(answer);
        sink.emit(new Effect.Clone(ticket, own, origin));
    }

    private long expect(StoreAnswer answer) {
        long ticket = ticket();
        reads.put(ticket, answer);
        return ticket;
    }

    void answered(long ticket, Event event) {
        StoreAnswer answer = reads.remove(ticket);
        if (answer == null) {
            Payloads.release(event);
            return;
        }
        answer.answered(event);
    }

    // ---- the durable record
    /** Replaces the durable record; {@code then} runs when it is durable. */
    void persist(ReplicaRecord next, Runnable then) {
        replaceOwn(next);
        append(new LogRecord.ReplicaChanged(next), new AppendQueue.Pending() {
            @Override
            void durable() {
                then.run();
            }
        });
    }

    void persist(ReplicaRecord next) {
        replaceOwn(next);
        append(new LogRecord.ReplicaChanged(next));
    }

    private void replaceOwn(ReplicaRecord next) {
        Invariants.check(
                next.promisedEpoch() >= own.promisedEpoch(),
                "I2: a promised epoch never falls",
                own.promisedEpoch(),
                next.promisedEpoch());
        own = next;
    }

    /** The durable record with another status and the record known now; everything else as it is. */
    ReplicaRecord ownWith(long promisedEpoch, ReplicaStatus status) {
        return new ReplicaRecord(
                volume,
                own.replica(),
                promisedEpoch,
                record,
                own.incarnation(),
                status,
                own.epochStarts(),
                own.position(),
                session,
                own.requests());
    }

    ReplicaRecord ownAt(long promisedEpoch, ReplicaStatus status, Lsn position, List<RequestId> requestsAtPosition) {
        return new ReplicaRecord(
                volume,
                own.replica(),
                promisedEpoch,
                record,
                own.incarnation(),
                status,
                own.epochStarts(),
                position,
                session,
                requestsAtPosition);
    }

    ReplicaRecord withEpochStart(ReplicaRecord base, EpochStart start) {
        List<EpochStart> starts = new ArrayList<>(base.epochStarts());
        starts.removeIf(known -> known.epoch() >= start.epoch());
        starts.add(start);
        return new ReplicaRecord(
                base.volume(),
                base.replica(),
                base.promisedEpoch(),
                base.record(),
                base.incarnation(),
                base.status(),
                starts,
                base.position(),
                base.session(),
                base.requests());
    }

    void commitThrough(Lsn lsn) {
        if (lsn.isAfter(committed)) {
            committed = lsn;
            tail.commitThrough(lsn);
        }
    }

    // ---- conversation
    void refuseEpoch(NodeName node, long staleEpoch, ReplicaId from) {
        notice(new Notice.StaleRefused(from, staleEpoch, promised()));
        send(node, new PeerMessage.EpochRefused(volume, staleEpoch, me(), promised()));
    }

    /** Where clients should go, empty when it is here or unknown. */
    Optional<NodeName> primaryHint() {
        return record.primaryNode().filter(node -> !node.equals(self));
    }

    /** Answers a client's request from a replica that does not serve it; releases its payload. */
    void refuseClient(long link, ClientMessage.Request request, String reason) {
        Payloads.release(request);
        switch (request) {
            case ClientMessage.Close _ -> {}
            // Only the primary fences: the highest session known here may never have been committed.
            case ClientMessage.Open _, ClientMessage.IoRequest _ ->
                respond(link, new ClientMessage.NotPrimary(volume, cfg().epoch(), primaryHint(), reason));
        }
    }

    /** An agent that was replaced cannot come back: a later connection of another instance is known. */
    boolean isSuperseded(ClientMessage.Open open) {
        if (open.generation() < session.generation()) {
            return true;
        }
        return open.generation() == session.generation()
                && open.knownConnection() > 0
                && session.connection() > open.knownConnection()
                && !session.instance().equals(open.instance());
    }

    boolean fencedByRecord(SessionId someSession) {
        return someSession.generation() < cfg().sessionFloor();
    }

    void readyToStop() {
        if (!stopped) {
            stopped = true;
            emit(new Effect.ReadyToStop());
        }
    }

    static List<InSyncMember> without(List<InSyncMember> members, ReplicaId replica) {
        return members.stream()
                .filter(member -> !member.replica().equals(replica))
                .toList();
    }
}
