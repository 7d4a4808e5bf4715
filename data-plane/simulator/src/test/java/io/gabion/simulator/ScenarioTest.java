package io.gabion.simulator;

import static io.gabion.simulator.Simulation.MILLISECOND;
import static io.gabion.simulator.Simulation.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.port.Event;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.simulator.client.ClientOperation.Kind;
import io.gabion.simulator.client.SimulatedClient;
import io.gabion.simulator.cluster.StorageHost;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One kind of fault each, under load, with a few seeds for the order of everything else. */
class ScenarioTest {
    static LongStream seeds() {
        return LongStream.rangeClosed(1, 5);
    }

    private static Simulation started(long seed, Swarm swarm) {
        Simulation simulation = new Simulation(seed, swarm, null);
        simulation.start();
        simulation.run(5 * SECOND);
        return simulation;
    }

    private static Simulation started(long seed) {
        return started(seed, Swarm.quiet());
    }

    /** Ends the run and expects that nothing is wrong. */
    private static void finish(Simulation simulation, long seed) {
        simulation.settle();
        assertThat(simulation.violations()).as("seed %d", seed).isEmpty();
    }

    /** Longest time without an answer while virtual time passes. */
    private static long longestPauseMillis(Simulation simulation, long nanos) {
        long longest = 0;
        long pause = 0;
        long completed = simulation.completed();
        for (long passed = 0; passed < nanos; passed += 50 * MILLISECOND) {
            simulation.run(50 * MILLISECOND);
            pause = simulation.completed() == completed ? pause + 50 : 0;
            completed = simulation.completed();
            longest = Math.max(longest, pause);
        }
        return longest;
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void healthyWritesAreAcknowledgedByAll(long seed) {
        Simulation simulation = started(seed);
        simulation.run(20 * SECOND);
        assertThat(simulation.completed()).isGreaterThan(500);
        // The first activation may take an epoch of its own; nothing else changes.
        assertThat(simulation.configuration().changes()).isLessThanOrEqualTo(1);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void killedPrimaryIsReplacedWithinTwoSeconds(long seed) {
        Simulation simulation = started(seed);
        StorageHost old = simulation.primary();
        old.kill();
        assertThat(longestPauseMillis(simulation, 10 * SECOND)).isLessThanOrEqualTo(2000);
        assertThat(simulation.primary()).isNotSameAs(old);
        old.start();
        simulation.run(20 * SECOND);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void requestsThatAnEpochChangeOvertakesNeedNoLaterOnesToBeAnswered(long seed) {
        Simulation simulation = started(seed);
        long epoch = simulation.configuration().current().config().epoch();
        simulation.primary().disk().slowDown(50);
        simulation.secondary().kill();
        while (simulation.configuration().current().config().epoch() == epoch) {
            simulation.client().issue(Kind.READ, ByteRange.ofBlocks(1, 1));
            simulation.run(2 * MILLISECOND);
        }
        simulation.stopLoad();
        simulation.run(20 * SECOND);
        assertThat(simulation.client().outstandingCount())
                .as("seed %d: %s", seed, simulation.client().stuck())
                .isZero();
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void killedReplicaIsDroppedAndResynced(long seed) {
        Simulation simulation = started(seed);
        StorageHost replica = simulation.secondary();
        replica.kill();
        assertThat(longestPauseMillis(simulation, 10 * SECOND)).isLessThanOrEqualTo(2000);
        assertThat(simulation.configuration().current().config().inSync()).hasSize(2);
        replica.start();
        simulation.run(30 * SECOND);
        assertThat(simulation.configuration().current().config().inSync()).hasSize(3);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void outageOfTheConfigurationStoreIsNotNoticedByAHealthySet(long seed) {
        Simulation simulation = started(seed);
        simulation.configuration().setDown(true);
        assertThat(longestPauseMillis(simulation, 60 * SECOND)).isLessThanOrEqualTo(2000);
        simulation.secondary().kill();
        simulation.run(10 * SECOND);
        simulation.configuration().setDown(false);
        simulation.run(10 * SECOND);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void pausedPrimaryIsReplacedAndRefusedWhenItResumes(long seed) {
        Simulation simulation = started(seed);
        StorageHost old = simulation.primary();
        old.pause();
        simulation.run(20 * SECOND);
        assertThat(simulation.primary()).isNotSameAs(old);
        old.resume();
        simulation.run(20 * SECOND);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void allProcessesKilledTogetherComeBack(long seed) {
        Simulation simulation = started(seed);
        simulation.hosts().forEach(StorageHost::kill);
        simulation.run(2 * SECOND);
        simulation.hosts().forEach(StorageHost::start);
        simulation.run(15 * SECOND);
        long completed = simulation.completed();
        simulation.run(5 * SECOND);
        assertThat(simulation.completed()).isGreaterThan(completed);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void allMachinesPowerCycledAreBackWithinAMinute(long seed) {
        Simulation simulation = started(seed);
        simulation.hosts().forEach(StorageHost::crash);
        simulation.run(3 * SECOND);
        simulation.hosts().forEach(StorageHost::start);
        simulation.run(60 * SECOND);
        long completed = simulation.completed();
        simulation.run(5 * SECOND);
        assertThat(simulation.completed()).isGreaterThan(completed);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void onePowerCycledMachineAloneGoesOnAfterTheWait(long seed) {
        Simulation simulation = started(seed, Swarm.quiet().withNodes(2, 0, 1));
        simulation.hosts().forEach(StorageHost::crash);
        simulation.run(SECOND);
        simulation.hosts().getLast().start();
        simulation.run(60 * SECOND);
        long completed = simulation.completed();
        simulation.run(5 * SECOND);
        assertThat(simulation.completed()).isGreaterThan(completed);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void secondClientOfTheSameGenerationFencesTheFirst(long seed) {
        Simulation simulation = started(seed);
        SimulatedClient first = simulation.client();
        simulation.startClient();
        simulation.run(10 * SECOND);
        assertThat(simulation.client().isOpen()).isTrue();
        assertThat(first.isOpen()).isFalse();
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void volumeMovedToAnotherMachineServesOnlyThat(long seed) {
        Simulation simulation = started(seed);
        simulation.moveClient(true);
        simulation.run(10 * SECOND);
        assertThat(simulation.client().isOpen()).isTrue();
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void linkCutBothWaysLeavesOneWinner(long seed) {
        Simulation simulation = started(seed, Swarm.quiet().withNodes(2, 0, 1));
        simulation.network().cut("n1", "n2");
        simulation.network().cut("n2", "n1");
        simulation.run(20 * SECOND);
        assertThat(simulation.configuration().current().config().inSync()).hasSize(1);
        long completed = simulation.completed();
        simulation.run(10 * SECOND);
        assertThat(simulation.completed()).isGreaterThan(completed);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void linkCutOneWayLeavesOneWinner(long seed) {
        Simulation simulation = started(seed, Swarm.quiet().withNodes(2, 0, 1));
        simulation.network().cut("n2", "n1");
        simulation.run(20 * SECOND);
        long completed = simulation.completed();
        simulation.run(10 * SECOND);
        assertThat(simulation.completed()).isGreaterThan(completed);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void emptyReplicaJoinsWhileWritesGoOn(long seed) {
        Simulation simulation = started(seed);
        StorageHost replica = simulation.secondary();
        replica.crash();
        replica.replaceDisk();
        simulation.run(10 * SECOND);
        replica.start();
        simulation.run(30 * SECOND);
        assertThat(simulation.configuration().current().config().inSync()).hasSize(3);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void handoverMovesThePrimaryWithoutDroppingAnybody(long seed) {
        Simulation simulation = started(seed);
        NodeName target = simulation.secondary().name();
        ReplicaId replica =
                simulation.configuration().current().replicaOn(target).orElseThrow();
        simulation.primary().request(new Event.HandoverRequested(replica));
        assertThat(longestPauseMillis(simulation, 5 * SECOND)).isLessThanOrEqualTo(1000);
        assertThat(simulation.primary().name()).isEqualTo(target);
        assertThat(simulation.configuration().current().config().inSync()).hasSize(3);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void rottenBlockIsReadFromAnotherCopy(long seed) {
        Simulation simulation = started(seed);
        StorageHost primary = simulation.primary();
        simulation.hotBlocks().forEach(block -> primary.disk().rot(block));
        simulation.run(10 * SECOND);
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void rottenBlockIsRepairedOnceItWasRead(long seed) {
        Simulation simulation = started(seed);
        simulation.stopLoad();
        simulation.run(SECOND);
        StorageHost primary = simulation.primary();
        long rotten = simulation.hotBlocks().stream()
                .filter(block -> primary.disk().rot(block))
                .count();
        assertThat(rotten).isPositive();
        for (long block : simulation.hotBlocks()) {
            simulation.client().issue(Kind.READ, ByteRange.ofBlocks(block, 1));
            simulation.run(100 * MILLISECOND);
        }
        assertThat(simulation.hotBlocks()).noneMatch(block -> primary.disk().isRotten(block));
        finish(simulation, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void replicaMovesToAnotherNodeUnderLoad(long seed) {
        Simulation simulation = started(seed, Swarm.quiet().withNodes(3, 1, 2));
        new ReplicaMover(simulation, new Dice(seed)).move();
        simulation.run(60 * SECOND);
        assertThat(simulation.configuration().current().replicaOn(new NodeName("n4")))
                .isPresent();
        finish(simulation, seed);
    }
}
