package io.gabion.store;

import io.gabion.core.port.Event;
import io.gabion.model.Lsn;
import io.gabion.store.extent.Pins;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.metadata.MetadataStore;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;

/** Runs scans over a fixed view of the index beside the owner loop, on which it is called and answers. */
final class VersionScans {
    private final Executor loop;
    private final Executor helpers;
    private final MetadataStore metadata;
    private final Fault fault;

    VersionScans(Engine engine) {
        this.loop = engine.loop();
        this.helpers = engine.helpers();
        this.metadata = engine.index().metadata();
        this.fault = engine.notifier().fault();
    }

    CompletionStage<ChangedBlocks> changed(ReplicaState replica, Lsn after, Lsn upTo, long fromBlock) {
        return run(replica, scan -> scan.changed(after, upTo, fromBlock));
    }

    /**
     * Answers with the region table as of {@code at}, inherited blocks included: a pass over the volume's part of the index, for
     * which only resyncs ask.
     */
    void regions(ReplicaState replica, Lsn at, long ticket, StoreEvents events) {
        List<ReplicaExtents.Layer> layers = replica.extents().layers(at);
        run(cursor -> VersionScan.regions(cursor, layers)).whenComplete((regions, failure) -> {
            Event answer = failure == null
                    ? new Event.RegionTableRead(ticket, regions)
                    : new Event.ReadFailed(ticket, String.valueOf(failure.getMessage()));
            events.accept(replica.record().volume(), answer);
        });
    }

    CompletionStage<SortedMap<Long, SnapshotUsage>> usage(ReplicaState replica) {
        Map<Long, Lsn> snapshots = new TreeMap<>(replica.ancestry().snapshots());
        Pins pins = replica.extents().pins();
        return run(replica, scan -> scan.usage(snapshots, pins));
    }

    private <T> CompletionStage<T> run(ReplicaState replica, Function<VersionScan, T> action) {
        int number = replica.extents().number();
        return run(cursor -> action.apply(new VersionScan(cursor, number)));
    }

    private <T> CompletionStage<T> run(Function<MetadataStore.MetadataCursor, T> action) {
        CompletableFuture<T> result = new CompletableFuture<>();
        MetadataStore.MetadataView view = metadata.view();
        helpers.execute(() -> {
            Runnable answer;
            try (view;
                    MetadataStore.MetadataCursor cursor = view.cursor()) {
                T answered = action.apply(cursor);
                answer = () -> result.complete(answered);
            } catch (RuntimeException e) {
                answer = () -> {
                    result.completeExceptionally(e);
                    fault.index(e);
                };
            }
            loop.execute(answer);
        });
        return result;
    }
}
