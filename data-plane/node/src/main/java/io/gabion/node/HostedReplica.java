package io.gabion.node;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.SnapshotOutcome;
import io.gabion.core.volume.ReplicaView;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The replica of one volume on its shard: gives events to the state machine one at a time and carries out the effects of each
 * step in order. What comes while a step is under way waits for its end. Everything belongs to the shard's loop.
 *
 * <p>A state machine that throws is stopped for good: its peers are told that this copy cannot go on, its clients that it does
 * not serve; the process lives.
 */
final class HostedReplica {
    private static final String STOPPED = "the replica on this node stopped itself; see its log";

    private final VolumeId volume;
    private final ReplicaId replica;
    private final NodeName self;
    private final ReplicaMachine machine;
    private final Shard shard;
    private final Surroundings surroundings;
    private final ReplicaMeter meter;
    private final Deque<Event> inbox = new ArrayDeque<>();
    private final Deque<Effect> effects = new ArrayDeque<>();
    private final Set<Long> clients = new HashSet<>();
    private @Nullable VolumeRecord known;
    private boolean started;
    private boolean running;
    private boolean promiseUnderWay;
    private boolean gone;
    private @Nullable String failure;
    // The highest promise seen in an append, and the ticket that makes it durable.
    private long promisedEpoch;
    private long promiseTicket = -1;
    private long incarnation;

    HostedReplica(
            VolumeId volume,
            ReplicaId replica,
            NodeName self,
            ReplicaMachine machine,
            Shard shard,
            Surroundings surroundings,
            ReplicaMeter meter) {
        this.volume = volume;
        this.replica = replica;
        this.self = self;
        this.machine = machine;
        this.shard = shard;
        this.surroundings = surroundings;
        this.meter = meter;
    }

    VolumeId volume() {
        return volume;
    }

    ReplicaId replica() {
        return replica;
    }

    Shard shard() {
        return shard;
    }

    ReplicaMeter meter() {
        return meter;
    }

    /** Name of the volume for people, as far as known. */
    String name() {
        VolumeRecord record = known;
        return record == null ? volume.toString() : record.spec().name();
    }

    Optional<VolumeRecord> known() {
        return Optional.ofNullable(known);
    }

    /** Empty unless the state machine was stopped. */
    Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    /** As last written down: rises when the copy may have lost something. */
    long incarnation() {
        return incarnation;
    }

    ReplicaView view() {
        return machine.view();
    }

    /** First event: {@link Event.Started} or {@link Event.Create}; then the links that stand already. */
    void start(Event first) {
        started = true;
        shard.add(this);
        if (first instanceof Event.Started(var recovered)) {
            promisedEpoch = recovered.record().promisedEpoch();
            incarnation = recovered.record().incarnation();
            surroundings.promised(shard, volume, promisedEpoch, () -> {});
        }
        offer(first);
    }

    long nextDeadlineNanos() {
        return failure != null || gone || promiseUnderWay ? Long.MAX_VALUE : machine.nextDeadlineNanos();
    }

    void tick() {
        offer(new Event.Tick());
    }

    // ---- events
    /** Takes over the references of payloads in the event. */
    void offer(Event event) {
        if (!started || gone || failure != null) {
            refuse(event);
            return;
        }
        if (event instanceof Event.Appended(var throughTicket)) {
            shard.appends().durable(volume, throughTicket, shard.nowNanos());
        }
        inbox.addLast(event);
        drain();
    }

    void fromPeer(NodeName node, PeerMessage message) {
        if (!started) {
            // As if the volume did not exist here yet: the peer asks again.
            OwnedPayloads.release(message);
            return;
        }
        if (!speaksFor(node, message.from())) {
            OwnedPayloads.release(message);
            surroundings.refusedPeer(this, node, message);
            return;
        }
        meter.received(node, message, shard.nowNanos());
        offer(new Event.FromPeer(node, message));
    }

    void fromClient(long link, NodeName agent, ClientMessage.Request message) {
        if (!started) {
            OwnedPayloads.release(message);
            surroundings.sendClient(link, refusal("the replica on node " + self + " is being started"));
            return;
        }
        clients.add(link);
        if (message instanceof ClientMessage.IoRequest request) {
            meter.requested(link, request, shard.nowNanos());
        }
        offer(new Event.FromClient(link, agent, message));
    }

    void clientGone(long link) {
        if (clients.remove(link)) {
            meter.clientGone(link);
            offer(new Event.ClientGone(link));
        }
    }

    void peerUp(NodeName node) {
        if (failure != null) {
            tellFailure(node);
        } else if (concerns(node)) {
            offer(new Event.PeerUp(node));
        }
    }

    void peerDown(NodeName node, DownReason reason) {
        meter.peerDown(node);
        if (concerns(node)) {
            offer(new Event.PeerDown(node, reason));
        }
    }

    void hint(VolumeRecord record) {
        if (started) {
            offer(new Event.ConfigHint(record));
        }
    }

    private boolean concerns(NodeName node) {
        VolumeRecord record = known;
        return record != null && record.replicaOn(node).isPresent();
    }

    private boolean speaksFor(NodeName node, ReplicaId speaker) {
        if (isPlaced(known, node, speaker)) {
            return true;
        }
        learn(machine.view().record().orElse(null));
        return isPlaced(known, node, speaker);
    }

    private static boolean isPlaced(@Nullable VolumeRecord record, NodeName node, ReplicaId speaker) {
        return record != null && record.nodeOf(speaker).filter(node::equals).isPresent();
    }

    // ---- steps
    private void drain() {
        if (running || promiseUnderWay) {
            return;
        }
        running = true;
        try {
            while (!promiseUnderWay) {
                Event event = inbox.pollFirst();
                if (event == null) {
                    break;
                }
                if (gone || failure != null) {
                    refuse(event);
                } else if (!waitsForPromise(event)) {
                    step(event);
                }
            }
        } finally {
            running = false;
        }
        shard.deadline(nextDeadlineNanos());
    }

    /** Before the state machine learns that its promise is durable, and may act on it, no heartbeat may renew an older lease. */
    private boolean waitsForPromise(Event event) {
        if (!(event instanceof Event.Appended(var throughTicket))
                || promiseTicket < 0
                || throughTicket < promiseTicket) {
            return false;
        }
        promiseTicket = -1;
        inbox.addFirst(event);
        promiseUnderWay = true;
        surroundings.promised(shard, volume, promisedEpoch, () -> {
            promiseUnderWay = false;
            drain();
        });
        return true;
    }

    private void step(Event event) {
        learnFrom(event);
        long now = shard.nowNanos();
        try {
            machine.step(event, now, effects::addLast);
            for (Effect effect = effects.pollFirst(); effect != null; effect = effects.pollFirst()) {
                carryOut(effect, now);
            }
        } catch (RuntimeException violation) {
            fail(violation);
        }
    }

    private void carryOut(Effect effect, long nowNanos) {
        switch (effect) {
            case Effect.SendPeer(NodeName node, PeerMessage message) -> {
                meter.sent(node, message, nowNanos);
                surroundings.sendPeer(shard, node, message);
            }
            case Effect.SendClient(long link, ClientMessage.Response message) -> {
                meter.answered(link, message, shard.nowNanos());
                surroundings.sendClient(link, message);
            }
            case Effect.CloseClient(long link, String reason) -> surroundings.closeClient(link, reason);
            case Effect.ReadConfig(long ticket) ->
                surroundings.readConfig(volume, outcome -> answer(new Event.ConfigRead(ticket, outcome)));
            case Effect.SwapConfig(long ticket, VolumeRecord next) ->
                surroundings.swapConfig(
                        next, meter.requestsWaiting() > 0, outcome -> answer(new Event.ConfigSwapped(ticket, outcome)));
            case Effect.StoreEffect store -> {
                noteAppend(store, nowNanos);
                surroundings.store(volume, store);
            }
            case Effect.Notify(var notice) -> {
                VolumeRecord record = known;
                meter.noticed(notice, record == null ? 0 : record.spec().replicas(), nowNanos);
                surroundings.notice(this, notice);
            }
            case Effect.SnapshotAnswered(long call, SnapshotOutcome outcome) ->
                surroundings.snapshotAnswered(call, outcome);
            case Effect.Forget() -> forget();
            case Effect.ReadyToStop() -> surroundings.readyToStop(volume);
        }
    }

    private void answer(Event event) {
        shard.runLater(() -> offer(event));
    }

    private void noteAppend(Effect.StoreEffect effect, long nowNanos) {
        if (!(effect instanceof Effect.Append(long ticket, LogRecord appended))) {
            return;
        }
        shard.appends().appended(volume, ticket, nowNanos);
        if (appended instanceof LogRecord.ReplicaChanged(var record)) {
            incarnation = record.incarnation();
            if (record.promisedEpoch() > promisedEpoch) {
                promisedEpoch = record.promisedEpoch();
                promiseTicket = ticket;
            }
        }
    }

    private void forget() {
        gone = true;
        shard.remove(this);
        surroundings.forgotten(this);
    }

    // ---- what is known of the record
    private void learnFrom(Event event) {
        if (event instanceof Event.Started(var recovered)) {
            learn(recovered.record().record());
        } else if (event instanceof Event.Create(var record, var own)) {
            learn(record);
        } else if (event instanceof Event.ConfigHint(var record)) {
            learn(record);
        } else if (event instanceof Event.ConfigRead(var ticket, ReadOutcome.Found(var record))) {
            learn(record);
        } else if (event instanceof Event.ConfigSwapped(var ticket, SwapOutcome.Won(var record))) {
            learn(record);
        } else if (event instanceof Event.ConfigSwapped(var ticket, SwapOutcome.Lost(var record))) {
            learn(record);
        }
    }

    /** A node that became one of this volume's may have been up for long: its link is announced now. */
    private void learn(@Nullable VolumeRecord record) {
        VolumeRecord before = known;
        if (record == null
                || (before != null
                        && before.config().version() >= record.config().version())) {
            return;
        }
        known = record;
        for (ReplicaPlacement placement : record.placement()) {
            NodeName node = placement.node();
            boolean isNew = before == null || before.replicaOn(node).isEmpty();
            if (!isNew || node.equals(self)) {
                continue;
            }
            switch (shard.peer(node)) {
                case null -> {}
                case Shard.PeerState.Up() -> inbox.addLast(new Event.PeerUp(node));
                case Shard.PeerState.Down(DownReason reason) -> inbox.addLast(new Event.PeerDown(node, reason));
            }
        }
    }

    // ---- the end of a broken one
    private void fail(RuntimeException violation) {
        effects.forEach(OwnedPayloads::release);
        effects.clear();
        failure = String.valueOf(violation.getMessage());
        shard.appends().forget(volume);
        surroundings.failed(this, violation);
        VolumeRecord record = known;
        if (record != null) {
            record.placement().stream()
                    .map(ReplicaPlacement::node)
                    .filter(node -> !node.equals(self))
                    .forEach(this::tellFailure);
        }
        List<Long> left = List.copyOf(clients);
        clients.clear();
        left.forEach(link -> surroundings.sendClient(link, refusal(STOPPED)));
        surroundings.readyToStop(volume);
    }

    private void tellFailure(NodeName node) {
        String reason = "the state machine stopped itself: " + failure;
        surroundings.sendPeer(shard, node, new PeerMessage.MemberFaulted(volume, promisedEpoch, replica, reason));
    }

    private ClientMessage.NotPrimary refusal(String reason) {
        return new ClientMessage.NotPrimary(volume, promisedEpoch, Optional.empty(), reason);
    }

    private void refuse(Event event) {
        OwnedPayloads.release(event);
        if (failure != null && event instanceof Event.FromClient(var link, var agent, var message)) {
            surroundings.sendClient(link, refusal(STOPPED));
        } else if (event instanceof Event.ShutdownRequested) {
            surroundings.readyToStop(volume);
        } else if (event instanceof Event.SnapshotWanted(long call, long _)) {
            surroundings.snapshotAnswered(call, new SnapshotOutcome.NotPrimary(Optional.empty()));
        } else if (event instanceof Event.SnapshotUnwanted(long call, long _)) {
            surroundings.snapshotAnswered(call, new SnapshotOutcome.NotPrimary(Optional.empty()));
        }
    }
}
