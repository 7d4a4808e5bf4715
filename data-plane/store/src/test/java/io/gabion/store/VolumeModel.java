package io.gabion.store;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.port.LogRecord;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.log.BatchBuilder.Item;
import io.gabion.store.log.StoredRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a volume must hold after any prefix of its records; generates the records too. */
final class VolumeModel {
    static final int BLOCKS = 320;
    static final long SIZE = BLOCKS * 4096L;

    final VolumeId volume;
    private final List<Item> records = new ArrayList<>();
    private final List<byte[]> contents = new ArrayList<>();
    private long epoch = 1;
    private long seq;
    private long snapshot;
    volatile int acknowledged;

    VolumeModel(VolumeId volume) {
        this.volume = volume;
    }

    /** Versions and content that a volume has of its own, as a reader at some LSN sees them. */
    static class View {
        final Lsn[] versions = new Lsn[BLOCKS];
        final Map<Integer, byte[]> content = new HashMap<>();
        /** Blocks that were written, or made holes, since the volume was cloned. */
        final BitSet covered = new BitSet();

        Lsn lsn = Lsn.ZERO;
        /** Of the volume, which may be deleted and created anew while clones of it are left. */
        @Nullable
        VolumeId parent;

        View() {
            Arrays.fill(versions, Lsn.ZERO);
        }

        View copy(Lsn at) {
            View copy = new View();
            System.arraycopy(versions, 0, copy.versions, 0, BLOCKS);
            copy.content.putAll(content);
            copy.covered.or(covered);
            copy.lsn = at;
            copy.parent = parent;
            return copy;
        }

        void put(int block, Lsn version, byte @Nullable [] bytes) {
            versions[block] = version;
            covered.set(block, parent != null);
            if (bytes == null) {
                content.remove(block);
            } else {
                content.put(block, bytes);
            }
        }
    }

    /** State after a prefix. */
    static final class State extends View {
        final TreeMap<Long, View> snapshots = new TreeMap<>();
        /** What clones taken from this volume read. */
        final Map<VolumeId, View> clones = new HashMap<>();
        /** The same of clones taken before the volume was deleted. */
        final Map<VolumeId, View> clonesOfDeleted = new HashMap<>();

        boolean exists;
        Lsn lastLsn = Lsn.ZERO;

        View viewOfClone(VolumeId clone) {
            View view = clones.containsKey(clone) ? clones.get(clone) : clonesOfDeleted.get(clone);
            if (view == null) {
                throw new AssertionError("no clone " + clone);
            }
            return view;
        }
    }

    synchronized int size() {
        return records.size();
    }

    /** The next record; also remembered. */
    synchronized Item next(Random random) {
        State state = stateAfter(records.size());
        return state.exists ? generate(random, state) : created();
    }

    /** A record that was chosen elsewhere; {@code content} is the data in it. */
    synchronized Item add(Item record, byte[] content) {
        records.add(record);
        contents.add(content);
        return record;
    }

    Item add(LogRecord record, byte[] content) {
        return add(new Item.Change(volume, record), content);
    }

    Item add(StoredRecord.SnapshotRecord record) {
        return add(new Item.Ready(record), new byte[0]);
    }

    /** A clone of the newest state, or of a snapshot; the record is the clone's first and noted here. */
    synchronized VolumeModel cloned(VolumeId id, Random random) {
        State state = stateAfter(records.size());
        Lsn at = state.snapshots.isEmpty() || random.nextBoolean()
                ? state.lastLsn
                : state.snapshots.firstEntry().getValue().lsn;
        return cloned(id, at);
    }

    synchronized VolumeModel cloned(VolumeId id, Lsn at) {
        VolumeModel clone = new VolumeModel(id);
        clone.epoch = epoch + 1;
        Item record = new Item.Ready(new StoredRecord.Cloned(
                id, StoreRig.record(id, SIZE, clone.epoch, 0, new Lsn(clone.epoch, 0)), volume, at));
        add(record, new byte[0]);
        clone.add(record, new byte[0]);
        return clone;
    }

    Item first() {
        return records.getFirst();
    }

    private Item created() {
        return add(
                new LogRecord.ReplicaChanged(StoreRig.record(volume, SIZE, epoch, 0, new Lsn(epoch, seq))),
                new byte[0]);
    }

    private Item generate(Random random, State state) {
        int kind = random.nextInt(100);
        if (kind < 50) {
            int blocks = random.nextInt(10) == 0 ? 1 + random.nextInt(40) : 1 + random.nextInt(3);
            byte[] content = new byte[blocks * 4096];
            random.nextBytes(content);
            return add(StoreRig.written(epoch, ++seq, random.nextInt(BLOCKS - blocks + 1), content), content);
        }
        if (kind < 62) {
            int blocks = 1 + random.nextInt(60);
            return add(StoreRig.trimmed(epoch, ++seq, random.nextInt(BLOCKS - blocks + 1), blocks), new byte[0]);
        }
        if (kind < 72) {
            return copied(random, state);
        }
        if (kind < 80) {
            return add(new StoredRecord.SnapshotTaken(volume, new Lsn(epoch, ++seq), ++snapshot));
        }
        if (kind < 86 && !state.snapshots.isEmpty()) {
            List<Long> numbers = List.copyOf(state.snapshots.keySet());
            return add(new StoredRecord.SnapshotDeleted(
                    volume, new Lsn(epoch, ++seq), numbers.get(random.nextInt(numbers.size()))));
        }
        if (kind < 88) {
            return add(new LogRecord.ReplicaDeleted(), new byte[0]);
        }
        if (kind < 94) {
            return add(new LogRecord.Marked(new Lsn(epoch, ++seq)), new byte[0]);
        }
        epoch++;
        seq = 0;
        return created();
    }

    private Item copied(Random random, State state) {
        // What a disk does about older holes that others know nothing of is told by tests of their own.
        boolean onlyNewHoles = !state.clones.isEmpty();
        List<BlockRun> runs = new ArrayList<>();
        byte[] all = new byte[0];
        long block = random.nextInt(BLOCKS / 2);
        for (int i = 0; i < 1 + random.nextInt(4) && block < BLOCKS - 12; i++) {
            int blocks = 1 + random.nextInt(6);
            // Of any earlier epoch, of this one up to now, or never written.
            long from = 1 + random.nextLong(epoch);
            Lsn lsn = new Lsn(from, from == epoch ? random.nextLong(seq + 1) : 1 + random.nextInt(20));
            if (random.nextInt(3) == 0 && !onlyNewHoles) {
                Lsn hole = random.nextBoolean() ? Lsn.ZERO : lsn;
                runs.add(new BlockRun(block, blocks, hole, Optional.empty()));
            } else {
                byte[] content = new byte[blocks * 4096];
                random.nextBytes(content);
                all = concat(all, content);
                runs.add(new BlockRun(block, blocks, lsn, Optional.of(HeapPayload.of(content))));
            }
            block += blocks + random.nextInt(5);
        }
        return add(new LogRecord.Copied(epoch, runs), all);
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    synchronized State stateAfter(int count) {
        State state = new State();
        for (int i = 0; i < count; i++) {
            state = apply(state, records.get(i), contents.get(i));
        }
        return state;
    }

    private State apply(State state, Item item, byte[] content) {
        return switch (item) {
            case Item.Change change -> apply(state, change.record(), content);
            case Item.Ready ready -> {
                apply(state, ready.record());
                yield state;
            }
        };
    }

    private void apply(State state, StoredRecord.DataFree record) {
        switch (record) {
            // Of places nobody knows anything here.
            case StoredRecord.Quarantined _ -> {}
            case StoredRecord.SnapshotTaken r -> {
                if (!state.snapshots.containsKey(r.snapshot())) {
                    state.snapshots.put(r.snapshot(), state.copy(r.lsn()));
                }
                state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
            }
            case StoredRecord.SnapshotDeleted r -> {
                state.snapshots.remove(r.snapshot());
                state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
            }
            case StoredRecord.Cloned r -> {
                if (r.volume().equals(volume)) {
                    state.exists = true;
                    state.parent = r.parent();
                    state.lastLsn = r.record().position();
                } else if (r.at().equals(state.lastLsn)) {
                    state.clones.put(r.volume(), state.copy(r.at()));
                } else {
                    View pinned = state.snapshots.values().stream()
                            .filter(view -> view.lsn.equals(r.at()))
                            .findFirst()
                            .orElseThrow();
                    state.clones.put(r.volume(), pinned.copy(r.at()));
                }
            }
        }
    }

    private static State apply(State state, LogRecord record, byte[] content) {
        switch (record) {
            case LogRecord.Written r -> {
                int first = (int) r.range().firstBlock();
                for (int i = 0; i < r.range().blockCount(); i++) {
                    state.put(first + i, r.lsn(), Arrays.copyOfRange(content, i * 4096, (i + 1) * 4096));
                }
                state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
            }
            case LogRecord.Trimmed r -> {
                int first = (int) r.range().firstBlock();
                for (int i = first; i < first + r.range().blockCount(); i++) {
                    state.put(i, r.lsn(), null);
                }
                state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
            }
            case LogRecord.Marked r -> state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
            case LogRecord.Copied r -> copy(state, r, content);
            case LogRecord.CopiedUnder r -> copyUnder(state, r, content);
            // Only where a version is kept changes, not what it is.
            case LogRecord.Repaired _ -> {}
            case LogRecord.SnapshotTaken _, LogRecord.SnapshotDeleted _ ->
                throw new IllegalArgumentException("not made by workloads: " + record);
            case LogRecord.ReplicaChanged r -> {
                state.exists = true;
                state.lastLsn = Lsn.max(state.lastLsn, r.record().position());
            }
            case LogRecord.ReplicaDeleted _ -> {
                State empty = new State();
                empty.clonesOfDeleted.putAll(state.clonesOfDeleted);
                empty.clonesOfDeleted.putAll(state.clones);
                return empty;
            }
            case LogRecord.SessionOpened r -> state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
            case LogRecord.Grown r -> state.lastLsn = Lsn.max(state.lastLsn, r.lsn());
        }
        return state;
    }

    /** A copied version is the newest for the head and for every pinned reader that is not before it; but see {@link #told}. */
    private static void copy(State state, LogRecord.Copied record, byte[] content) {
        List<View> pinned = new ArrayList<>(state.snapshots.values());
        pinned.addAll(state.clones.values());
        int at = 0;
        for (BlockRun run : record.runs()) {
            Lsn version = told(state, run, ReplicaExtents.HEAD);
            for (int i = 0; i < run.blocks(); i++) {
                int block = (int) run.firstBlock() + i;
                int from = at;
                at += run.payload().isPresent() ? 4096 : 0;
                Lsn present = state.versions[block];
                if (present.epoch() != record.liveEpoch() || !present.isAfter(run.lsn())) {
                    byte[] bytes = at > from ? Arrays.copyOfRange(content, from, at) : null;
                    state.put(block, version, bytes);
                    for (View view : pinned) {
                        if (!version.isAfter(view.lsn)) {
                            view.put(block, version, bytes);
                        }
                    }
                }
            }
        }
    }

    /** A hole that is not after the newest clone stands right behind it, unless it is told of a reader before. */
    private static Lsn told(State state, BlockRun run, Lsn reader) {
        Lsn newest = state.clones.values().stream()
                .map(view -> view.lsn)
                .max(Comparator.naturalOrder())
                .orElse(Lsn.ZERO);
        boolean behind = run.payload().isEmpty()
                && !newest.equals(Lsn.ZERO)
                && !run.lsn().isAfter(newest)
                && reader.isAfter(newest);
        return behind ? new Lsn(newest.epoch(), newest.seq() + 1) : run.lsn();
    }

    /** A reader at the record's LSN finds the copy; what came after that LSN stays. */
    private static void copyUnder(State state, LogRecord.CopiedUnder record, byte[] content) {
        List<View> readers = new ArrayList<>(state.snapshots.values());
        readers.addAll(state.clones.values());
        int at = 0;
        for (BlockRun run : record.runs()) {
            Lsn version = told(state, run, record.at());
            for (int i = 0; i < run.blocks(); i++) {
                int block = (int) run.firstBlock() + i;
                int from = at;
                at += run.payload().isPresent() ? 4096 : 0;
                byte[] bytes = at > from ? Arrays.copyOfRange(content, from, at) : null;
                if (!state.versions[block].isAfter(record.at())) {
                    state.put(block, version, bytes);
                }
                for (View view : readers) {
                    boolean sees = !version.isAfter(view.lsn);
                    if (sees && !view.versions[block].isAfter(record.at())) {
                        view.put(block, version, bytes);
                    }
                }
            }
        }
    }
}
