package io.gabion.simulator;

import static io.gabion.simulator.Simulation.MILLISECOND;
import static io.gabion.simulator.Simulation.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.BlockGeometry;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.simulator.cluster.StorageHost;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clones of a snapshot: how they begin, whatever happens meanwhile, and what their replicas do not have to copy. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CloneScenarioTest {
    /** A clone begins within a tenth of a second; this finely it is cut into steps. */
    private static final long STEP_NANOS = MILLISECOND / 2;

    private static final int STEPS = 240;
    /** Every so many steps where all of them would take too long. */
    private static final int FEW = 17;

    private static final String ABSENT = "n3";

    /** Four nodes with a volume that was written to, before and after a snapshot; it rests. */
    private final Simulation parent = rested();

    private final CloneSource source =
            CloneSource.of(parent, parent.snapshots().live().firstKey());

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 3);
    }

    private static Simulation rested() {
        Simulation simulation = new Simulation(77, Swarm.quiet().withNodes(4, 0, 2), null);
        simulation.start();
        simulation.run(10 * SECOND);
        simulation.snapshots().take();
        simulation.run(5 * SECOND);
        simulation.settle();
        assertThat(simulation.violations()).isEmpty();
        return simulation;
    }

    private Simulation cloned(long seed, Swarm swarm, CloneSource from) {
        Simulation clone = Simulation.ofClone(seed, swarm, parent, from);
        clone.start();
        return clone;
    }

    private static void finish(Simulation clone, Object what) {
        clone.settle();
        assertThat(clone.violations()).as("%s", what).isEmpty();
    }

    private long inheritedBytes() {
        return source.content().dataBlocksAfter(Lsn.ZERO) * BlockGeometry.BLOCK_BYTES;
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void cloneHoldsWhatTheSnapshotHoldsAndNothingIsCopied(long seed) {
        Simulation clone = cloned(seed, Swarm.quiet(), source);
        clone.run(10 * SECOND);
        assertThat(clone.completed()).isGreaterThan(100);
        finish(clone, seed);
        assertThat(clone.resyncedBytes()).isZero();
        assertThat(clone.configuration().current().config().inSync()).hasSize(3);
    }

    /** Also of a clone: nothing below depends on what a volume began with. */
    @ParameterizedTest
    @MethodSource("seeds")
    void cloneHasSnapshotsOfItsOwn(long seed) {
        Simulation clone = cloned(seed, Swarm.quiet().withSnapshots(true), source);
        clone.run(20 * SECOND);
        assertThat(clone.snapshots().taken()).isPositive();
        finish(clone, seed);
    }

    private void killAtSteps(int stride, boolean machine) {
        for (int step = 0; step < STEPS; step += stride) {
            Simulation clone = cloned(1 + step % 4, Swarm.quiet(), source);
            clone.run(step * STEP_NANOS);
            StorageHost victim = step / stride % 3 == 0 ? clone.secondary() : clone.primary();
            if (machine) {
                victim.crash();
            } else {
                victim.kill();
            }
            clone.run(step % 5 * SECOND);
            victim.start();
            clone.run(2 * SECOND);
            finish(clone, "step " + step);
        }
    }

    @Test
    void nodeKilledWhileACloneBeginsChangesNothing() {
        killAtSteps(FEW, false);
        killAtSteps(FEW, true);
    }

    @Test
    @Tag("long")
    void nodeKilledAtAnyStepOfACloneChangesNothing() {
        killAtSteps(1, false);
        killAtSteps(1, true);
    }

    @Test
    void allMachinesLostWhileACloneBeginsChangesNothing() {
        for (int step = 0; step < STEPS; step += FEW) {
            Simulation clone = cloned(1 + step % 4, Swarm.quiet(), source);
            clone.run(step * STEP_NANOS);
            clone.hosts().forEach(StorageHost::crash);
            clone.run(SECOND);
            clone.hosts().forEach(StorageHost::start);
            clone.run(40 * SECOND);
            finish(clone, "step " + step);
        }
    }

    /** It is listed as a founder although it cannot be one: the snapshot was never there. */
    @ParameterizedTest
    @MethodSource("seeds")
    void founderWithoutTheSnapshotGetsACopy(long seed) {
        for (String lacking : List.of("n1", "n2")) {
            Simulation clone = cloned(seed, Swarm.quiet(), source.withoutReplicaOn(lacking, true));
            clone.run(30 * SECOND);
            assertThat(clone.configuration().current().config().inSync()).hasSize(3);
            assertThat(clone.resyncedBytes()).isGreaterThanOrEqualTo(inheritedBytes() / 2);
            finish(clone, lacking);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void nodeWithoutTheParentGetsACopyOfAllThatIsInherited(long seed) {
        Simulation clone = cloned(seed, Swarm.quiet(), source.withoutReplicaOn(ABSENT, false));
        clone.stopLoad();
        clone.run(20 * SECOND);
        assertThat(clone.configuration().current().config().inSync()).hasSize(3);
        // A few requests were under way when the load stopped.
        assertThat(clone.resyncedBytes()).isBetween(inheritedBytes(), inheritedBytes() * 11 / 10);
        finish(clone, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void replicaOfACloneThatWasAwayCopiesOnlyWhatWasWritten(long seed) {
        Simulation clone = cloned(seed, Swarm.quiet(), source);
        clone.run(3 * SECOND);
        StorageHost away = clone.secondary();
        away.kill();
        Lsn had = away.disk().image().lastLsn();
        clone.run(2 * SECOND);
        copiesOnlyWhatIsAfter(clone, had, away::start);
        assertThat(away.disk().record().orElseThrow().status()).isEqualTo(ReplicaStatus.IN_SYNC);
        finish(clone, seed);
    }

    /** The parent's replica is on its disk: what the clone inherits is there before anything is copied. */
    @ParameterizedTest
    @MethodSource("seeds")
    void replicaThatMovesToANodeWithTheParentCopiesOnlyWhatWasWritten(long seed) {
        Simulation clone = cloned(seed, Swarm.quiet().withNodes(3, 1, 2), source);
        clone.run(4 * SECOND);
        Lsn inherited = source.origin().at();
        copiesOnlyWhatIsAfter(clone, inherited, () -> {
            new ReplicaMover(clone, new Dice(seed)).move();
            clone.run(30 * SECOND);
        });
        assertThat(clone.configuration().current().replicaOn(new NodeName("n4")))
                .isPresent();
        finish(clone, seed);
    }

    private static void copiesOnlyWhatIsAfter(Simulation clone, Lsn point, Runnable comeBack) {
        clone.stopLoad();
        clone.run(3 * SECOND);
        long changed = clone.primary().disk().image().dataBlocksAfter(point) * BlockGeometry.BLOCK_BYTES;
        long before = clone.resyncedBytes();
        comeBack.run();
        clone.run(15 * SECOND);
        assertThat(clone.resyncedBytes() - before)
                .as("moved, of %d changed", changed)
                .isBetween(1L, changed * 12 / 10);
    }
}
