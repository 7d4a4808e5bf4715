package io.gabion.faults.powerloss;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Decides what of the unsynced state a machine finds after a power loss, and writes it into the backing directory.
 *
 * <p>The journal keeps a random prefix. Of the changes of each file a random subset survives; a surviving write may be
 * torn at 512 or 4096 bytes. Inside one sector the outcome is always a state that the sector once had: a write that is
 * smaller than a sector does not survive without the earlier ones in that sector, because the page went to the disk as
 * a whole.
 *
 * <p>The same seed on the same state gives the same outcome: every file draws from its own generator, which depends on
 * the seed and the file's path only.
 */
final class PowerCut {
    private static final int SECTOR_BYTES = 512;
    private static final int PAGE_SECTORS = 8;

    private final long seed;
    private final CutPolicy policy;
    private int files;
    private int lostFiles;
    private int kept;
    private int dropped;
    private int torn;
    private long bytesKept;
    private long bytesDropped;

    PowerCut(long seed, CutPolicy policy) {
        this.seed = seed;
        this.policy = policy;
    }

    /** Cuts; nothing else may use the tree meanwhile or afterwards. */
    CutReport apply(NodeTree tree) throws IOException {
        DirectoryJournal journal = tree.journal();
        int pending = journal.pendingCount();
        int directoryChanges = new SplittableRandom(seed).nextInt(pending + 1);
        journal.commitThrough(journal.committed() + directoryChanges);
        List<Node> nodes = new ArrayList<>(tree.nodes());
        nodes.sort(Comparator.comparingLong(node -> node.id));
        for (Node node : nodes) {
            if (node instanceof FileNode file) {
                List<FileChange> changes = file.content.unsynced();
                if (!changes.isEmpty()) {
                    apply(journal, file, changes);
                }
            }
        }
        tree.discard();
        return new CutReport(
                seed,
                files,
                lostFiles,
                kept,
                dropped,
                torn,
                bytesKept,
                bytesDropped,
                directoryChanges,
                pending - directoryChanges);
    }

    private void apply(DirectoryJournal journal, FileNode file, List<FileChange> changes) throws IOException {
        if (file.durableNames.isEmpty()) {
            // Never created as far as the disk knows, or removed for good.
            lostFiles++;
            return;
        }
        files++;
        SplittableRandom random = new SplittableRandom(seed ^ (file.path.hashCode() * 0x9E3779B97F4A7C15L));
        // Some files lose all, some nothing, most something: a fixed share would rarely show the extremes.
        double share =
                switch (random.nextInt(5)) {
                    case 0 -> 0.0;
                    case 1 -> 1.0;
                    default -> random.nextDouble();
                };
        List<BitSet> survivors = new ArrayList<>(changes.size());
        for (FileChange change : changes) {
            survivors.add(draw(random, share, file.path, change));
        }
        keepHistoryOfSectors(changes, survivors);
        try (FileChannel base =
                FileChannel.open(journal.durablePath(file), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            for (int i = 0; i < changes.size(); i++) {
                write(base, changes.get(i), survivors.get(i));
            }
        }
    }

    /** The sectors of a write that survive, counted from its first; bit 0 alone for changes that are atomic. */
    private BitSet draw(SplittableRandom random, double share, String path, FileChange change) {
        int sectors = 1;
        Survival survival = Survival.RANDOM;
        if (change instanceof FileChange.Written written) {
            sectors = sectors(written);
            survival = policy.survival(path, written.offset(), written.length());
        }
        BitSet found = new BitSet(sectors);
        switch (survival) {
            case DROPPED -> {}
            case KEPT -> found.set(0, sectors);
            case RANDOM -> {
                boolean survives = random.nextDouble() < share;
                boolean tears = sectors > 1 && random.nextInt(3) == 0;
                int unit = random.nextBoolean() ? 1 : PAGE_SECTORS;
                if (tears && share > 0.0 && share < 1.0) {
                    for (int i = 0; i < sectors; i += unit) {
                        found.set(i, Math.min(sectors, i + unit), random.nextBoolean());
                    }
                } else {
                    found.set(0, sectors, survives);
                }
            }
        }
        return found;
    }

    private static long firstSector(FileChange.Written written) {
        return written.offset() / SECTOR_BYTES;
    }

    private static int sectors(FileChange.Written written) {
        return Math.toIntExact((written.end() + SECTOR_BYTES - 1) / SECTOR_BYTES - firstSector(written));
    }

    /** A sector holds one of the states it once had: what survives there brings everything before it along. */
    private static void keepHistoryOfSectors(List<FileChange> changes, List<BitSet> survivors) {
        BitSet found = new BitSet();
        for (int i = changes.size() - 1; i >= 0; i--) {
            if (changes.get(i) instanceof FileChange.Written written) {
                int first = Math.toIntExact(firstSector(written));
                BitSet own = survivors.get(i);
                for (int sector = 0; sector < sectors(written); sector++) {
                    if (own.get(sector)) {
                        found.set(first + sector);
                    } else if (found.get(first + sector)) {
                        own.set(sector);
                    }
                }
            }
        }
    }

    private void write(FileChannel base, FileChange change, BitSet survivors) throws IOException {
        switch (change) {
            case FileChange.Written written -> writeSectors(base, written, survivors);
            case FileChange.Zeroed(long offset, long length) -> {
                if (count(survivors)) {
                    BackingFile.zero(base, offset, Math.min(base.size(), offset + length));
                }
            }
            case FileChange.Resized(long sizeBytes) -> {
                if (count(survivors)) {
                    base.truncate(sizeBytes);
                    BackingFile.extend(base, sizeBytes);
                }
            }
        }
    }

    private boolean count(BitSet survivors) {
        if (survivors.isEmpty()) {
            dropped++;
            return false;
        }
        kept++;
        return true;
    }

    private void writeSectors(FileChannel base, FileChange.Written written, BitSet survivors) throws IOException {
        int sectors = sectors(written);
        if (survivors.cardinality() > 0 && survivors.cardinality() < sectors) {
            torn++;
        } else {
            count(survivors);
        }
        long found = 0;
        long origin = firstSector(written) * SECTOR_BYTES;
        int from = survivors.nextSetBit(0);
        while (from >= 0) {
            int to = survivors.nextClearBit(from);
            long start = Math.max(written.offset(), origin + (long) from * SECTOR_BYTES);
            long end = Math.min(written.end(), origin + (long) to * SECTOR_BYTES);
            writePart(base, written, start, end);
            found += end - start;
            from = survivors.nextSetBit(to);
        }
        bytesKept += found;
        bytesDropped += written.length() - found;
    }

    private static void writePart(FileChannel base, FileChange.Written written, long start, long end)
            throws IOException {
        MemorySegment data = written.data();
        if (data == null) {
            BackingFile.zero(base, start, Math.min(end, base.size()));
            BackingFile.extend(base, end);
        } else {
            BackingFile.write(
                    base, data.asSlice(start - written.offset(), end - start).asByteBuffer(), start);
        }
    }
}
