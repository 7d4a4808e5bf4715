package io.gabion.node;

import io.gabion.core.port.Event;
import io.gabion.core.port.SnapshotOutcome;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.node.control.SnapshotOperations;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongFunction;

/** Carries the wishes of people to replicas of this node, and what became of them back. Blocks; any thread but a loop. */
final class NodeSnapshots implements SnapshotOperations {
    /** Longer than a failover of a member takes; callers have deadlines of their own beyond it. */
    private static final long OUTCOME_SECONDS = 8;
    /** A pass over the index of a large volume. */
    private static final long SPACE_SECONDS = 60;

    private static final ReplicaDisk.SnapshotSpace UNKNOWN = new ReplicaDisk.SnapshotSpace(0, 0);

    private final ReplicaRegistry replicas;
    private final ReplicaDisk disk;
    private final SnapshotCalls calls;

    NodeSnapshots(ReplicaRegistry replicas, ReplicaDisk disk, SnapshotCalls calls) {
        this.replicas = replicas;
        this.disk = disk;
        this.calls = calls;
    }

    @Override
    public Optional<SnapshotOutcome> take(VolumeId volume, long number) {
        return ask(volume, call -> new Event.SnapshotWanted(call, number));
    }

    @Override
    public Optional<SnapshotOutcome> delete(VolumeId volume, long number) {
        return ask(volume, call -> new Event.SnapshotUnwanted(call, number));
    }

    private Optional<SnapshotOutcome> ask(VolumeId volume, LongFunction<Event> wish) {
        SnapshotCalls.Call call = calls.begin();
        if (call == null) {
            return Optional.of(new SnapshotOutcome.Refused("too many calls about snapshots wait on this node"));
        }
        try {
            boolean hosted = replicas.to(volume, replica -> replica.offer(wish.apply(call.number())));
            return hosted
                    ? await(call.outcome(), OUTCOME_SECONDS)
                    : Optional.of(new SnapshotOutcome.NotPrimary(Optional.empty()));
        } finally {
            calls.forget(call);
        }
    }

    @Override
    public Optional<List<SnapshotFacts>> snapshots(VolumeId volume, boolean withSpace) {
        SortedMap<Long, ReplicaDisk.SnapshotSpace> space = new TreeMap<>();
        if (withSpace) {
            Optional<SortedMap<Long, ReplicaDisk.SnapshotSpace>> counted =
                    await(disk.snapshotSpace(volume), SPACE_SECONDS);
            if (counted.isEmpty()) {
                return Optional.empty();
            }
            space.putAll(counted.get());
        }
        SortedMap<Long, Lsn> points = disk.snapshots(volume);
        List<SnapshotFacts> facts = new ArrayList<>();
        points.forEach((number, lsn) -> {
            ReplicaDisk.SnapshotSpace one = space.getOrDefault(number, UNKNOWN);
            facts.add(new SnapshotFacts(number, lsn, one.ownBytes(), one.uniqueBytes()));
        });
        return Optional.of(facts);
    }

    @Override
    public void digest(VolumeId volume, long number, long id) {
        disk.digestSnapshot(volume, number, id);
    }

    private static <T> Optional<T> await(CompletableFuture<T> answer, long seconds) {
        try {
            return Optional.of(answer.get(seconds, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } catch (ExecutionException | TimeoutException e) {
            return Optional.empty();
        }
    }
}
