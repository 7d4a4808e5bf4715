package io.gabion.store;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.log.StoredRecord.Cloned;
import io.gabion.store.log.StoredRecord.SnapshotTaken;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * Flips single bits of a small disk, in each of its files, and opens it: nobody may ever see a wrong byte. {@code main} takes the
 * number of flips per file and ends with {@code N flips, wrong bytes 0}.
 */
public final class BitFlips {
    private static final VolumeId VOLUME = new VolumeId(new UUID(5, 1));
    private static final VolumeId CLONE = new VolumeId(new UUID(5, 2));
    private static final long SIZE = 1 << 20;
    private static final int BLOCKS = 40;
    private static final int BLOCK = 4096;

    private final Path directory;
    private final Random random;
    private final Map<Outcome, Integer> outcomes = new EnumMap<>(Outcome.class);
    private final List<Content> expected = new ArrayList<>();
    private long seq;

    /** What became of a flip; a wrong byte is an {@link AssertionError}. */
    enum Outcome {
        /** The disk was not opened. */
        REFUSED,
        /** The replicas are not intact: they are filled anew from others. */
        NOT_INTACT,
        /** What could not be read was answered so. */
        READ_FAILED,
        /** All could be read as it was written. */
        HARMLESS
    }

    /** How the disk was left. */
    enum End {
        CLOSED,
        KILLED
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Content(VolumeId volume, long snapshot, byte[] bytes) {}

    BitFlips(Path directory, long seed) {
        for (Class<?> noisy : List.of(Recovery.class, DiskOpening.class, DiskStore.class, Damages.class)) {
            ((Logger) LoggerFactory.getLogger(noisy)).setLevel(Level.OFF);
        }
        this.directory = directory;
        this.random = new Random(seed);
    }

    /** Flips bits until the number given is reached for each kind of file. */
    public static void main(String[] arguments) throws Exception {
        Path shared = Path.of("/dev/shm");
        Path directory = Files.isWritable(shared)
                ? Files.createTempDirectory(shared, "gabion-flips")
                : Files.createTempDirectory("gabion-flips");
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        int flips = 0;
        try {
            for (End end : End.values()) {
                BitFlips run = new BitFlips(Files.createDirectory(directory.resolve(end.name())), seed);
                flips += run.run(end, Integer.parseInt(arguments[0]));
                System.out.println(end + ": " + run.outcomes());
            }
        } finally {
            TracedDisk.delete(directory);
        }
        System.out.println(flips + " flips, wrong bytes 0");
        System.exit(0);
    }

    /** Returns the number of flips. */
    int run(End end, int perFile) throws IOException {
        expected.clear();
        Path base = directory.resolve("base");
        build(base, end);
        int flips = 0;
        for (Path file : files(base)) {
            Path name = base.relativize(file);
            byte[] content = Files.readAllBytes(file);
            for (long position : positions(name.toString(), content, perFile)) {
                Path disk = directory.resolve("disk");
                copy(base, disk);
                int bit = random.nextInt(8);
                flip(disk.resolve(name), position, bit);
                try {
                    outcomes.merge(open(disk), 1, Integer::sum);
                } catch (RuntimeException | AssertionError e) {
                    throw new AssertionError(end + ": byte " + position + " bit " + bit + " of " + name, e);
                }
                TracedDisk.delete(disk);
                flips++;
            }
        }
        return flips;
    }

    Map<Outcome, Integer> outcomes() {
        return outcomes;
    }

    // ---- the disk
    private void build(Path base, End end) throws IOException {
        StoreRig rig = StoreRig.open(options(base));
        rig.appendNow(VOLUME, StoreRig.created(VOLUME, SIZE));
        write(rig, 0, 24);
        Lsn snapshot = new Lsn(1, ++seq);
        rig.appendNow(new SnapshotTaken(VOLUME, snapshot, 1));
        write(rig, 4, 6);
        rig.appendNow(VOLUME, StoreRig.trimmed(1, ++seq, 12, 3));
        rig.checkpoint();
        rig.appendNow(new Cloned(CLONE, StoreRig.record(CLONE, SIZE, 2, 0, new Lsn(2, 0)), VOLUME, snapshot));
        byte[] own = new byte[2 * BLOCK];
        random.nextBytes(own);
        rig.appendNow(CLONE, StoreRig.written(2, 1, 8, own));
        write(rig, 20, 8);
        if (end == End.KILLED) {
            // Nothing says that the last batch was durable, so its loss cannot be told from a power cut.
            rig.appendNow(VOLUME, new LogRecord.Marked(new Lsn(1, ++seq)));
        }
        ByteRange all = ByteRange.ofBlocks(0, BLOCKS);
        expected.add(new Content(VOLUME, 0, rig.read(VOLUME, all)));
        expected.add(new Content(VOLUME, 1, rig.readAt(VOLUME, 1, all)));
        expected.add(new Content(CLONE, 0, rig.read(CLONE, all)));
        switch (end) {
            case CLOSED -> rig.close();
            case KILLED -> rig.abandon();
        }
    }

    private static DiskStoreOptions options(Path disk) {
        return StoreRig.options(disk).withSizes(1L << 30, 4L << 20, 1L << 20, 0);
    }

    private void write(StoreRig rig, long block, int blocks) {
        byte[] content = new byte[blocks * BLOCK];
        random.nextBytes(content);
        rig.appendNow(VOLUME, StoreRig.written(1, ++seq, block, content));
    }

    private static List<Path> files(Path base) throws IOException {
        try (Stream<Path> files = Files.walk(base)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !file.getFileName().toString().startsWith("LO"))
                    .sorted()
                    .toList();
        }
    }

    /** Of the data file each block that holds something is met, of the others bytes anywhere. */
    private Set<Long> positions(String name, byte[] content, int count) {
        Set<Long> positions = new HashSet<>();
        if (!name.equals(DirectoryFiles.DATA)) {
            for (int i = 0; i < count && content.length > 0; i++) {
                positions.add((long) random.nextInt(content.length));
            }
            return positions;
        }
        byte[] zeros = new byte[BLOCK];
        int rounds = Math.max(1, count / BLOCKS);
        for (int block = 0; block < content.length / BLOCK; block++) {
            if (!Arrays.equals(content, block * BLOCK, (block + 1) * BLOCK, zeros, 0, BLOCK)) {
                for (int i = 0; i < rounds; i++) {
                    positions.add((long) block * BLOCK + random.nextInt(BLOCK));
                    // Where headers of the log have their fields and records.
                    positions.add((long) block * BLOCK + random.nextInt(160));
                }
            }
        }
        return positions;
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to.resolve(DirectoryFiles.INDEX));
        for (Path file : files(from)) {
            Files.copy(file, to.resolve(from.relativize(file)));
        }
    }

    private static void flip(Path file, long position, int bit) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(position);
            int before = bytes.read();
            bytes.seek(position);
            bytes.write(before ^ (1 << bit));
        }
    }

    // ---- what becomes of it
    private Outcome open(Path disk) throws IOException {
        StoreRig rig;
        try {
            rig = StoreRig.open(options(disk).withMayFormat(false));
        } catch (IOException e) {
            if (String.valueOf(e.getMessage()).isBlank()) {
                throw new AssertionError("refused without a reason", e);
            }
            return Outcome.REFUSED;
        }
        try {
            if (!rig.store.replicas().stream().allMatch(RecoveredReplica::intact)) {
                return Outcome.NOT_INTACT;
            }
            Outcome outcome = Outcome.HARMLESS;
            for (Content content : expected) {
                outcome = readsRight(rig, content) ? outcome : Outcome.READ_FAILED;
            }
            // And it goes on, or stops; it does not hang.
            StoreRig.get(rig.append(VOLUME, StoreRig.written(1, ++seq + 1000, 2, new byte[BLOCK])));
            return outcome;
        } finally {
            rig.abandon();
        }
    }

    /** False when something could not be read; throws when something is read wrong. */
    private static boolean readsRight(StoreRig rig, Content content) {
        boolean all = true;
        for (int block = 0; block < BLOCKS; block++) {
            ByteRange range = ByteRange.ofBlocks(block, 1);
            Event event = content.snapshot() == 0
                    ? rig.ask(content.volume(), ticket -> new Effect.Read(ticket, range))
                    : rig.askAt(content.volume(), content.snapshot(), ticket -> new Effect.Read(ticket, range));
            if (event instanceof Event.ReadCompleted completed) {
                byte[] found = new byte[BLOCK];
                completed.payload().bytes().get(found);
                completed.payload().release();
                byte[] wanted = Arrays.copyOfRange(content.bytes(), block * BLOCK, (block + 1) * BLOCK);
                if (!Arrays.equals(found, wanted)) {
                    throw new AssertionError("wrong bytes in block " + block + " of " + content.volume()
                            + " at snapshot " + content.snapshot());
                }
            } else {
                all = false;
            }
        }
        return all;
    }
}
