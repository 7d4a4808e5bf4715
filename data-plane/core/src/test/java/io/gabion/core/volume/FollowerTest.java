package io.gabion.core.volume;

import static io.gabion.core.volume.Bench.AGENT;
import static io.gabion.core.volume.Bench.N1;
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

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.Event.DownReason;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.SessionId;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class FollowerTest {
    private final Bench b = new Bench(N2, R2);

    private void follow() {
        b.started(three(4, R1), false, new Lsn(4, 0), new Lsn(3, 9), List.of());
        b.peersUp();
        b.configIs(three(4, R1));
    }

    private static PeerMessage.Replicate write(long epoch, long seq, HeapPayload payload) {
        return new PeerMessage.Replicate(
                VOLUME,
                epoch,
                R1,
                seq,
                seq - 1,
                new Operation.Write(ByteRange.ofBlocks(seq, 1), new RequestId(1, seq), payload));
    }

    private static HeapPayload block() {
        return HeapPayload.of(new byte[BlockGeometry.BLOCK_BYTES]);
    }

    @Test
    void staleEpochWriteIsRefusedAfterAPromise() {
        follow();
        b.from(N3, new PeerMessage.NewEpoch(VOLUME, 5, R3, record(5, 5, R3, in(R3, 0), in(R2, 0)), Lsn.ZERO));
        HeapPayload payload = block();
        b.from(N1, write(4, 1, payload));
        assertThat(b.sent(N1, PeerMessage.EpochRefused.class)).hasSize(1);
        assertThat(b.appended(LogRecord.Written.class)).isEmpty();
        assertThat(payload.references()).isZero();
    }

    @Test
    void promiseIsPersistedBeforeItIsSent() {
        follow();
        b.from(N3, new PeerMessage.NewEpoch(VOLUME, 5, R3, record(5, 5, R3, in(R3, 0), in(R2, 0)), Lsn.ZERO));
        assertThat(b.sent(N3, PeerMessage.EpochPromised.class)).isEmpty();
        b.durable();
        assertThat(b.sent(N3, PeerMessage.EpochPromised.class)).hasSize(1);
    }

    @Test
    void durableIsSaidOnlyOfWhatIsDurable() {
        follow();
        b.from(N1, write(4, 1, block()));
        b.from(N1, write(4, 2, block()));
        assertThat(b.sent(N1, PeerMessage.Durable.class)).isEmpty();
        b.durable();
        assertThat(b.sent(N1, PeerMessage.Durable.class))
                .extracting(PeerMessage.Durable::seq)
                .containsExactly(2L);
    }

    @Test
    void gapAsksForTheRest() {
        follow();
        b.from(N1, write(4, 1, block()));
        b.drain(Effect.SendPeer.class);
        HeapPayload payload = block();
        b.from(N1, write(4, 3, payload));
        assertThat(b.sent(N1, PeerMessage.Resume.class))
                .extracting(PeerMessage.Resume::appliedSeq)
                .containsExactly(1L);
        assertThat(payload.references()).isZero();
    }

    @Test
    void lowerSessionIsRefusedHereTooButOnlyThePrimaryFencesIt() {
        follow();
        SessionId high = new SessionId(1, 7, new UUID(9, 9));
        b.from(N1, new PeerMessage.Replicate(VOLUME, 4, R1, 1, 0, new Operation.OpenSession(high, AGENT)));
        SessionId low = new SessionId(1, 6, new UUID(9, 8));
        b.step(new Event.FromClient(
                1, AGENT, new ClientMessage.Read(VOLUME, low, new RequestId(1, 1), 1, ByteRange.ofBlocks(0, 1))));
        assertThat(b.answered(ClientMessage.NotPrimary.class)).hasSize(1);
        assertThat(b.answered(ClientMessage.SessionFenced.class)).isEmpty();
    }

    @Test
    void promotesAtOnceWhenThePrimarysProcessIsGone() {
        follow();
        b.step(new Event.PeerDown(N1, DownReason.GONE));
        Effect.SwapConfig swap = b.only(Effect.SwapConfig.class);
        assertThat(swap.next().config().primary()).isEqualTo(R2);
        assertThat(swap.next().config().inSync()).containsExactly(in(R2, 0), in(R3, 0));
    }

    @Test
    void waitsForTheGraceTimeWhenOnlyTheConnectionWasLost() {
        follow();
        b.step(new Event.PeerDown(N1, DownReason.RESET));
        b.step(new Event.Tick());
        assertThat(b.all(Effect.SwapConfig.class)).isEmpty();
        b.now = b.replica.nextDeadlineNanos();
        b.step(new Event.Tick());
        assertThat(b.all(Effect.SwapConfig.class)).hasSize(1);
        assertThat(b.now).isGreaterThanOrEqualTo(ReplicaSettings.standard().graceNanos());
    }

    @Test
    void unconfirmedReplicaNeverPromotes() {
        b.started(three(4, R1), false, new Lsn(4, 0), new Lsn(3, 9), List.of());
        b.step(new Event.PeerDown(N1, DownReason.GONE));
        b.now += 60_000_000_000L;
        b.step(new Event.Tick());
        assertThat(b.all(Effect.SwapConfig.class)).isEmpty();
    }

    @Test
    void uncleanReplicaIsNoMemberUnderItsNewIncarnation() {
        b.started(three(4, R1), true, new Lsn(4, 3), new Lsn(4, 2), List.of());
        b.peersUp();
        assertThat(b.appended(LogRecord.ReplicaChanged.class)
                        .getFirst()
                        .record()
                        .incarnation())
                .isEqualTo(1);
        b.configIs(three(4, R1));
        b.step(new Event.Tick());
        assertThat(b.sent(N1, PeerMessage.StateReport.class)).isNotEmpty();
        assertThat(b.sent(N1, PeerMessage.JoinRequest.class)).isNotEmpty();
        assertThat(b.sent(N1, PeerMessage.Resume.class)).isEmpty();
    }

    @Test
    void emptyReplicaOfALaterRecordIsNeverInSync() {
        b.step(new Event.Create(three(2, R1), R2));
        b.peersUp();
        LogRecord.ReplicaChanged first =
                b.appended(LogRecord.ReplicaChanged.class).getFirst();
        assertThat(first.record().status()).isEqualTo(ReplicaStatus.EMPTY);
        assertThat(three(2, R1).config().isInSync(R2, first.record().incarnation()))
                .isFalse();
    }

    @Test
    void sessionThatNeverCountedIsUndoneByTheActivation() {
        follow();
        SessionId extra = new SessionId(1, 7, new UUID(9, 9));
        b.from(N1, new PeerMessage.Replicate(VOLUME, 4, R1, 1, 0, new Operation.OpenSession(extra, AGENT)));
        b.from(N3, new PeerMessage.NewEpoch(VOLUME, 5, R3, record(5, 5, R3, in(R3, 0), in(R2, 0)), Lsn.ZERO));
        b.durable();
        b.from(
                N3,
                new PeerMessage.ReconcileEnd(
                        VOLUME, 5, R3, new Lsn(4, 0), SessionId.NONE, 1 << 20, List.of(), SnapshotSet.NONE));
        b.durable();
        assertThat(b.sent(N3, PeerMessage.Reconciled.class)).hasSize(1);
        assertThat(b.appended(LogRecord.ReplicaChanged.class).getLast().record().session())
                .isEqualTo(SessionId.NONE);
    }

    @Test
    void storeFaultIsSaidAndNothingIsServedAfterwards() {
        follow();
        b.step(new Event.StoreFaulted("sync failed"));
        assertThat(b.sent(N1, PeerMessage.MemberFaulted.class)).hasSize(1);
        HeapPayload payload = block();
        b.from(N1, write(4, 1, payload));
        assertThat(payload.references()).isZero();
        assertThat(b.appended(LogRecord.Written.class)).isEmpty();
    }

    @Test
    void requestUndoneByHalfAnActivationDoesNotPassForApplied() {
        follow();
        b.from(N1, write(4, 1, block()));
        b.from(N1, write(4, 2, block()));
        b.from(N3, new PeerMessage.NewEpoch(VOLUME, 5, R3, record(5, 5, R3, in(R3, 0), in(R2, 0)), Lsn.ZERO));
        b.durable();
        // Block 2 as it was before request 2; the rest of the activation never comes.
        b.from(
                N3,
                new PeerMessage.Reconcile(VOLUME, 5, R3, List.of(new BlockRun(2, 1, new Lsn(3, 3), Optional.empty()))));
        List<LogRecord> order =
                b.all(Effect.Append.class).stream().map(Effect.Append::record).toList();
        LogRecord.ReplicaChanged said = (LogRecord.ReplicaChanged) order.get(order.size() - 2);
        assertThat(order.getLast()).isInstanceOf(LogRecord.Copied.class);
        assertThat(said.record().requests()).containsExactly(new RequestId(1, 1));
        assertThat(said.record().position()).isEqualTo(new Lsn(5, 0));
    }
}
