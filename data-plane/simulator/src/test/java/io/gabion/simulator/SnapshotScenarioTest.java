package io.gabion.simulator;

import static io.gabion.simulator.Simulation.MILLISECOND;
import static io.gabion.simulator.Simulation.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.BlockGeometry;
import io.gabion.model.Lsn;
import io.gabion.simulator.client.SnapshotOperator;
import io.gabion.simulator.cluster.StorageHost;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Snapshots on replicated volumes under load, each kind of trouble with a few seeds. */
class SnapshotScenarioTest {
    /** A snapshot takes a few milliseconds; this finely it is cut into steps. */
    private static final long STEP_NANOS = MILLISECOND / 10;

    private static final int STEPS = 80;
    /** Every so many steps where all of them would take too long; among them one that finds writes that a snapshot did not hold. */
    private static final int FEW = 11;

    /** Of the path to the member that is behind. */
    private static final int SLOWNESS = 30;

    /** Always something under way, on few blocks. */
    private static final Swarm BUSY =
            new Swarm(3, 0, 2, 1024, 60 * SECOND, 2000, 3, 2, 16, List.of(), SECOND, 500_000, 200_000, 4096, false);

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 3);
    }

    private static Simulation started(long seed) {
        Simulation simulation = new Simulation(seed, Swarm.quiet(), null);
        simulation.start();
        simulation.run(3 * SECOND);
        return simulation;
    }

    private static void finish(Simulation simulation, long seed) {
        simulation.settle();
        assertThat(simulation.violations()).as("seed %d", seed).isEmpty();
    }

    private static void takeAndWait(Simulation simulation) {
        simulation.snapshots().take();
        waitForAnswers(simulation);
    }

    private static void waitForAnswers(Simulation simulation) {
        for (int i = 0; i < 200 && simulation.snapshots().pending() > 0; i++) {
            simulation.run(50 * MILLISECOND);
        }
        assertThat(simulation.snapshots().pending()).isZero();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void snapshotsOfAHealthyVolumeAreTheSameEverywhereAndStopNothing(long seed) {
        Simulation simulation = started(seed);
        for (int i = 0; i < 5; i++) {
            long completed = simulation.completed();
            takeAndWait(simulation);
            simulation.run(SECOND);
            assertThat(simulation.completed()).isGreaterThan(completed + 20);
        }
        simulation.snapshots().delete(simulation.snapshots().live().firstKey());
        waitForAnswers(simulation);
        assertThat(simulation.snapshots().live()).hasSize(4);
        finish(simulation, seed);
    }

    /** What is under way when somebody is killed. */
    enum UnderWay {
        SNAPSHOT {
            @Override
            void begin(SnapshotOperator operator) {
                operator.take();
            }
        },
        DELETION {
            @Override
            void begin(SnapshotOperator operator) {
                operator.delete(operator.live().firstKey());
            }
        },
        SNAPSHOT_AND_ITS_DELETION {
            @Override
            void begin(SnapshotOperator operator) {
                operator.take();
                operator.delete(operator.wanted().last());
            }
        };

        abstract void begin(SnapshotOperator operator);
    }

    /** A volume with a snapshot, one of whose members is far behind the other. */
    private static final class Uneven {
        private final Simulation simulation;
        private final StorageHost primary;
        private final StorageHost slow;

        Uneven(int step) {
            simulation = new Simulation(1 + step, BUSY, null);
            simulation.start();
            simulation.run(SECOND);
            takeAndWait(simulation);
            primary = simulation.primary();
            // Now the first candidate, now the last: one of the two that may follow has seen more than the other.
            List<StorageHost> others =
                    simulation.hosts().stream().filter(host -> host != primary).toList();
            slow = step / 2 % 2 == 0 ? others.getFirst() : others.getLast();
            slowDown(SLOWNESS);
            simulation.run(SECOND / 4);
        }

        private void slowDown(int factor) {
            simulation.network().slowDown(primary.name().value(), slow.name().value(), factor);
        }

        void finish(StorageHost victim, String what) {
            // What follows needs no load, and its histories take long to check.
            simulation.stopLoad();
            simulation.run(5 * SECOND);
            victim.start();
            slowDown(1);
            simulation.settle();
            assertThat(simulation.violations()).as(what).isEmpty();
            assertThat(simulation.snapshots().pending()).isZero();
        }
    }

    /** Kills a node so long after something began, for every step of it; tells how often a number was lost. */
    private static int killAtSteps(UnderWay what, int stride, boolean killPrimary, boolean giveUp) {
        int lost = 0;
        for (int step = 1; step < STEPS; step += stride) {
            Uneven uneven = new Uneven(step);
            Simulation simulation = uneven.simulation;
            what.begin(simulation.snapshots());
            simulation.run(step * STEP_NANOS);
            StorageHost victim = killPrimary ? simulation.primary() : simulation.secondary();
            if (giveUp) {
                simulation.snapshots().giveUpAll();
            }
            // A killed process leaves what it sent on its way; a machine without power does not.
            if (step % 2 == 0) {
                victim.kill();
            } else {
                victim.crash();
            }
            uneven.finish(victim, what + " step " + step);
            lost += simulation.snapshots().repeated();
        }
        return lost;
    }

    @ParameterizedTest
    @EnumSource(UnderWay.class)
    void primaryKilledAtAStepLeavesAllReplicasTheSame(UnderWay what) {
        killAtSteps(what, FEW, true, false);
    }

    @ParameterizedTest
    @EnumSource(UnderWay.class)
    void primaryKilledAtAStepLeavesAllReplicasTheSameEvenIfNobodyAsksAgain(UnderWay what) {
        killAtSteps(what, FEW, true, true);
    }

    @Test
    @Tag("long")
    void primaryKilledAtAnyStepOfASnapshotLeavesItOnAllReplicasOrOnNone() {
        int lost = killAtSteps(UnderWay.SNAPSHOT, 1, true, false);
        assertThat(lost).as("steps at which it was on none").isBetween(1, STEPS - 1);
    }

    @ParameterizedTest
    @EnumSource(UnderWay.class)
    @Tag("long")
    void primaryKilledAtAnyStepLeavesAllReplicasTheSame(UnderWay what) {
        killAtSteps(what, 1, true, false);
        killAtSteps(what, 1, true, true);
    }

    @ParameterizedTest
    @EnumSource(UnderWay.class)
    @Tag("long")
    void memberKilledAtAnyStepLeavesAllReplicasTheSame(UnderWay what) {
        killAtSteps(what, 1, false, false);
    }

    /** One primary dies when a member has deleted what the next one still has, and that one before it could follow. */
    private static void killTwoPrimaries(int firstStep, int secondStep) {
        Uneven uneven = new Uneven(firstStep);
        Simulation simulation = uneven.simulation;
        simulation.snapshots().delete(simulation.snapshots().live().firstKey());
        simulation.run(firstStep * STEP_NANOS);
        simulation.snapshots().giveUpAll();
        uneven.primary.crash();
        long epoch = simulation.configuration().current().config().epoch();
        for (int i = 0;
                i < 5000 && simulation.configuration().current().config().epoch() == epoch;
                i++) {
            simulation.run(MILLISECOND);
        }
        StorageHost second = simulation.primary();
        assertThat(second).isNotSameAs(uneven.primary);
        simulation.run(secondStep * STEP_NANOS);
        second.kill();
        simulation.stopLoad();
        uneven.primary.start();
        simulation.run(5 * SECOND);
        uneven.finish(second, "steps " + firstStep + " and " + secondStep);
    }

    @Test
    void deletionSurvivesTwoPrimariesOneAfterTheOther() {
        // Between these the second primary has made the members equal, and has not yet deleted anything itself.
        for (int second = 129; second < 147; second += 2) {
            killTwoPrimaries(4, second);
        }
    }

    @Test
    @Tag("long")
    void deletionSurvivesTwoPrimariesKilledAtAnySteps() {
        for (int first = 4; first < STEPS; first += 4) {
            for (int second = 0; second < 200; second += 4) {
                killTwoPrimaries(first, second + first % 8 / 4);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void numberThatWasGivenUpIsNotTakenByTheNextPrimary(long seed) {
        Simulation simulation = started(seed);
        long number = simulation.snapshots().reserveOnly();
        simulation.snapshots().delete(number);
        waitForAnswers(simulation);
        assertThat(simulation.snapshots().gone()).containsExactly(number);
        StorageHost old = simulation.primary();
        old.kill();
        simulation.run(5 * SECOND);
        simulation.snapshots().takeOnce(number);
        simulation.run(SECOND);
        assertThat(simulation.primary().disk().image().snapshots()).isEmpty();
        old.start();
        finish(simulation, seed);
    }

    @Test
    void snapshotAndDeletionTogetherSurviveTheLossOfAllMachinesAtAnyStep() {
        for (int step = 0; step < STEPS; step += FEW) {
            Simulation simulation = started(1 + step % 4);
            takeAndWait(simulation);
            simulation.snapshots().delete(simulation.snapshots().live().firstKey());
            simulation.snapshots().take();
            simulation.run(step * STEP_NANOS);
            simulation.hosts().forEach(StorageHost::crash);
            simulation.run(2 * SECOND);
            simulation.hosts().forEach(StorageHost::start);
            simulation.settle();
            assertThat(simulation.violations()).as("step %d", step).isEmpty();
            assertThat(simulation.snapshots().live()).hasSize(1);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void replicaAbsentOverThreeSnapshotsAndADeletionReturnsWithTheSameSet(long seed) {
        Simulation simulation = started(seed);
        takeAndWait(simulation);
        takeAndWait(simulation);
        long deleted = simulation.snapshots().live().firstKey();
        StorageHost absent = simulation.secondary();
        absent.kill();
        Lsn had = absent.disk().image().lastLsn();
        for (int i = 0; i < 3; i++) {
            simulation.run(5 * SECOND);
            takeAndWait(simulation);
        }
        simulation.snapshots().delete(deleted);
        waitForAnswers(simulation);
        simulation.run(5 * SECOND);
        simulation.stopLoad();
        simulation.run(2 * SECOND);
        long changed = simulation.primary().disk().image().dataBlocksAfter(had) * BlockGeometry.BLOCK_BYTES;
        long before = simulation.resyncedBytes();
        absent.start();
        simulation.run(20 * SECOND);
        assertThat(simulation.configuration().current().config().inSync()).hasSize(3);
        assertThat(absent.disk().image().snapshots())
                .isEqualTo(simulation.snapshots().live());
        assertThat(simulation.resyncedBytes() - before)
                .as("moved, of %d changed", changed)
                .isBetween(1L, changed * 12 / 10);
        finish(simulation, seed);
    }

    /** They were in sync long after it, but what it sees is gone there: it has to be copied although it is old. */
    @ParameterizedTest
    @MethodSource("seeds")
    void snapshotThatOnlyLostReplicasHadDeletedComesBackWhole(long seed) {
        Simulation simulation = new Simulation(seed, BUSY.withNodes(3, 0, 1), null);
        simulation.start();
        simulation.run(SECOND);
        takeAndWait(simulation);
        simulation.run(SECOND / 4);
        StorageHost primary = simulation.primary();
        StorageHost behind = simulation.secondary();
        simulation.network().slowDown(primary.name().value(), behind.name().value(), 100);
        simulation.snapshots().delete(simulation.snapshots().live().firstKey());
        simulation.run(8 * MILLISECOND);
        simulation.snapshots().giveUpAll();
        List<StorageHost> lost =
                simulation.hosts().stream().filter(host -> host != behind).toList();
        lost.forEach(StorageHost::crash);
        simulation.stopLoad();
        assertThat(lost).allMatch(host -> host.disk().image().snapshots().isEmpty());
        simulation.run(40 * SECOND);
        assertThat(simulation.primary()).isSameAs(behind);
        lost.forEach(StorageHost::start);
        simulation.network().slowDown(primary.name().value(), behind.name().value(), 1);
        finish(simulation, seed);
        assertThat(behind.disk().image().snapshots()).hasSize(1);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void snapshotsTakenWhileAReplicaIsCopiedAreTheSameOnIt(long seed) {
        Simulation simulation = started(seed);
        takeAndWait(simulation);
        StorageHost replica = simulation.secondary();
        replica.crash();
        replica.replaceDisk();
        simulation.run(6 * SECOND);
        takeAndWait(simulation);
        replica.disk().slowDown(40);
        replica.start();
        for (int i = 0; i < 30; i++) {
            simulation.run(100 * MILLISECOND);
            simulation.snapshots().take();
        }
        replica.disk().slowDown(1);
        simulation.run(30 * SECOND);
        assertThat(simulation.configuration().current().config().inSync()).hasSize(3);
        assertThat(simulation.snapshots().live()).hasSize(32);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void sourceKilledWhileSnapshotsAreCopiedIsReplaced(long seed) {
        Simulation simulation = started(seed);
        StorageHost replica = simulation.secondary();
        replica.crash();
        replica.replaceDisk();
        simulation.run(6 * SECOND);
        takeAndWait(simulation);
        simulation.run(2 * SECOND);
        takeAndWait(simulation);
        replica.start();
        simulation.run(120 * MILLISECOND);
        StorageHost primary = simulation.primary();
        primary.kill();
        simulation.run(5 * SECOND);
        primary.start();
        simulation.run(20 * SECOND);
        finish(simulation, seed);
    }
}
