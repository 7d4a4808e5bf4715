package io.gabion.store.extent;

import io.gabion.store.metadata.MetadataBatch;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore.MetadataCursor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * All versions of the 32 blocks of a chunk that the index holds: the head, which is the newest of each block, and older ones that
 * snapshots see. Head and older versions are stored in entries of their own, so that either can change without the other.
 */
public final class ChunkHistory {
    private final int replica;
    private final long firstBlock;
    /** Per block, newest first. */
    private final List<List<Version>> blocks = new ArrayList<>(Chunk.BLOCKS);

    private final List<Chunk.Entry> stored = new ArrayList<>();

    private ChunkHistory(int replica, long firstBlock) {
        this.replica = replica;
        this.firstBlock = firstBlock;
        for (int i = 0; i < Chunk.BLOCKS; i++) {
            blocks.add(new ArrayList<>(1));
        }
    }

    /** Reads chunk {@code number}; the cursor stands behind it then. */
    public static ChunkHistory load(MetadataCursor cursor, int replica, long number) {
        ChunkHistory history = new ChunkHistory(replica, number * Chunk.BLOCKS);
        cursor.seek(MetadataKeys.extentsFrom(replica, history.firstBlock));
        while (cursor.valid()) {
            byte[] key = cursor.key();
            if (!MetadataKeys.isExtentOf(key, replica)
                    || MetadataKeys.extentBlock(key) >= history.firstBlock + Chunk.BLOCKS) {
                break;
            }
            Chunk single = ExtentMap.decode(key, cursor.value(), replica);
            int start = (int) (MetadataKeys.extentBlock(key) - history.firstBlock);
            int end = start;
            while (end < Chunk.BLOCKS && single.state(end) != Chunk.ABSENT) {
                history.add(end, Version.of(single, end));
                end++;
            }
            history.stored.add(new Chunk.Entry(
                    start,
                    end - start,
                    single.state(start),
                    single.epoch(start),
                    single.seq(start),
                    single.place(start)));
            cursor.next();
        }
        return history;
    }

    public int entryCount() {
        return stored.size();
    }

    /** Versions of block {@code i} of the chunk, newest first. */
    public List<Version> versions(int i) {
        return blocks.get(i);
    }

    /** Keeps the order; replaces a version with the same LSN. */
    void add(int i, Version version) {
        List<Version> versions = blocks.get(i);
        int at = 0;
        while (at < versions.size() && versions.get(at).isAfter(version.epoch(), version.seq())) {
            at++;
        }
        if (at < versions.size()
                && !version.isAfter(versions.get(at).epoch(), versions.get(at).seq())) {
            versions.set(at, version);
        } else {
            versions.add(at, version);
        }
    }

    void remove(int i, long epoch, long seq) {
        blocks.get(i).removeIf(version -> version.epoch() == epoch && version.seq() == seq);
    }

    Optional<Version> newest(int i) {
        return blocks.get(i).isEmpty()
                ? Optional.empty()
                : Optional.of(blocks.get(i).getFirst());
    }

    /** The newest version of the block that is not after the LSN. */
    Optional<Version> at(int i, long epoch, long seq) {
        for (Version version : blocks.get(i)) {
            if (!version.isAfter(epoch, seq)) {
                return Optional.of(version);
            }
        }
        return Optional.empty();
    }

    /**
     * Removes every version that no reader sees; the head is one unless {@code headless}. Tells {@code dropped} of each version
     * of data with its block and whether it was the head.
     */
    void collect(Pins pins, boolean headless, DropVisitor dropped) {
        for (int i = 0; i < Chunk.BLOCKS; i++) {
            List<Version> versions = blocks.get(i);
            List<Version> kept = new ArrayList<>(versions.size());
            for (int n = 0; n < versions.size(); n++) {
                Version version = versions.get(n);
                boolean seen;
                if (n == 0) {
                    seen = !headless || pins.seeNewest(version.epoch(), version.seq());
                } else {
                    Version next = versions.get(n - 1);
                    seen = pins.see(version.epoch(), version.seq(), next.epoch(), next.seq());
                }
                if (seen) {
                    kept.add(version);
                } else {
                    dropped.dropped(i, version);
                }
            }
            if (kept.size() < versions.size()) {
                blocks.set(i, kept);
            }
        }
    }

    /** Told of what is removed. */
    interface DropVisitor {
        void dropped(int i, Version version);
    }

    /** Adds what has changed since the chunk was loaded. */
    void write(MetadataBatch batch) {
        List<StoredRun> after = runs();
        Set<Chunk.Entry> kept = new HashSet<>();
        after.forEach(run -> kept.add(run.entry()));
        Set<Chunk.Entry> before = new HashSet<>(stored);
        for (Chunk.Entry old : stored) {
            if (!kept.contains(old)) {
                batch.delete(MetadataKeys.extent(replica, firstBlock + old.start(), old.epoch(), old.seq()));
            }
        }
        for (StoredRun run : after) {
            if (!before.contains(run.entry())) {
                run.put(batch, replica, firstBlock);
            }
        }
    }

    private List<StoredRun> runs() {
        List<Cell> older = new ArrayList<>();
        for (int i = 0; i < Chunk.BLOCKS; i++) {
            List<Version> versions = blocks.get(i);
            for (int n = 1; n < versions.size(); n++) {
                older.add(new Cell(i, versions.get(n)));
            }
        }
        List<StoredRun> runs = new ArrayList<>(StoredRun.ofHead(head()));
        runs.addAll(Cell.runs(older));
        return runs;
    }

    /** The newest version of every block. */
    Chunk head() {
        Chunk head = new Chunk();
        for (int i = 0; i < Chunk.BLOCKS; i++) {
            int at = i;
            newest(i).ifPresent(version -> version.putInto(head, at));
        }
        return head;
    }

    /** A version at its block. */
    record Cell(int i, Version version) {
        private boolean continues(Cell before) {
            return i == before.i + 1
                    && version.data() == before.version.data()
                    && version.epoch() == before.version.epoch()
                    && version.seq() == before.version.seq()
                    && (!version.data() || version.place() == before.version.place() + 1);
        }

        /** Longest runs of cells of one version and consecutive places. */
        static List<StoredRun> runs(List<Cell> cells) {
            List<Cell> sorted = new ArrayList<>(cells);
            sorted.sort(Comparator.comparingLong((Cell cell) -> cell.version().epoch())
                    .thenComparingLong(cell -> cell.version().seq())
                    .thenComparingInt(Cell::i));
            List<StoredRun> runs = new ArrayList<>();
            int start = 0;
            while (start < sorted.size()) {
                int end = start + 1;
                while (end < sorted.size() && sorted.get(end).continues(sorted.get(end - 1))) {
                    end++;
                }
                Cell first = sorted.get(start);
                Version version = first.version();
                int[] crcs = new int[end - start];
                for (int n = 0; n < crcs.length; n++) {
                    crcs[n] = sorted.get(start + n).version().crc();
                }
                runs.add(new StoredRun(
                        new Chunk.Entry(
                                first.i(),
                                end - start,
                                version.data() ? Chunk.DATA : Chunk.TOMBSTONE,
                                version.epoch(),
                                version.seq(),
                                version.place()),
                        crcs));
                start = end;
            }
            return runs;
        }
    }

    /** An entry with the checksums of its blocks. */
    static final class StoredRun {
        private final Chunk.Entry entry;
        private final int[] crcs;

        StoredRun(Chunk.Entry entry, int[] crcs) {
            this.entry = entry;
            this.crcs = crcs;
        }

        static List<StoredRun> ofHead(Chunk head) {
            return head.entries().stream()
                    .map(entry -> new StoredRun(entry, head.checksums(entry.start(), entry.blocks())))
                    .toList();
        }

        Chunk.Entry entry() {
            return entry;
        }

        void put(MetadataBatch batch, int replica, long firstBlock) {
            batch.put(
                    MetadataKeys.extent(replica, firstBlock + entry.start(), entry.epoch(), entry.seq()),
                    ExtentCodec.encode(entry, crcs));
        }
    }
}
