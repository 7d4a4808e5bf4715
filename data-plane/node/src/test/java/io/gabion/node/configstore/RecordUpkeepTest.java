package io.gabion.node.configstore;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.node.Records;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RecordUpkeepTest {
    private static final NodeName N1 = new NodeName("n1");
    private static final NodeName N2 = new NodeName("n2");
    private static final long MIB = 1 << 20;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final FakeStore store = new FakeStore();
    private final FakeReplicas replicas = new FakeReplicas();
    private final RecordUpkeep upkeep = new RecordUpkeep(store, N1, timer, replicas);

    @AfterEach
    void stop() {
        timer.shutdownNow();
    }

    private void until(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!onTimer(condition)) {
            assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
        }
    }

    private boolean onTimer(BooleanSupplier condition) throws InterruptedException {
        CountDownLatch asked = new CountDownLatch(1);
        boolean[] answer = new boolean[1];
        timer.execute(() -> {
            answer[0] = condition.getAsBoolean();
            asked.countDown();
        });
        asked.await();
        return answer[0];
    }

    @Test
    void volumePlacedHereIsCreatedFromAQuorumRead() throws Exception {
        VolumeRecord stale = Records.volume(MIB, N1, N2);
        VolumeRecord current = stale.withSpec(stale.spec().withSizeBytes(2 * MIB), "test/2");
        store.put(current);
        upkeep.changed(stale);
        until(() -> !replicas.created.isEmpty());
        assertThat(replicas.created).containsExactly(current);
    }

    @Test
    void unavailableStoreIsAskedAgain() throws Exception {
        VolumeRecord record = Records.volume(MIB, N1);
        store.put(record);
        store.refuseReads = 3;
        upkeep.changed(record);
        until(() -> replicas.created.contains(record));
    }

    @Test
    void hostedVolumeGetsAHint() {
        VolumeRecord record = Records.volume(MIB, N1);
        replicas.hosted.add(record.id());
        upkeep.changed(record);
        assertThat(replicas.hints).containsExactly(record);
        assertThat(store.reads).isZero();
    }

    @Test
    void volumeOfOtherNodesIsNoConcern() {
        upkeep.changed(Records.volume(MIB, N2));
        assertThat(store.reads).isZero();
    }

    @Test
    void vanishedRecordDeletesAndCreatesNothing() throws Exception {
        VolumeRecord record = Records.volume(MIB, N1);
        upkeep.changed(record);
        until(() -> store.reads == 1);
        until(() -> replicas.created.isEmpty());
    }

    @Test
    void deletedReplicaLeavesTheRecordWhichIsRemovedWithTheLast() throws Exception {
        VolumeRecord record = Records.volume(MIB, N1, N2).withDeleting("test/2");
        store.put(record);
        store.answers.add(new SwapOutcome.Unknown("lost answer"));
        upkeep.forgotten(record.id());
        until(() -> store.swaps >= 2);
        VolumeRecord left = store.records.get(record.id());
        assertThat(left).isNotNull();
        assertThat(left.placement()).extracting(ReplicaPlacement::node).containsExactly(N2);
        store.put(left.withPlacement(List.of(), List.of(), "n2/1"));
        upkeep.settle(record.id());
        until(() -> !store.records.containsKey(record.id()));
    }

    @Test
    void recordLeftBehindByADeadNodeIsRemoved() throws Exception {
        VolumeRecord record =
                Records.volume(MIB, N2).withDeleting("test/2").withPlacement(List.of(), List.of(), "n2/1");
        store.put(record);
        upkeep.leftovers(List.of(record));
        until(() -> !store.records.containsKey(record.id()));
    }

    @Test
    void tombstoneOfADeletedReplicaIsTakenOut() throws Exception {
        VolumeRecord record = Records.volume(MIB, N2);
        ReplicaPlacement gone = new ReplicaPlacement(new ReplicaId(new java.util.UUID(1, 1)), N1);
        VolumeRecord withTombstone = record.withPlacement(record.placement(), List.of(gone), "test/2");
        store.put(withTombstone);
        upkeep.forgotten(record.id());
        until(() -> store.swaps == 1);
        VolumeRecord left = store.records.get(record.id());
        assertThat(left).isNotNull();
        assertThat(left.removed()).isEmpty();
        assertThat(left.placement()).isEqualTo(record.placement());
    }

    @Test
    void newReplicaAfterATombstoneIsCreatedOnceTheOldOneIsGone() throws Exception {
        VolumeRecord record = Records.volume(MIB, N1, N2);
        ReplicaPlacement gone = new ReplicaPlacement(new ReplicaId(new java.util.UUID(1, 1)), N1);
        store.put(record.withPlacement(record.placement(), List.of(gone), "test/2"));
        upkeep.forgotten(record.id());
        until(() -> !replicas.created.isEmpty());
        assertThat(replicas.created.getFirst().removed()).isEmpty();
    }

    @Test
    void replicaToBeRemovedThatLostItsDiskWhileInSyncComesBackEmptyToSaySo() throws Exception {
        VolumeRecord record = Records.volume(MIB, N1, N2);
        ReplicaPlacement leaving = record.placement().getFirst();
        store.put(record.withPlacement(record.placement(), List.of(leaving), "test/2"));
        upkeep.changed(record);
        until(() -> !replicas.created.isEmpty());
        assertThat(store.swaps).isZero();
    }

    private static final class FakeStore implements VolumeConfigurations {
        private final Map<VolumeId, VolumeRecord> records = new HashMap<>();
        private final Deque<SwapOutcome> answers = new ArrayDeque<>();
        private int reads;
        private int swaps;
        private int refuseReads;

        private synchronized void put(VolumeRecord record) {
            records.put(record.id(), record);
        }

        @Override
        public synchronized void read(VolumeId volume, Consumer<ReadOutcome> answer) {
            reads++;
            VolumeRecord record = records.get(volume);
            if (refuseReads-- > 0) {
                answer.accept(new ReadOutcome.Unavailable("test"));
            } else if (record == null) {
                answer.accept(new ReadOutcome.Absent());
            } else {
                answer.accept(new ReadOutcome.Found(record));
            }
        }

        @Override
        public synchronized void swap(VolumeRecord next, boolean urgent, Consumer<SwapOutcome> answer) {
            swaps++;
            SwapOutcome scripted = answers.pollFirst();
            if (scripted != null) {
                answer.accept(scripted);
                return;
            }
            VolumeRecord current = records.get(next.id());
            if (current == null || current.config().version() != next.config().version() - 1) {
                answer.accept(new SwapOutcome.Refused(List.of("test")));
                return;
            }
            records.put(next.id(), next);
            answer.accept(new SwapOutcome.Won(next));
        }

        @Override
        public synchronized void remove(VolumeRecord record, Consumer<Boolean> done) {
            records.remove(record.id());
            done.accept(true);
        }
    }

    private static final class FakeReplicas implements RecordUpkeep.Replicas {
        private final Set<VolumeId> hosted = new HashSet<>();
        private final List<VolumeRecord> hints = new ArrayList<>();
        private final List<VolumeRecord> created = new ArrayList<>();

        @Override
        public boolean isHosted(VolumeId volume) {
            return hosted.contains(volume);
        }

        @Override
        public void hint(VolumeRecord record) {
            hints.add(record);
        }

        @Override
        public void create(VolumeRecord record, ReplicaId replica) {
            hosted.add(record.id());
            created.add(record);
        }
    }
}
