package io.gabion.core.volume;

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

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.SnapshotOutcome;
import io.gabion.model.Lsn;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeRecord;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Snapshots in the write path, in an activation, and in a resync. */
class SnapshotTest {
    private static final Lsn AT = new Lsn(4, 3);

    private static SnapshotSet set(long highest, SnapshotPoint... points) {
        return new SnapshotSet(List.of(points), highest);
    }

    @Nested
    class AtThePrimary {
        private final Bench b = new Bench(N1, R1);
        private VolumeRecord reserved = three(2, R1);

        private void active(long snapSequence) {
            b.becomeActive();
            reserve(snapSequence);
        }

        private void reserve(long snapSequence) {
            VolumeRecord known = reserved;
            reserved = known.withConfig(known.config().withSnapSequence(snapSequence, "somebody"));
            b.step(new Event.ConfigHint(reserved));
        }

        private List<SnapshotOutcome> outcomes() {
            return b.all(Effect.SnapshotAnswered.class).stream()
                    .map(Effect.SnapshotAnswered::outcome)
                    .toList();
        }

        private List<Operation> operations() {
            return b.replicated(N2).stream()
                    .map(PeerMessage.Replicate::operation)
                    .toList();
        }

        @Test
        void snapshotIsAnsweredWhenItIsDurableEverywhere() {
            active(1);
            b.step(new Event.SnapshotWanted(77, 1));
            assertThat(b.appended(LogRecord.SnapshotTaken.class))
                    .containsExactly(new LogRecord.SnapshotTaken(new Lsn(2, 1), 1));
            b.acknowledge(1);
            assertThat(outcomes()).isEmpty();
            b.durable();
            assertThat(b.all(Effect.SnapshotAnswered.class))
                    .containsExactly(new Effect.SnapshotAnswered(77, new SnapshotOutcome.Taken(new Lsn(2, 1))));
        }

        @Test
        void snapshotFollowsWritesUnderWayAndHoldsTheNext() {
            active(1);
            SessionId session = b.openSession();
            b.write(session, 1, 0);
            b.step(new Event.SnapshotWanted(77, 1));
            b.write(session, 2, 1);
            assertThat(operations()).hasSize(3);
            assertThat(operations().getLast()).isEqualTo(new Operation.TakeSnapshot(1));
            b.durable();
            b.acknowledge(2);
            assertThat(operations()).hasSize(3);
            assertThat(b.answered(ClientMessage.Done.class)).hasSize(1);
            assertThat(outcomes()).isEmpty();
            b.durable();
            b.acknowledge(3);
            assertThat(operations()).as("the held write").hasSize(4);
            assertThat(outcomes()).containsExactly(new SnapshotOutcome.Taken(new Lsn(2, 3)));
        }

        @Test
        void callThatComesAgainTakesNoSecondSnapshot() {
            active(1);
            b.step(new Event.SnapshotWanted(77, 1));
            b.step(new Event.SnapshotWanted(78, 1));
            assertThat(outcomes()).isEmpty();
            b.durable();
            b.acknowledge(1);
            b.step(new Event.SnapshotWanted(79, 1));
            assertThat(operations()).containsExactly(new Operation.TakeSnapshot(1));
            assertThat(outcomes()).hasSize(3).containsOnly(new SnapshotOutcome.Taken(new Lsn(2, 1)));
        }

        @Test
        void nobodyHearsThatANumberIsGoneBeforeItsDeletionIsEverywhere() {
            active(1);
            b.step(new Event.SnapshotWanted(1, 1));
            b.step(new Event.SnapshotUnwanted(2, 1));
            b.durable();
            b.acknowledge(1);
            b.step(new Event.SnapshotWanted(3, 1));
            assertThat(outcomes()).isEmpty();
            b.acknowledge(2);
            assertThat(b.all(Effect.SnapshotAnswered.class))
                    .containsExactlyInAnyOrder(
                            new Effect.SnapshotAnswered(1, new SnapshotOutcome.NumberUsed()),
                            new Effect.SnapshotAnswered(2, new SnapshotOutcome.Deleted()),
                            new Effect.SnapshotAnswered(3, new SnapshotOutcome.NumberUsed()));
        }

        @Test
        void deletedNumberIsNeverTakenAgain() {
            active(2);
            b.step(new Event.SnapshotWanted(1, 1));
            b.durable();
            b.acknowledge(1);
            b.step(new Event.SnapshotUnwanted(2, 1));
            b.durable();
            b.acknowledge(2);
            b.step(new Event.SnapshotUnwanted(3, 1));
            b.step(new Event.SnapshotWanted(4, 1));
            assertThat(outcomes())
                    .containsExactly(
                            new SnapshotOutcome.Taken(new Lsn(2, 1)),
                            new SnapshotOutcome.Deleted(),
                            new SnapshotOutcome.Deleted(),
                            new SnapshotOutcome.NumberUsed());
            assertThat(b.appended(LogRecord.SnapshotDeleted.class)).hasSize(1);
        }

        @Test
        void deletionOfANumberThatWasNeverTakenKeepsItFromBeingTakenLate() {
            active(2);
            b.step(new Event.SnapshotUnwanted(1, 2));
            b.step(new Event.SnapshotWanted(2, 2));
            assertThat(outcomes()).containsExactly(new SnapshotOutcome.Deleted(), new SnapshotOutcome.NumberUsed());
            assertThat(operations()).isEmpty();
        }

        @Test
        void numberThatNobodyReservedIsRefusedAfterALookAtTheRecord() {
            active(1);
            b.drain(Effect.ReadConfig.class);
            b.step(new Event.SnapshotWanted(77, 2));
            assertThat(outcomes()).isEmpty();
            b.configIs(reserved);
            assertThat(outcomes()).hasSize(1);
            assertThat(outcomes().getFirst()).isInstanceOf(SnapshotOutcome.Refused.class);
            assertThat(operations()).isEmpty();
        }

        @Test
        void reservationThatIsNotKnownYetIsLookedUp() {
            active(1);
            b.drain(Effect.ReadConfig.class);
            b.step(new Event.SnapshotWanted(77, 2));
            b.configIs(reserved.withConfig(reserved.config().withSnapSequence(2, "somebody")));
            assertThat(operations()).containsExactly(new Operation.TakeSnapshot(2));
        }

        @Test
        void numberReservedBeforeTheEpochIsNotTakenInIt() {
            b.snapshots = set(0);
            VolumeRecord old = three(4, R1);
            old = old.withConfig(old.config().withSnapSequence(3, "somebody"));
            b.started(old, false, new Lsn(4, 0), new Lsn(4, 0), List.of());
            b.peersUp();
            b.configIs(old);
            b.swapWins();
            b.durable();
            b.promisedAndEqual(N2, R2, 5);
            b.promisedAndEqual(N3, R3, 5);
            b.step(new Event.SnapshotWanted(77, 3));
            assertThat(outcomes()).containsExactly(new SnapshotOutcome.NumberUsed());
        }

        @Test
        void deletionThatAMemberKnowsIsCarriedOnAfterTheActivation() {
            b.snapshots = set(2, new SnapshotPoint(1, new Lsn(3, 1)), new SnapshotPoint(2, new Lsn(3, 2)));
            b.started(three(4, R1), false, new Lsn(4, 0), new Lsn(4, 0), List.of());
            b.peersUp();
            b.configIs(three(4, R1));
            b.swapWins();
            b.durable();
            b.promisedAndEqual(N2, R2, 5);
            b.from(
                    N3,
                    new PeerMessage.EpochPromised(
                            VOLUME,
                            5,
                            R3,
                            0,
                            new Lsn(4, 1),
                            new Lsn(4, 0),
                            List.of(),
                            1 << 20,
                            set(2, new SnapshotPoint(1, new Lsn(3, 1)))));
            b.from(N3, new PeerMessage.Reconciled(VOLUME, 5, R3));
            // N2 said that it has none and never had: it takes both.
            assertThat(operations()).containsExactly(new Operation.DeleteSnapshot(2));
            b.step(new Event.SnapshotWanted(77, 2));
            assertThat(outcomes()).isEmpty();
            b.durable();
            b.acknowledge(1);
            assertThat(outcomes()).containsExactly(new SnapshotOutcome.NumberUsed());
        }

        @Test
        void membersGetTheSetOfThePrimary() {
            SnapshotSet mine = set(5, new SnapshotPoint(4, AT));
            b.snapshots = mine;
            b.started(three(4, R1), false, new Lsn(4, 9), new Lsn(4, 9), List.of());
            b.peersUp();
            b.configIs(three(4, R1));
            b.swapWins();
            b.durable();
            b.promisedAndEqual(N2, R2, 5);
            assertThat(b.sent(N2, PeerMessage.ReconcileEnd.class).getLast().snapshots())
                    .isEqualTo(mine);
        }

        @Test
        void callerIsSentAwayWhenThePrimaryIsDeposed() {
            active(1);
            b.step(new Event.SnapshotWanted(77, 1));
            b.step(new Event.ConfigHint(record(9, 3, R2, in(R1, 0), in(R2, 0), in(R3, 0))));
            assertThat(outcomes()).hasSize(1);
            assertThat(outcomes().getFirst()).isInstanceOf(SnapshotOutcome.NotPrimary.class);
        }
    }

    @Nested
    class AtAMember {
        private final Bench b = new Bench(N2, R2);

        private void follow(SnapshotSet snapshots) {
            b.snapshots = snapshots;
            b.started(three(4, R1), false, new Lsn(4, 0), new Lsn(3, 9), List.of());
            b.peersUp();
            b.configIs(three(4, R1));
        }

        private void replicate(long seq, Operation operation) {
            b.from(N1, new PeerMessage.Replicate(VOLUME, 4, R1, seq, 0, operation));
        }

        private void activate(SnapshotSet primary) {
            b.from(N3, new PeerMessage.NewEpoch(VOLUME, 5, R3, record(5, 5, R3, in(R3, 0), in(R2, 0)), Lsn.ZERO));
            b.durable();
            b.from(
                    N3,
                    new PeerMessage.ReconcileEnd(
                            VOLUME, 5, R3, new Lsn(4, 0), SessionId.NONE, 1 << 20, List.of(), primary));
            b.durable();
        }

        @Test
        void snapshotOfTheStreamIsPinnedAtItsLsn() {
            follow(SnapshotSet.NONE);
            replicate(1, new Operation.TakeSnapshot(6));
            replicate(2, new Operation.DeleteSnapshot(6));
            assertThat(b.appended(LogRecord.SnapshotTaken.class))
                    .containsExactly(new LogRecord.SnapshotTaken(new Lsn(4, 1), 6));
            assertThat(b.appended(LogRecord.SnapshotDeleted.class))
                    .containsExactly(new LogRecord.SnapshotDeleted(new Lsn(4, 2), 6));
        }

        @Test
        void snapshotThatTheNewPrimaryDoesNotHaveIsUndone() {
            follow(SnapshotSet.NONE);
            replicate(1, new Operation.TakeSnapshot(6));
            activate(SnapshotSet.NONE);
            assertThat(b.appended(LogRecord.SnapshotDeleted.class))
                    .extracting(LogRecord.SnapshotDeleted::number)
                    .containsExactly(6L);
            assertThat(b.sent(N3, PeerMessage.EpochPromised.class).getLast().snapshots())
                    .isEqualTo(set(6, new SnapshotPoint(6, new Lsn(4, 1))));
        }

        @Test
        void snapshotThatOnlyTheNewPrimaryHasIsTakenAtItsLsn() {
            follow(SnapshotSet.NONE);
            activate(set(6, new SnapshotPoint(6, new Lsn(4, 1))));
            assertThat(b.appended(LogRecord.SnapshotTaken.class))
                    .containsExactly(new LogRecord.SnapshotTaken(new Lsn(4, 1), 6));
        }

        @Test
        void deletionIsNotUndone() {
            follow(set(3, new SnapshotPoint(3, new Lsn(3, 1))));
            replicate(1, new Operation.DeleteSnapshot(3));
            activate(set(3, new SnapshotPoint(3, new Lsn(3, 1))));
            assertThat(b.appended(LogRecord.SnapshotTaken.class)).isEmpty();
            assertThat(b.sent(N3, PeerMessage.Reconciled.class)).hasSize(1);
        }
    }

    @Nested
    class WhenItReturns {
        private final Bench b = new Bench(N2, R2);

        private void joins(SnapshotSet mine, Lsn committed, SnapshotSet theirs) {
            b.snapshots = mine;
            b.started(three(4, R1), false, committed, committed, List.of());
            b.peersUp();
            VolumeRecord without = record(5, 5, R1, in(R1, 0), in(R3, 0));
            b.configIs(without);
            b.from(N1, new PeerMessage.JoinStart(VOLUME, 5, R1, without, 8, SessionId.NONE, List.of(), theirs));
            b.durable();
        }

        @Test
        void divergentSnapshotsGoAndMissingOnesAreTakenBeforeAnythingIsCopied() {
            joins(
                    set(3, new SnapshotPoint(1, new Lsn(3, 1)), new SnapshotPoint(3, new Lsn(4, 4))),
                    AT,
                    set(5, new SnapshotPoint(1, new Lsn(3, 1)), new SnapshotPoint(4, new Lsn(5, 2))));
            assertThat(b.appended(LogRecord.SnapshotDeleted.class))
                    .extracting(LogRecord.SnapshotDeleted::number)
                    .containsExactly(3L, 5L);
            assertThat(b.appended(LogRecord.SnapshotTaken.class))
                    .containsExactly(new LogRecord.SnapshotTaken(new Lsn(5, 2), 4));
        }

        @Test
        void snapshotsAreComparedOldestFirstAndTheHeadLast() {
            joins(
                    SnapshotSet.NONE,
                    AT,
                    set(5, new SnapshotPoint(4, new Lsn(5, 2)), new SnapshotPoint(5, new Lsn(5, 3))));
            for (long number : new long[] {4, 5}) {
                Effect.AtSnapshot read = b.only(Effect.AtSnapshot.class);
                assertThat(read.snapshot()).isEqualTo(number);
                assertThat(b.all(Effect.ReadRegionTable.class)).isEmpty();
                b.step(new Event.RegionTableRead(((Effect.ReadRegionTable) read.read()).ticket(), List.of()));
                assertThat(b.sent(N1, PeerMessage.DifferenceQuery.class)
                                .getLast()
                                .snapshot())
                        .isEqualTo(number);
                b.from(N1, new PeerMessage.Differences(VOLUME, 5, R1, false, List.of(), number));
            }
            assertThat(b.all(Effect.ReadRegionTable.class)).hasSize(1);
        }

        @Test
        void snapshotFromTheTimeInSyncIsNotComparedAgain() {
            SnapshotSet known = set(1, new SnapshotPoint(1, new Lsn(3, 1)));
            joins(known, AT, known);
            assertThat(b.all(Effect.AtSnapshot.class)).isEmpty();
            assertThat(b.all(Effect.ReadRegionTable.class)).hasSize(1);
        }

        @Test
        void snapshotThatWasDeletedHereWhileInSyncIsCopiedAlthoughItIsOld() {
            joins(set(1), AT, set(1, new SnapshotPoint(1, new Lsn(3, 1))));
            assertThat(b.only(Effect.AtSnapshot.class).snapshot()).isEqualTo(1);
        }
    }
}
