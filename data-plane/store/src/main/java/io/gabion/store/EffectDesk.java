package io.gabion.store;

import io.gabion.core.message.RegionState;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeOrigin;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.log.BatchBuilder;
import io.gabion.store.log.StoredRecord;
import io.gabion.store.metadata.MetadataStore;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;

/** Takes the effects of replicas to the parts of the disk that carry them out. Belongs to the owner loop. */
final class EffectDesk {
    private static final String CLOSED = "the disk is closed";

    private final Executor loop;
    private final Executor helpers;
    private final DiskIndex index;
    private final StoreEvents events;
    private final Fault fault;
    private final AppendPath appends;
    private final ReadPath reads;
    private final VersionScans scans;
    private final Verification verification;
    /** No new verification begins. */
    private boolean closing;
    /** Nothing of the index may be touched any more. */
    private boolean closed;

    EffectDesk(Engine engine, AppendPath appends, ReadPath reads, VersionScans scans, Verification verification) {
        this.loop = engine.loop();
        this.helpers = engine.helpers();
        this.index = engine.index();
        this.events = engine.notifier().events();
        this.fault = engine.notifier().fault();
        this.appends = appends;
        this.reads = reads;
        this.scans = scans;
        this.verification = verification;
    }

    void closing() {
        closing = true;
    }

    void closed() {
        closing = true;
        closed = true;
    }

    boolean isClosing() {
        return closing;
    }

    boolean isClosed() {
        return closed;
    }

    void execute(VolumeId volume, Effect.StoreEffect effect) {
        if (closed) {
            refuse(volume, effect instanceof Effect.AtSnapshot past ? past.read() : effect, CLOSED);
        } else {
            carryOut(volume, ReplicaExtents.HEAD, effect);
        }
    }

    void executeAt(VolumeId volume, long snapshot, Effect.StoreEffect effect) {
        if (effect instanceof Effect.Append
                || effect instanceof Effect.Clone
                || effect instanceof Effect.AtSnapshot
                || effect instanceof Effect.ReadChanges) {
            throw new IllegalArgumentException("of a snapshot only content and versions can be read, not " + effect);
        }
        Optional<Lsn> at = index.find(volume).map(r -> r.ancestry().snapshots().get(snapshot));
        String missing = "volume " + volume + " has no snapshot " + snapshot + " here";
        if (closed) {
            refuse(volume, effect, CLOSED);
        } else if (at.isPresent() && effect instanceof Effect.ReadRegionTable read) {
            find(volume, read.ticket()).ifPresent(replica -> scans.regions(replica, at.get(), read.ticket(), events));
        } else if (at.isPresent()) {
            carryOut(volume, at.get(), effect);
        } else if (effect instanceof Effect.Verify verify) {
            VerifyResult result = VerifyResult.failed(verify.id(), verify.lsn(), 0, missing);
            loop.execute(() -> events.verified(volume, result));
        } else {
            refuse(volume, effect, missing);
        }
    }

    /** Makes a record durable that brings no data. */
    void append(long ticket, VolumeId volume, BatchBuilder.Item item) {
        if (closed) {
            reads.answer(volume, new Event.StoreFaulted(CLOSED));
        } else {
            appends.append(volume, ticket, item);
        }
    }

    private void carryOut(VolumeId volume, Lsn at, Effect.StoreEffect effect) {
        switch (effect) {
            case Effect.Append append ->
                appends.append(volume, append.ticket(), new BatchBuilder.Item.Change(volume, append.record()));
            case Effect.Read read ->
                find(volume, read.ticket())
                        .ifPresent(r -> guarded(volume, read.ticket(), () -> reads.read(volume, r, at, read)));
            case Effect.ReadBlocks read ->
                find(volume, read.ticket())
                        .ifPresent(r -> guarded(volume, read.ticket(), () -> reads.readBlocks(volume, r, at, read)));
            case Effect.ReadVersions read ->
                find(volume, read.ticket())
                        .ifPresent(r -> guarded(volume, read.ticket(), () -> reads.readVersions(volume, r, at, read)));
            case Effect.ReadExtents read ->
                find(volume, read.ticket())
                        .ifPresent(r -> guarded(volume, read.ticket(), () -> reads.readExtents(volume, r, at, read)));
            case Effect.Clone clone -> appends.afterQueued(() -> clone(volume, clone));
            case Effect.AtSnapshot past -> executeAt(volume, past.snapshot(), past.read());
            case Effect.ReadRegionTable read -> appends.afterQueued(() -> regionTable(volume, read));
            case Effect.ReadChanges read -> readChanges(volume, read);
            case Effect.Verify verify -> appends.afterQueued(() -> verify(volume, at, verify));
        }
    }

    private void refuse(VolumeId volume, Effect.StoreEffect effect, String reason) {
        Event answer =
                switch (effect) {
                    case Effect.Append append -> {
                        AppendPath.release(append.record());
                        yield new Event.StoreFaulted(reason);
                    }
                    case Effect.Clone _ -> new Event.StoreFaulted(reason);
                    case Effect.Read read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.ReadBlocks read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.ReadVersions read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.ReadExtents read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.ReadRegionTable read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.AtSnapshot _ -> throw new IllegalArgumentException("not resolved: " + effect);
                    case Effect.ReadChanges read -> new Event.ReadFailed(read.ticket(), reason);
                    case Effect.Verify _ -> new Event.StoreFaulted(reason);
                };
        reads.answer(volume, answer);
    }

    private Optional<ReplicaState> find(VolumeId volume, long ticket) {
        Optional<ReplicaState> replica = index.find(volume);
        if (replica.isEmpty()) {
            reads.answer(volume, new Event.ReadFailed(ticket, "volume " + volume + " has no replica on this disk"));
        }
        return replica;
    }

    private void guarded(VolumeId volume, long ticket, Runnable action) {
        try {
            action.run();
        } catch (UncheckedIOException | IllegalStateException e) {
            reads.answer(volume, new Event.ReadFailed(ticket, String.valueOf(e.getMessage())));
            fault.index(e);
        }
    }

    private void clone(VolumeId volume, Effect.Clone clone) {
        if (index.find(volume).isEmpty() && isSource(clone.origin())) {
            StoredRecord.Cloned record = new StoredRecord.Cloned(
                    volume,
                    clone.record(),
                    clone.origin().volume(),
                    clone.origin().at());
            appends.append(volume, AppendPath.NO_TICKET, new BatchBuilder.Item.Ready(record));
        }
        appends.afterQueued(() -> reads.answer(
                volume,
                new Event.Cloned(
                        clone.ticket(),
                        index.find(volume)
                                .map(found -> found.record()
                                        .replica()
                                        .equals(clone.record().replica()))
                                .orElse(false))));
    }

    /** True when what the snapshot holds here is what it holds on every member. */
    private boolean isSource(VolumeOrigin origin) {
        Optional<ReplicaState> parent = index.find(origin.volume());
        if (parent.isEmpty() || !parent.get().intact()) {
            return false;
        }
        boolean wasInSync =
                switch (parent.get().record().status()) {
                    case IN_SYNC, OUTDATED -> true;
                    case EMPTY, CATCHING_UP, FAULTED -> false;
                };
        return wasInSync
                && origin.at().equals(parent.get().ancestry().snapshots().get(origin.snapshot()));
    }

    private void regionTable(VolumeId volume, Effect.ReadRegionTable read) {
        find(volume, read.ticket()).ifPresent(replica -> {
            if (replica.extents().parent().isPresent()) {
                scans.regions(replica, ReplicaExtents.HEAD, read.ticket(), events);
            } else {
                List<RegionState> states = replica.extents().regions().states();
                reads.answer(volume, new Event.RegionTableRead(read.ticket(), states));
            }
        });
    }

    private void verify(VolumeId volume, Lsn at, Effect.Verify verify) {
        Optional<ReplicaState> replica = index.find(volume);
        if (replica.isPresent() && !closing) {
            verification.start(volume, replica.get(), at, verify);
        } else {
            String reason = closing ? "the disk is being closed" : "the volume has no replica on this disk";
            VerifyResult result = VerifyResult.failed(verify.id(), verify.lsn(), 0, reason);
            loop.execute(() -> events.verified(volume, result));
        }
    }

    private void readChanges(VolumeId volume, Effect.ReadChanges read) {
        find(volume, read.ticket()).ifPresent(replica -> {
            if (replica.changeFloor().isAfter(read.after())) {
                reads.answer(volume, new Event.ChangesRead(read.ticket(), Optional.empty()));
                return;
            }
            int number = replica.extents().number();
            MetadataStore.MetadataView view = index.metadata().view();
            helpers.execute(() -> {
                Runnable answer;
                try (view;
                        MetadataStore.MetadataCursor cursor = view.cursor()) {
                    Event event = new Event.ChangesRead(
                            read.ticket(), Optional.of(ChangeLog.rangesAfter(cursor, number, read.after())));
                    answer = () -> events.accept(volume, event);
                } catch (RuntimeException e) {
                    answer = () -> {
                        events.accept(volume, new Event.ReadFailed(read.ticket(), String.valueOf(e.getMessage())));
                        fault.index(e);
                    };
                }
                loop.execute(answer);
            });
        });
    }
}
