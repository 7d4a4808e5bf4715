package io.gabion.simulator.disk;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.model.ByteRange;
import io.gabion.simulator.Dice;
import io.gabion.simulator.Scheduler;
import io.gabion.simulator.Trace;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The store of one replica, in memory. Records become durable in the order given, batch by batch with a delay; queries are
 * answered either from what is durable when they are asked or at their place in the order of appends, as chance has it (both
 * are allowed; the region table always takes its place).
 */
public final class ReplicaDisk {
    private static final long QUERY_NANOS = 200_000;

    private final String place;
    private final Scheduler scheduler;
    private final Dice dice;
    private final Trace trace;
    private final Settings settings;
    private ReplicaImage image;
    private @Nullable ReplicaImage origin;
    private final ArrayDeque<Item> handedOver = new ArrayDeque<>();
    private final List<Item> syncing = new ArrayList<>();
    private Consumer<Event> answers = _ -> {};
    private DigestListener digests = (_, _) -> {};
    private PayloadLedger ledger = new PayloadLedger();
    private boolean syncUnderWay;
    private boolean faulted;
    private boolean damagedRecord;
    private boolean hung;
    private long slowness = 1;
    /** Answers of an earlier process must not reach the next one. */
    private long opening;

    /**
     * Figures of a disk.
     *
     * @param syncNanos mean time of one sync
     * @param maxChanges entries of the change log
     */
    public record Settings(long syncNanos, int maxChanges) {}

    /** Hears the digests of {@link Effect.Verify}. */
    public interface DigestListener {
        void digested(long id, long digest);
    }

    private sealed interface Item {
        record Addition(long ticket, StoredRecord stored) implements Item {}

        record Query(Effect.StoreEffect effect) implements Item {}

        record Cloning(Effect.Clone wanted) implements Item {}
    }

    public ReplicaDisk(String place, Scheduler scheduler, Dice dice, Trace trace, Settings settings) {
        this.place = place;
        this.scheduler = scheduler;
        this.dice = dice;
        this.trace = trace;
        this.settings = settings;
        image = new ReplicaImage(settings.maxChanges());
    }

    // ---- life
    /** A process opens the disk. Empty when no replica is there yet. */
    public Optional<RecoveredReplica> open(
            boolean unclean, PayloadLedger newLedger, Consumer<Event> newAnswers, DigestListener newDigests) {
        opening++;
        ledger = newLedger;
        answers = newAnswers;
        digests = newDigests;
        faulted = false;
        syncUnderWay = false;
        boolean intact = !damagedRecord;
        damagedRecord = false;
        return image.record().map(_ -> image.recover(unclean, intact));
    }

    /** The process died, its machine lives: what the kernel has been given survives, what still queued inside the process may not. */
    public void processDied() {
        syncing.forEach(this::applyRecord);
        keepPrefix(handedOver.stream().toList());
        close();
    }

    /** The process ended in good order: everything handed over is durable. */
    public void stopped() {
        syncing.forEach(this::applyRecord);
        if (!faulted) {
            handedOver.forEach(this::applyRecord);
        }
        close();
    }

    /** The machine died: everything durable survives and any prefix of the rest. */
    public void hostCrashed() {
        List<Item> rest = new ArrayList<>(syncing);
        rest.addAll(handedOver);
        keepPrefix(rest);
        close();
    }

    private void keepPrefix(List<Item> items) {
        if (faulted || items.isEmpty()) {
            return;
        }
        int kept = dice.below(items.size() + 1);
        items.subList(0, kept).forEach(this::applyRecord);
        trace.line(place, "disk keeps " + kept + " of " + items.size() + " unsynced records");
    }

    private void close() {
        opening++;
        syncing.clear();
        handedOver.clear();
        answers = _ -> {};
        digests = (_, _) -> {};
    }

    /** The disk was replaced by an empty one. Only while no process has it open. */
    public void replaceByEmpty() {
        origin = null;
        image = new ReplicaImage(settings.maxChanges());
    }

    /** A replica of another volume that is kept on the disk too; nothing happens to it any more. */
    public void keepBeside(ReplicaImage other) {
        origin = other;
    }

    // ---- faults
    /** From now until the next opening nothing becomes durable any more; after it the replica counts as damaged. */
    public void fail() {
        if (faulted) {
            return;
        }
        faulted = true;
        damagedRecord = true;
        opening++;
        syncing.clear();
        handedOver.clear();
        answers.accept(new Event.StoreFaulted("injected disk error"));
    }

    public boolean isFaulted() {
        return faulted;
    }

    /** Syncs take this many times as long. */
    public void slowDown(long factor) {
        slowness = factor;
    }

    /** Nothing completes until {@link #resume()}. */
    public void hang() {
        hung = true;
    }

    public void resume() {
        hung = false;
        startSync();
    }

    public boolean isRotten(long block) {
        return image.isDamaged(ByteRange.ofBlocks(block, 1));
    }

    /** Damages one block's stored data; false when it holds none. */
    public boolean rot(long block) {
        return image.damage(block);
    }

    // ---- what others look at
    public ReplicaImage image() {
        return image;
    }

    public Optional<ReplicaRecord> record() {
        return image.record();
    }

    // ---- effects
    public void execute(Effect.StoreEffect effect) {
        switch (effect) {
            case Effect.Append append -> {
                StoredRecord stored = StoredRecord.take(append.record());
                if (!faulted) {
                    enqueue(new Item.Addition(append.ticket(), stored));
                }
            }
            case Effect.Clone clone -> {
                if (!faulted) {
                    enqueue(new Item.Cloning(clone));
                }
            }
            case Effect.ReadRegionTable _, Effect.Verify _ -> {
                if (!faulted) {
                    enqueue(new Item.Query(effect));
                }
            }
            case Effect.AtSnapshot _,
                    Effect.Read _,
                    Effect.ReadExtents _,
                    Effect.ReadBlocks _,
                    Effect.ReadVersions _,
                    Effect.ReadChanges _ -> {
                if (!faulted && dice.chance(0.3)) {
                    enqueue(new Item.Query(effect));
                } else {
                    answer(effect);
                }
            }
        }
    }

    private void enqueue(Item item) {
        handedOver.add(item);
        startSync();
    }

    private void startSync() {
        if (syncUnderWay || hung || handedOver.isEmpty()) {
            return;
        }
        syncUnderWay = true;
        // A moment to gather a batch, then one sync for all of it.
        long current = opening;
        scheduler.after(dice.between(1_000, 50_000), () -> {
            if (current == opening) {
                syncing.addAll(handedOver);
                handedOver.clear();
                scheduler.after(dice.around(settings.syncNanos()) * slowness, () -> finishSync(current));
            }
        });
    }

    private void finishSync(long current) {
        if (current != opening) {
            return;
        }
        if (hung) {
            scheduler.after(10_000_000, () -> finishSync(current));
            return;
        }
        List<Item> batch = List.copyOf(syncing);
        syncing.clear();
        syncUnderWay = false;
        long through = -1;
        for (Item item : batch) {
            applyRecord(item);
            switch (item) {
                case Item.Addition appended -> through = appended.ticket();
                case Item.Query query -> answer(query.effect());
                case Item.Cloning cloning -> answers.accept(cloned(cloning.wanted()));
            }
        }
        startSync();
        if (through >= 0) {
            answers.accept(new Event.Appended(through));
        }
    }

    private void applyRecord(Item item) {
        if (item instanceof Item.Addition appended) {
            image.apply(appended.stored());
            trace.line(place, "durable #" + appended.ticket() + " " + appended.stored());
        } else if (item instanceof Item.Cloning cloning) {
            applyClone(cloning.wanted());
        }
    }

    private void applyClone(Effect.Clone wanted) {
        ReplicaImage from = origin;
        if (from == null || image.record().isPresent() || !from.isGoodFor(wanted.origin())) {
            trace.line(place, "cannot clone " + wanted.origin());
            return;
        }
        trace.line(place, "durable clone of " + wanted.origin());
        image = from.cloneAt(wanted.origin().at(), wanted.record(), settings.maxChanges());
    }

    private Event cloned(Effect.Clone wanted) {
        boolean done = image.record()
                .map(record -> record.replica().equals(wanted.record().replica()))
                .orElse(false);
        return new Event.Cloned(wanted.ticket(), done);
    }

    private void answer(Effect.StoreEffect effect) {
        if (effect instanceof Effect.Verify verify) {
            digests.digested(verify.id(), image.digest());
            return;
        }
        tellDamage(effect);
        long current = opening;
        Answer answer = effect instanceof Effect.AtSnapshot(long snapshot, Effect.StoreEffect read)
                ? image.asOf(snapshot).map(past -> evaluate(read, past)).orElseGet(() -> failed(ticketOf(read)))
                : evaluate(effect, image);
        scheduler.after(dice.around(QUERY_NANOS) * slowness, () -> {
            if (current == opening) {
                answers.accept(answer.event(ledger));
            }
        });
    }

    /** A read that meets bad blocks of the head says which they are. */
    private void tellDamage(Effect.StoreEffect effect) {
        List<BlockVersion> bad =
                switch (effect) {
                    case Effect.Read read -> image.damagedIn(read.range());
                    case Effect.ReadBlocks read -> image.damagedIn(read.range());
                    case Effect.StoreEffect _ -> List.of();
                };
        if (!bad.isEmpty() && !faulted) {
            long current = opening;
            scheduler.after(0, () -> {
                if (current == opening) {
                    answers.accept(new Event.BlocksDamaged(SnapshotPoint.HEAD, bad));
                }
            });
        }
    }

    /** An answer whose payloads come to life only when a process receives it. */
    private interface Answer {
        Event event(PayloadLedger owner);
    }

    private static long ticketOf(Effect.StoreEffect read) {
        return switch (read) {
            case Effect.Read r -> r.ticket();
            case Effect.ReadExtents r -> r.ticket();
            case Effect.ReadBlocks r -> r.ticket();
            case Effect.ReadVersions r -> r.ticket();
            case Effect.ReadRegionTable r -> r.ticket();
            case Effect.ReadChanges r -> r.ticket();
            case Effect.Append _, Effect.Clone _, Effect.Verify _, Effect.AtSnapshot _ ->
                throw new IllegalArgumentException("not a query: " + read);
        };
    }

    /** @param seen what is read: the disk's image, or that of a snapshot */
    private Answer evaluate(Effect.StoreEffect effect, ReplicaImage seen) {
        return switch (effect) {
            case Effect.Read read -> {
                if (faulted || seen.isDamaged(read.range())) {
                    yield failed(read.ticket());
                }
                long[] content = seen.content(read.range());
                yield owner -> new Event.ReadCompleted(read.ticket(), new StampPayload(content, owner));
            }
            case Effect.ReadExtents read -> {
                var extents = seen.extents(read.range());
                yield faulted ? failed(read.ticket()) : _ -> new Event.ExtentsRead(read.ticket(), extents);
            }
            case Effect.ReadBlocks read -> {
                List<RunContent> runs = runs(read, seen);
                if (faulted || runs.stream().anyMatch(run -> seen.isDamaged(run.range()))) {
                    yield failed(read.ticket());
                }
                yield owner -> new Event.BlocksRead(
                        read.ticket(),
                        runs.stream().map(run -> run.toRun(owner)).toList());
            }
            case Effect.ReadVersions read -> {
                var versions = seen.versions(read.range());
                yield faulted ? failed(read.ticket()) : _ -> new Event.VersionsRead(read.ticket(), versions);
            }
            case Effect.ReadRegionTable read -> {
                var table = seen.regionTable();
                yield _ -> new Event.RegionTableRead(read.ticket(), table);
            }
            case Effect.ReadChanges read -> {
                var changes = seen.changesAfter(read.after());
                yield faulted ? failed(read.ticket()) : _ -> new Event.ChangesRead(read.ticket(), changes);
            }
            case Effect.Append _, Effect.Clone _, Effect.Verify _, Effect.AtSnapshot _ ->
                throw new IllegalArgumentException("not a query: " + effect);
        };
    }

    private static Answer failed(long ticket) {
        return _ -> new Event.ReadFailed(ticket, "injected read error");
    }

    /** A run before its payload is made. */
    private static final class RunContent {
        private final ByteRange range;
        private final StoredBlock first;
        private final long[] stamps;

        RunContent(ByteRange range, StoredBlock first, long[] stamps) {
            this.range = range;
            this.first = first;
            this.stamps = stamps;
        }

        ByteRange range() {
            return range;
        }

        BlockRun toRun(PayloadLedger owner) {
            return new BlockRun(
                    range.firstBlock(),
                    range.blockCount(),
                    first.lsn(),
                    first.isHole() ? Optional.empty() : Optional.of(new StampPayload(stamps, owner)));
        }
    }

    private static List<RunContent> runs(Effect.ReadBlocks read, ReplicaImage seen) {
        Map<Long, BlockVersion> known = new HashMap<>();
        read.known().forEach(version -> known.put(version.block(), version));
        List<RunContent> runs = new ArrayList<>();
        long end = read.range().firstBlock() + read.range().blockCount();
        long block = read.range().firstBlock();
        while (block < end) {
            if (!read.all() && isKnown(block, known, seen)) {
                block++;
                continue;
            }
            StoredBlock first = seen.version(block);
            long next = block + 1;
            while (next < end
                    && seen.version(next).lsn().equals(first.lsn())
                    && seen.version(next).isHole() == first.isHole()
                    && (read.all() || !isKnown(next, known, seen))) {
                next++;
            }
            ByteRange range = ByteRange.ofBlocks(block, next - block);
            runs.add(new RunContent(range, first, seen.content(range)));
            block = next;
        }
        return runs;
    }

    private static boolean isKnown(long block, Map<Long, BlockVersion> known, ReplicaImage seen) {
        StoredBlock mine = seen.version(block);
        BlockVersion theirs = known.get(block);
        if (theirs == null || mine.isHole()) {
            return theirs == null && mine.isHole();
        }
        return theirs.lsn().equals(mine.lsn()) && theirs.crc32c() == mine.checksum();
    }
}
