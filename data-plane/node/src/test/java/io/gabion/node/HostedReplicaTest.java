package io.gabion.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.Invariants.InvariantViolation;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RequestId;
import io.gabion.core.port.Effect;
import io.gabion.core.port.EffectSink;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.Notice;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.core.port.SnapshotOutcome;
import io.gabion.core.volume.ReplicaView;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.node.metrics.IoMeters;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class HostedReplicaTest {
    private static final NodeName N1 = new NodeName("n1");
    private static final NodeName N2 = new NodeName("n2");
    private static final NodeName N3 = new NodeName("n3");
    private static final NodeName STRANGER = new NodeName("n9");
    private static final long MIB = 1 << 20;

    private final VolumeRecord record = Records.volume(MIB, N1, N2, N3);
    private final ReplicaId own = record.replicaOn(N1).orElseThrow();
    private final ReplicaId other = record.replicaOn(N2).orElseThrow();
    private final ManualLoop loop = new ManualLoop();
    private final Shard shard = new Shard(0, loop, loop::nowNanos);
    private final FakeMachine machine = new FakeMachine();
    private final FakeSurroundings outside = new FakeSurroundings();
    private final HostedReplica hosted = new HostedReplica(
            record.id(), own, N1, machine, shard, outside, new ReplicaMeter(new IoMeters(new PrometheusRegistry())));

    private HeapPayload block() {
        return HeapPayload.of(new byte[BlockGeometry.BLOCK_BYTES]);
    }

    private PeerMessage replicate(HeapPayload payload, ReplicaId from) {
        Operation.Write write = new Operation.Write(ByteRange.ofBlocks(0, 1), RequestId.NONE, payload);
        return new PeerMessage.Replicate(record.id(), 1, from, 1, 0, write);
    }

    @Test
    void effectsAreCarriedOutInOrderAfterTheStep() {
        machine.reaction = (event, effects) -> {
            effects.emit(new Effect.CloseClient(1, "first"));
            effects.emit(new Effect.SendPeer(N2, new PeerMessage.Reconciled(record.id(), 1, own)));
            effects.emit(new Effect.CloseClient(2, "last"));
            assertThat(outside.log).isEmpty();
        };
        hosted.start(new Event.Create(record, own));
        assertThat(outside.log).containsExactly("close 1", "peer n2 Reconciled", "close 2");
    }

    @Test
    void eventThatComesWhileEffectsAreCarriedOutWaitsForTheEnd() {
        List<String> order = new ArrayList<>();
        machine.reaction = (event, effects) -> {
            order.add(event.getClass().getSimpleName());
            if (event instanceof Event.Create) {
                effects.emit(new Effect.ReadRegionTable(1));
                effects.emit(new Effect.CloseClient(1, "after"));
            }
        };
        outside.onStore = effect -> {
            hosted.offer(new Event.RegionTableRead(1, List.of()));
            order.add("store returned");
        };
        hosted.start(new Event.Create(record, own));
        assertThat(order).containsExactly("Create", "store returned", "RegionTableRead");
        assertThat(outside.log).containsExactly("store ReadRegionTable", "close 1");
    }

    @Test
    void brokenInvariantStopsTheVolumeOnlyAndTellsPeersAndClients() {
        hosted.start(new Event.Create(record, own));
        ClientMessage.Flush flush = new ClientMessage.Flush(record.id(), SessionId.NONE, new RequestId(1, 1), 1);
        hosted.fromClient(7, STRANGER, flush);
        HeapPayload emitted = block();
        HeapPayload received = block();
        machine.reaction = (event, effects) -> {
            effects.emit(new Effect.SendPeer(N3, replicate(emitted, own)));
            throw new InvariantViolation("test rule");
        };
        outside.log.clear();
        hosted.fromPeer(N2, new PeerMessage.Committed(record.id(), 1, other, 1));
        assertThat(outside.log)
                .containsExactly(
                        "failed test rule",
                        "peer n2 MemberFaulted",
                        "peer n3 MemberFaulted",
                        "client 7 NotPrimary",
                        "ready");
        assertThat(emitted.references()).isZero();
        assertThat(hosted.failure()).contains("test rule");
        hosted.fromPeer(N2, replicate(received, other));
        assertThat(received.references()).isZero();
        outside.log.clear();
        hosted.fromClient(8, STRANGER, flush);
        assertThat(outside.log).containsExactly("client 8 NotPrimary");
        outside.log.clear();
        shard.peerUp(N2);
        assertThat(outside.log).containsExactly("peer n2 MemberFaulted");
    }

    @Test
    void whoWantsASnapshotIsAnsweredEvenWhereNothingRunsAnyMore() {
        hosted.offer(new Event.SnapshotWanted(1, 1));
        hosted.start(new Event.Create(record, own));
        machine.reaction = (event, effects) -> {
            if (event instanceof Event.SnapshotWanted(long call, long number)) {
                effects.emit(new Effect.SnapshotAnswered(call, new SnapshotOutcome.Taken(new Lsn(1, number))));
            } else {
                throw new InvariantViolation("test rule");
            }
        };
        hosted.offer(new Event.SnapshotWanted(2, 5));
        assertThat(outside.log).contains("snapshot 1 NotPrimary", "snapshot 2 Taken");
        hosted.offer(new Event.Tick());
        outside.log.clear();
        hosted.offer(new Event.SnapshotUnwanted(3, 5));
        assertThat(outside.log).containsExactly("snapshot 3 NotPrimary");
    }

    @Test
    void messageOfNodeWithoutPlacementIsRefusedAndItsPayloadReleased() {
        hosted.start(new Event.Create(record, own));
        machine.events.clear();
        HeapPayload payload = block();
        hosted.fromPeer(STRANGER, replicate(payload, other));
        HeapPayload second = block();
        hosted.fromPeer(N3, replicate(second, other));
        assertThat(machine.events).isEmpty();
        assertThat(outside.log).containsExactly("refused n9", "refused n3");
        assertThat(payload.references()).isZero();
        assertThat(second.references()).isZero();
    }

    @Test
    void promiseReachesTheHeartbeatsBeforeTheReplicaLearnsThatItIsDurable() {
        outside.holdPromise = true;
        machine.reaction = (event, effects) -> {
            if (event instanceof Event.Create) {
                effects.emit(new Effect.Append(1, new LogRecord.ReplicaChanged(promising(5))));
            }
        };
        hosted.start(new Event.Create(record, own));
        machine.events.clear();
        hosted.offer(new Event.Appended(1));
        hosted.offer(new Event.Tick());
        assertThat(machine.events).isEmpty();
        assertThat(outside.log).endsWith("promised 5");
        outside.releasePromise();
        assertThat(machine.events).containsExactly(new Event.Appended(1), new Event.Tick());
    }

    private ReplicaRecord promising(long epoch) {
        return new ReplicaRecord(
                record.id(),
                own,
                epoch,
                record,
                0,
                ReplicaStatus.EMPTY,
                List.of(),
                Lsn.ZERO,
                SessionId.NONE,
                List.of());
    }

    @Test
    void replicaThatStartsLateLearnsOfTheLinksThatStand() {
        shard.peerUp(N2);
        shard.peerUp(STRANGER);
        shard.peerDown(N3, Event.DownReason.GONE);
        hosted.start(new Event.Create(record, own));
        assertThat(machine.events)
                .containsExactly(
                        new Event.Create(record, own),
                        new Event.PeerUp(N2),
                        new Event.PeerDown(N3, Event.DownReason.GONE));
    }

    @Test
    void linksOfNodesWithoutReplicaAreNoNews() {
        hosted.start(new Event.Create(record, own));
        machine.events.clear();
        shard.peerUp(STRANGER);
        shard.peerDown(STRANGER, Event.DownReason.RESET);
        shard.peerUp(N2);
        assertThat(machine.events).containsExactly(new Event.PeerUp(N2));
    }

    @Test
    void oneTimerServesTheEarliestDeadline() {
        hosted.start(new Event.Create(record, own));
        machine.events.clear();
        machine.deadline = loop.nowNanos() + 5 * MIB;
        machine.reaction = (event, effects) -> machine.deadline = Long.MAX_VALUE;
        hosted.peerUp(STRANGER);
        shard.deadline(machine.deadline);
        assertThat(loop.timers()).isEqualTo(1);
        loop.advance(4 * MIB);
        assertThat(machine.events).isEmpty();
        loop.advance(2 * MIB);
        assertThat(machine.events).containsExactly(new Event.Tick());
        assertThat(loop.timers()).isZero();
    }

    @Test
    void forgottenReplicaTakesNoMoreEvents() {
        hosted.start(new Event.Create(record, own));
        machine.reaction = (event, effects) -> effects.emit(new Effect.Forget());
        hosted.offer(new Event.Tick());
        machine.events.clear();
        HeapPayload payload = block();
        hosted.offer(new Event.ReadCompleted(1, payload));
        assertThat(machine.events).isEmpty();
        assertThat(payload.references()).isZero();
        assertThat(shard.replicas()).isEmpty();
        assertThat(outside.log).contains("forgotten");
    }

    private final class FakeMachine implements ReplicaMachine {
        private final List<Event> events = new ArrayList<>();
        private BiConsumer<Event, EffectSink> reaction = (event, effects) -> {};
        private long deadline = Long.MAX_VALUE;

        @Override
        public void step(Event event, long nowNanos, EffectSink effects) {
            events.add(event);
            reaction.accept(event, effects);
        }

        @Override
        public long nextDeadlineNanos() {
            return deadline;
        }

        @Override
        public ReplicaView view() {
            return new ReplicaView(
                    record.id(),
                    own,
                    Optional.empty(),
                    "empty",
                    "test",
                    0,
                    0,
                    Lsn.ZERO,
                    Lsn.ZERO,
                    Optional.empty(),
                    0,
                    0,
                    0,
                    List.of(),
                    0);
        }
    }

    private static final class FakeSurroundings implements Surroundings {
        private final List<String> log = new ArrayList<>();
        private Consumer<Effect.StoreEffect> onStore = effect -> {};
        private boolean holdPromise;
        private Runnable held = () -> {};

        private void releasePromise() {
            held.run();
        }

        @Override
        public void sendPeer(Shard from, NodeName node, PeerMessage message) {
            log.add("peer " + node + " " + message.getClass().getSimpleName());
            OwnedPayloads.release(message);
        }

        @Override
        public void sendClient(long link, ClientMessage.Response message) {
            log.add("client " + link + " " + message.getClass().getSimpleName());
        }

        @Override
        public void closeClient(long link, String reason) {
            log.add("close " + link);
        }

        @Override
        public void readConfig(VolumeId volume, Consumer<Event.ReadOutcome> answer) {
            log.add("read");
        }

        @Override
        public void swapConfig(VolumeRecord next, boolean urgent, Consumer<Event.SwapOutcome> answer) {
            log.add("swap " + urgent);
        }

        @Override
        public void store(VolumeId volume, Effect.StoreEffect effect) {
            log.add("store " + effect.getClass().getSimpleName());
            onStore.accept(effect);
        }

        @Override
        public void snapshotAnswered(long call, SnapshotOutcome outcome) {
            log.add("snapshot " + call + " " + outcome.getClass().getSimpleName());
        }

        @Override
        public void promised(Shard shard, VolumeId volume, long epoch, Runnable then) {
            log.add("promised " + epoch);
            if (holdPromise) {
                held = then;
            } else {
                then.run();
            }
        }

        @Override
        public void notice(HostedReplica replica, Notice notice) {
            log.add("notice");
        }

        @Override
        public void forgotten(HostedReplica replica) {
            log.add("forgotten");
        }

        @Override
        public void readyToStop(VolumeId volume) {
            log.add("ready");
        }

        @Override
        public void failed(HostedReplica replica, RuntimeException violation) {
            log.add("failed " + violation.getMessage());
        }

        @Override
        public void refusedPeer(HostedReplica replica, NodeName node, PeerMessage message) {
            log.add("refused " + node);
        }
    }
}
