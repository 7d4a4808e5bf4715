package io.gabion.core.volume;

import static io.gabion.core.volume.Bench.AGENT;
import static io.gabion.core.volume.Bench.LINK;
import static io.gabion.core.volume.Bench.N2;
import static io.gabion.core.volume.Bench.N3;
import static io.gabion.core.volume.Bench.R1;
import static io.gabion.core.volume.Bench.R2;
import static io.gabion.core.volume.Bench.R3;
import static io.gabion.core.volume.Bench.VOLUME;
import static io.gabion.core.volume.Bench.in;
import static io.gabion.core.volume.Bench.record;
import static io.gabion.core.volume.Bench.three;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.message.TailEntry;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.port.LogRecord;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeRecord;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PrimaryTest {
    private final Bench b = new Bench(Bench.N1, R1);

    @Test
    void nothingIsAnsweredBeforeAllInSyncReplicasAreDurable() {
        b.becomeActive();
        SessionId session = b.openSession();
        b.write(session, 1, 0);
        assertThat(b.replicated(N2).getLast().seq()).isEqualTo(2);
        b.durable();
        b.from(N2, new PeerMessage.Durable(VOLUME, 2, R2, 2, Long.MAX_VALUE / 4));
        assertThat(b.answered(ClientMessage.Done.class)).isEmpty();
        b.from(N3, new PeerMessage.Durable(VOLUME, 2, R3, 2, Long.MAX_VALUE / 4));
        assertThat(b.answered(ClientMessage.Done.class)).hasSize(1);
    }

    @Test
    void nothingIsAnsweredBeforeTheOwnCopyIsDurable() {
        b.becomeActive();
        SessionId session = b.openSession();
        b.write(session, 1, 0);
        b.acknowledge(2);
        assertThat(b.answered(ClientMessage.Done.class)).isEmpty();
        b.durable();
        assertThat(b.answered(ClientMessage.Done.class)).hasSize(1);
    }

    @Test
    void payloadIsOwnedOncePerReceiverAndReleasedAfterTheLastAcknowledgement() {
        b.becomeActive();
        SessionId session = b.openSession();
        b.write(session, 1, 0);
        HeapPayload payload = b.payloads.getFirst();
        assertThat(payload.references()).as("window, own log, two members").isEqualTo(4);
        b.durable();
        b.acknowledge(2);
        assertThat(payload.references()).as("own log and two members").isEqualTo(3);
    }

    @Test
    void epochIsPromisedDurablyBeforeAnybodyIsAsked() {
        b.step(new Event.Create(three(1, R1), R1));
        b.peersUp();
        assertThat(b.sent(N2, PeerMessage.NewEpoch.class)).isEmpty();
        b.durable();
        assertThat(b.sent(N2, PeerMessage.NewEpoch.class)).hasSize(1);
    }

    @Test
    void restartedPrimaryTakesANewEpoch() {
        b.started(three(4, R1), false, new Lsn(4, 9), new Lsn(4, 7), List.of());
        b.peersUp();
        assertThat(b.all(Effect.SwapConfig.class)).isEmpty();
        b.configIs(three(4, R1));
        VolumeRecord next = b.only(Effect.SwapConfig.class).next();
        assertThat(next.config().epoch()).isEqualTo(5);
        assertThat(next.config().inSync()).isEqualTo(three(4, R1).config().inSync());
        assertThat(b.sent(N2, PeerMessage.NewEpoch.class)).isEmpty();
    }

    @Test
    void lowerSessionIsServedNoMoreFromTheMomentAHigherOneIsAcceptedAndFencedWhenThatIsCommitted() {
        b.becomeActive();
        SessionId first = b.openSession();
        b.step(new Event.FromClient(LINK + 1, AGENT, new ClientMessage.Open(VOLUME, 1, new UUID(9, 2), 0, 0)));
        b.write(first, 1, 0);
        assertThat(b.payloads.getFirst().references()).isZero();
        assertThat(b.answered(ClientMessage.SessionFenced.class))
                .as("the newer session may never be committed")
                .isEmpty();
        assertThat(b.answered(ClientMessage.Opened.class))
                .as("only the first so far")
                .hasSize(1);
        b.durable();
        b.acknowledge(2);
        assertThat(b.answered(ClientMessage.SessionFenced.class)).hasSize(1);
        b.write(first, 2, 0);
        assertThat(b.answered(ClientMessage.SessionFenced.class)).hasSize(2);
    }

    @Test
    void replacedInstanceCannotComeBack() {
        b.becomeActive();
        SessionId first = b.openSession();
        b.step(new Event.FromClient(LINK + 1, AGENT, new ClientMessage.Open(VOLUME, 1, new UUID(9, 2), 0, 0)));
        b.durable();
        b.acknowledge(2);
        b.drain(Effect.SendClient.class);
        b.step(new Event.FromClient(
                LINK + 2, AGENT, new ClientMessage.Open(VOLUME, 1, Bench.INSTANCE, first.connection(), 2)));
        assertThat(b.answered(ClientMessage.SessionFenced.class)).hasSize(1);
    }

    @Test
    void sessionThatIsNotCommittedFencesNobodyForGood() {
        b.becomeActive();
        SessionId first = b.openSession();
        b.step(new Event.FromClient(LINK + 1, AGENT, new ClientMessage.Open(VOLUME, 1, new UUID(9, 2), 0, 0)));
        b.drain(Effect.SendClient.class);
        b.step(new Event.FromClient(
                LINK + 2, AGENT, new ClientMessage.Open(VOLUME, 1, Bench.INSTANCE, first.connection(), 2)));
        assertThat(b.answered(ClientMessage.SessionFenced.class)).isEmpty();
        assertThat(b.answered(ClientMessage.NotPrimary.class)).hasSize(1);
    }

    @Test
    void requestThatWasAppliedIsAnsweredNotAppliedAgain() {
        b.becomeActive();
        SessionId session = b.openSession();
        b.write(session, 1, 0);
        b.durable();
        b.acknowledge(2);
        b.write(session, 1, 0);
        assertThat(b.answered(ClientMessage.Done.class)).hasSize(2);
        assertThat(b.replicated(N2)).as("one open, one write").hasSize(2);
        assertThat(b.payloads.get(1).references()).isZero();
    }

    @Test
    void memberWhoseProcessIsGoneIsDroppedAndPendingWritesAreAnsweredInTheNewEpoch() {
        b.becomeActive();
        SessionId session = b.openSession();
        b.write(session, 1, 0);
        b.durable();
        b.from(N2, new PeerMessage.Durable(VOLUME, 2, R2, 2, Long.MAX_VALUE / 4));
        b.step(new Event.PeerDown(N3, DownReason.GONE));
        assertThat(b.answered(ClientMessage.Done.class)).isEmpty();
        assertThat(b.swapWins().config().inSync()).containsExactly(in(R1, 0), in(R2, 0));
        b.durable();
        assertThat(b.answered(ClientMessage.Done.class)).isEmpty();
        b.promisedAndEqual(N2, R2, 3);
        assertThat(b.answered(ClientMessage.Done.class))
                .extracting(ClientMessage.Done::epoch)
                .containsExactly(3L);
    }

    @Test
    void swapOfUnknownOutcomeIsReadAndTriedAgainUnchanged() {
        b.becomeActive();
        b.step(new Event.PeerDown(N3, DownReason.GONE));
        Effect.SwapConfig first = b.only(Effect.SwapConfig.class);
        b.step(new Event.ConfigSwapped(first.ticket(), new Event.SwapOutcome.Unknown("timed out")));
        Effect.ReadConfig read = b.only(Effect.ReadConfig.class);
        b.step(new Event.ConfigRead(
                read.ticket(), new Event.ReadOutcome.Found(record(2, 2, R1, in(R1, 0), in(R2, 0), in(R3, 0)))));
        b.now += 2_000_000_000L;
        b.step(new Event.Tick());
        Effect.SwapConfig second = b.only(Effect.SwapConfig.class);
        assertThat(second.next()).isEqualTo(first.next());
        b.step(new Event.ConfigSwapped(second.ticket(), new Event.SwapOutcome.Lost(first.next())));
        b.durable();
        assertThat(b.replica.view().promisedEpoch()).isEqualTo(3);
    }

    @Test
    void divergentTailOfAMemberIsOverwrittenWithThePrimarysBlocks() {
        ByteRange mine = ByteRange.ofBlocks(3, 1);
        ByteRange theirs = ByteRange.ofBlocks(8, 2);
        b.started(
                three(4, R1),
                false,
                new Lsn(4, 9),
                new Lsn(4, 8),
                List.of(new TailEntry(new Lsn(4, 9), mine, new RequestId(1, 1))));
        b.peersUp();
        b.configIs(three(4, R1));
        b.swapWins();
        b.durable();
        b.from(
                N2,
                new PeerMessage.EpochPromised(
                        VOLUME,
                        5,
                        R2,
                        0,
                        new Lsn(4, 10),
                        new Lsn(4, 7),
                        List.of(
                                new TailEntry(new Lsn(4, 8), ByteRange.ofBlocks(0, 1), RequestId.NONE),
                                new TailEntry(new Lsn(4, 10), theirs, RequestId.NONE)),
                        1 << 20,
                        SnapshotSet.NONE));
        assertThat(b.all(Effect.ReadBlocks.class))
                .extracting(Effect.ReadBlocks::range)
                .containsExactly(mine, theirs);
        assertThat(b.sent(N2, PeerMessage.ReconcileEnd.class)).isEmpty();
        for (Effect.ReadBlocks read : b.drain(Effect.ReadBlocks.class)) {
            b.step(new Event.BlocksRead(read.ticket(), List.of()));
        }
        assertThat(b.sent(N2, PeerMessage.Reconcile.class)).hasSize(2);
        assertThat(b.sent(N2, PeerMessage.ReconcileEnd.class)).hasSize(1);
        assertThat(b.sent(N2, PeerMessage.ReconcileEnd.class).getFirst().requests())
                .containsExactly(new RequestId(1, 1));
    }

    @Test
    void joinerAcknowledgesFromTheEndOfItsCopyOn() {
        b.becomeActive();
        b.step(new Event.PeerDown(N3, DownReason.GONE));
        b.swapWins();
        b.durable();
        b.promisedAndEqual(N2, R2, 3);
        b.durable();
        b.step(new Event.PeerUp(N3));
        b.from(N3, new PeerMessage.JoinRequest(VOLUME, 2, R3, 0, Lsn.ZERO, Lsn.ZERO));
        assertThat(b.sent(N3, PeerMessage.JoinStart.class)).hasSize(1);
        SessionId session = b.openSession();
        b.from(N3, new PeerMessage.CopyComplete(VOLUME, 3, R3));
        b.write(session, 1, 0);
        long seq = b.replicated(N3).getLast().seq();
        assertThat(b.replicated(N3).getLast().operation()).isInstanceOf(Operation.Write.class);
        b.durable();
        b.drain(Effect.SendClient.class);
        b.from(N2, new PeerMessage.Durable(VOLUME, 3, R2, seq, Long.MAX_VALUE / 4));
        assertThat(b.answered(ClientMessage.Done.class)).isEmpty();
        b.from(N3, new PeerMessage.Durable(VOLUME, 3, R3, seq, Long.MAX_VALUE / 4));
        assertThat(b.answered(ClientMessage.Done.class)).hasSize(1);
    }

    @Test
    void readWaitsForTheCommitOfWhatItOverlaps() {
        b.becomeActive();
        SessionId session = b.openSession();
        b.write(session, 1, 4);
        b.durable();
        read(session, 2, 4);
        read(session, 3, 9);
        assertThat(b.all(Effect.Read.class)).hasSize(1);
        b.acknowledge(2);
        assertThat(b.all(Effect.Read.class)).hasSize(2);
    }

    @Test
    void readThatAnEpochChangeOvertakesIsAnsweredWithoutFurtherWrites() {
        b.becomeActive();
        SessionId session = b.openSession();
        b.write(session, 1, 0);
        b.durable();
        b.acknowledge(2);
        read(session, 2, 4);
        Effect.Read overtaken = b.only(Effect.Read.class);
        b.step(new Event.PeerDown(N3, DownReason.GONE));
        b.swapWins();
        b.step(new Event.ReadCompleted(overtaken.ticket(), HeapPayload.of(new byte[BlockGeometry.BLOCK_BYTES])));
        b.durable();
        b.promisedAndEqual(N2, R2, 3);
        Effect.Read again = b.only(Effect.Read.class);
        b.step(new Event.ReadCompleted(again.ticket(), HeapPayload.of(new byte[BlockGeometry.BLOCK_BYTES])));
        assertThat(b.answered(ClientMessage.ReadDone.class)).hasSize(1);
    }

    @Test
    void readWithoutLeaseIsConfirmedByTheRecord() {
        b.becomeActive();
        SessionId session = b.openSession();
        b.leaseUntil = 0;
        read(session, 2, 4);
        Effect.Read read = b.only(Effect.Read.class);
        b.step(new Event.ReadCompleted(read.ticket(), HeapPayload.of(new byte[BlockGeometry.BLOCK_BYTES])));
        assertThat(b.answered(ClientMessage.ReadDone.class)).isEmpty();
        Effect.ReadConfig proof = b.drain(Effect.ReadConfig.class).getLast();
        b.step(new Event.ConfigRead(proof.ticket(), new Event.ReadOutcome.Found(three(2, R1))));
        assertThat(b.answered(ClientMessage.ReadDone.class)).hasSize(1);
    }

    @Test
    void badBlockIsServedFromAnotherInSyncCopy() {
        b.becomeActive();
        SessionId session = b.openSession();
        read(session, 2, 4);
        b.step(new Event.ReadFailed(b.only(Effect.Read.class).ticket(), "checksum"));
        PeerMessage.FetchBlocks fetch =
                b.sent(N2, PeerMessage.FetchBlocks.class).getFirst();
        b.from(N2, new PeerMessage.Blocks(VOLUME, 2, R2, fetch.fetch(), List.of()));
        assertThat(b.answered(ClientMessage.ReadDone.class)).hasSize(1);
    }

    @Test
    void higherPromiseOfAnotherPrimaryDeposes() {
        b.becomeActive();
        SessionId session = b.openSession();
        b.write(session, 1, 0);
        VolumeRecord next = record(3, 3, R2, in(R2, 0), in(R1, 0));
        b.from(N2, new PeerMessage.NewEpoch(VOLUME, 3, R2, next, Lsn.ZERO));
        assertThat(b.answered(ClientMessage.NotPrimary.class)).hasSize(1);
        assertThat(b.sent(N2, PeerMessage.EpochPromised.class)).isEmpty();
        b.durable();
        assertThat(b.sent(N2, PeerMessage.EpochPromised.class).getFirst().tail())
                .extracting(TailEntry::lsn)
                .containsExactly(new Lsn(2, 2));
        assertThat(b.appended(LogRecord.ReplicaChanged.class).getLast().record().promisedEpoch())
                .isEqualTo(3);
    }

    private void read(SessionId session, long number, long block) {
        b.step(new Event.FromClient(
                LINK,
                AGENT,
                new ClientMessage.Read(VOLUME, session, new RequestId(1, number), 1, ByteRange.ofBlocks(block, 1))));
    }
}
