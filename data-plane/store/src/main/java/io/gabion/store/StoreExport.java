package io.gabion.store;

import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.BlockGeometry;
import io.gabion.model.DiskId;
import io.gabion.model.Lsn;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.metadata.MetadataStore.MetadataCursor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Puts a volume together from the replicas on stopped disks, with nothing else running and nothing on the disks changed. Run as
 * a library; blocking.
 */
public final class StoreExport {
    /** More only repeat the same story. */
    public static final int MAX_LOST = 1000;

    private StoreExport() {}

    /**
     * One replica on a stopped disk.
     *
     * @param record the last that it knew: also the volume's name
     * @param intact false when something that was known durable is damaged
     */
    public record Held(
            Path directory,
            DiskId disk,
            VolumeRecord record,
            ReplicaId replica,
            ReplicaStatus status,
            boolean intact,
            Lsn lastLsn,
            Lsn committed,
            SnapshotSet snapshots) {
        public VolumeId volume() {
            return record.id();
        }

        /** The volume as it was at some moment, not a mixture. */
        public boolean isWhole() {
            return intact && (status == ReplicaStatus.IN_SYNC || status == ReplicaStatus.OUTDATED);
        }
    }

    /**
     * What became of an export.
     *
     * @param fetchedBlocks damaged on the first disk and taken from another one that holds the same version
     * @param lost one sentence for each block that nobody holds; it was left out. At most {@link #MAX_LOST}
     */
    public record Outcome(long sizeBytes, long fetchedBlocks, List<String> lost) {
        public Outcome {
            lost = List.copyOf(lost);
        }
    }

    /** Takes the content in order of offset. What is not offered is zeros. */
    @FunctionalInterface
    public interface Sink {
        /** @param bytes valid during the call */
        void region(long offset, ByteBuffer bytes) throws IOException;
    }

    /** Whole replicas first, then those that know most. */
    public static final Comparator<Held> BEST_FIRST = Comparator.comparing(Held::isWhole)
            .thenComparing(held -> held.record().config().epoch())
            .thenComparing(Held::lastLsn)
            .reversed();

    /** The replicas on a stopped disk. Throws {@link IOException} when there is no disk, or it is in use. */
    public static List<Held> survey(Path directory) throws IOException {
        try (StoppedDisk disk = StoppedDisk.open(directory)) {
            List<Held> held = new ArrayList<>();
            for (ReplicaState replica : disk.recovered().index().replicas()) {
                ReplicaRecord record = replica.record();
                List<SnapshotPoint> points = new ArrayList<>();
                replica.ancestry().snapshots().forEach((number, lsn) -> points.add(new SnapshotPoint(number, lsn)));
                held.add(new Held(
                        directory,
                        disk.superblock().disk(),
                        record.record(),
                        record.replica(),
                        record.status(),
                        replica.intact() && !disk.recovered().damaged(),
                        replica.lastLsn(),
                        replica.committed(),
                        new SnapshotSet(points, replica.ancestry().highestSnapshot())));
            }
            return held;
        }
    }

    /**
     * Writes the volume as the first of these replicas holds it, each block checked; the others stand in for blocks that are
     * damaged there, where they hold the very same version.
     *
     * @param replicas of one volume, not empty
     * @param snapshot number of the snapshot to read, {@link SnapshotPoint#HEAD} for the volume itself
     */
    public static Outcome write(List<Held> replicas, long snapshot, Sink sink) throws IOException {
        Held first = replicas.getFirst();
        List<Source> sources = new ArrayList<>();
        try {
            for (Held held : replicas) {
                if (sources.isEmpty() || holds(held, snapshot)) {
                    sources.add(Source.open(held, snapshot));
                }
            }
            long size = first.record().config().sizeBytes();
            long fetched = 0;
            List<String> lost = new ArrayList<>();
            for (long offset = 0; offset < size; offset += BlockGeometry.REGION_BYTES) {
                int length = (int) Math.min(BlockGeometry.REGION_BYTES, size - offset);
                int region = (int) (offset / BlockGeometry.REGION_BYTES);
                RegionReader.Content content = sources.getFirst().read(region, length);
                for (BlockFetch.Bad bad : content.bad()) {
                    if (standIn(sources, region, length, bad.version(), content.bytes())) {
                        fetched++;
                    } else if (lost.size() < MAX_LOST) {
                        lost.add(bad.reason());
                    }
                }
                sink.region(offset, content.bytes());
            }
            return new Outcome(size, fetched, lost);
        } finally {
            for (Source source : sources) {
                source.close();
            }
        }
    }

    private static boolean holds(Held held, long snapshot) {
        return snapshot == SnapshotPoint.HEAD
                || held.snapshots().points().stream().anyMatch(point -> point.number() == snapshot);
    }

    /** Puts the block from another disk into {@code into}; zeros where nobody has it. */
    private static boolean standIn(List<Source> sources, int region, int length, BlockVersion wanted, ByteBuffer into) {
        int at = (int) (wanted.block() % BlockGeometry.BLOCKS_PER_REGION) * BlockGeometry.BLOCK_BYTES;
        for (Source source : sources.subList(1, sources.size())) {
            Optional<ByteBuffer> block = source.block(region, length, wanted);
            if (block.isPresent()) {
                into.put(at, block.get(), 0, BlockGeometry.BLOCK_BYTES);
                return true;
            }
        }
        into.put(at, new byte[BlockGeometry.BLOCK_BYTES]);
        return false;
    }

    /** An open disk and the replica on it. */
    private static final class Source implements AutoCloseable {
        private final StoppedDisk disk;
        private final MetadataCursor cursor;
        private final RegionReader reader;
        private final Map<Long, BlockVersion> versions = new HashMap<>();

        private Source(StoppedDisk disk, List<ReplicaExtents.Layer> layers) {
            this.disk = disk;
            this.cursor = disk.metadata().cursor();
            this.reader = new RegionReader(disk.device(), cursor, layers);
        }

        static Source open(Held held, long snapshot) throws IOException {
            StoppedDisk disk = StoppedDisk.open(held.directory());
            try {
                ReplicaState replica = disk.recovered()
                        .index()
                        .find(held.volume())
                        .orElseThrow(() -> new IOException(
                                "volume " + held.volume() + " has no replica in " + held.directory() + " any more"));
                Lsn at = snapshot == SnapshotPoint.HEAD
                        ? ReplicaExtents.HEAD
                        : Optional.ofNullable(replica.ancestry().snapshots().get(snapshot))
                                .orElseThrow(() -> new IOException("the replica of volume " + held.volume() + " in "
                                        + held.directory() + " has no snapshot " + snapshot));
                return new Source(disk, replica.extents().layers(at));
            } catch (IOException | RuntimeException e) {
                disk.close();
                throw e;
            }
        }

        RegionReader.Content read(int region, int length) {
            versions.clear();
            return reader.read(region, length, this::note);
        }

        private void note(long block, Chunk chunk, int i) {
            versions.put(block, new BlockVersion(block, new Lsn(chunk.epoch(i), chunk.seq(i)), chunk.crc(i)));
        }

        Optional<ByteBuffer> block(int region, int length, BlockVersion wanted) {
            RegionReader.Content content = read(region, length);
            boolean same = wanted.equals(versions.get(wanted.block()))
                    && content.bad().stream().noneMatch(bad -> bad.version().block() == wanted.block());
            int at = (int) (wanted.block() % BlockGeometry.BLOCKS_PER_REGION) * BlockGeometry.BLOCK_BYTES;
            return same ? Optional.of(content.bytes().slice(at, BlockGeometry.BLOCK_BYTES)) : Optional.empty();
        }

        @Override
        public void close() throws IOException {
            cursor.close();
            disk.close();
        }
    }
}
