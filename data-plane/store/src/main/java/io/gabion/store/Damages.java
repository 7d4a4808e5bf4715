package io.gabion.store;

import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.model.Lsn;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.integrity.BlockChecksum;
import io.gabion.store.log.StoredRecord.Quarantined;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens when content turns out to be bad: its place is put in quarantine, durably, and who can read the block is told, so
 * that it is repaired from elsewhere. Belongs to the owner loop.
 */
final class Damages {
    private static final Logger LOG = LoggerFactory.getLogger(Damages.class);

    private final DiskIndex index;
    private final BlockAllocator allocator;
    private final StoreEvents events;
    private final StoreMetrics metrics;
    private final Fault fault;
    private final InstantSource clock;
    private final Consumer<Quarantined> log;
    private final BlockChecksum checksum = new BlockChecksum();

    /** {@code log} makes a record durable, some time. */
    Damages(Engine engine, InstantSource clock, Consumer<Quarantined> log) {
        this.index = engine.index();
        this.allocator = engine.allocator();
        this.events = engine.notifier().events();
        this.metrics = engine.notifier().metrics();
        this.fault = engine.notifier().fault();
        this.clock = clock;
        this.log = log;
    }

    /**
     * Content of the replica, its own or inherited, is bad. Must be told before the reader that found it ends: until then the
     * places are not used for anything else.
     */
    void found(ReplicaState replica, List<BlockFetch.Bad> all) {
        if (fault.isSet()) {
            return;
        }
        for (BlockFetch.Bad bad : all) {
            metrics.blockBad(bad.unreadable());
            if (allocator.quarantine(bad.place())) {
                LOG.error("{}: its place is not used again", bad.reason());
                BlockVersion version = bad.version();
                log.accept(new Quarantined(bad.origin(), version.block(), version.lsn(), bad.place(), clock.millis()));
            }
            tell(replica, bad);
        }
    }

    /** Tells the first volume through which the block can be read; false when there is none any more. */
    private boolean tell(ReplicaState replica, BlockFetch.Bad bad) {
        OptionalLong snapshot = replica.isRetired() ? OptionalLong.empty() : snapshot(replica, bad.version());
        if (snapshot.isPresent()) {
            BlockVersion version = bad.version();
            int crc = checksum.renamed(
                    version.crc32c(), bad.origin(), replica.extents().origin());
            events.damaged(
                    replica.record().volume(),
                    new Damage(
                            new BlockVersion(version.block(), version.lsn(), crc),
                            snapshot.getAsLong(),
                            bad.place(),
                            bad.unreadable(),
                            bad.reason()));
            return true;
        }
        for (int clone : replica.ancestry().cloneNumbers()) {
            Optional<ReplicaState> found = index.lineage().nextFrom(clone);
            if (found.isPresent() && found.get().extents().number() == clone && tell(found.get(), bad)) {
                return true;
            }
        }
        return false;
    }

    private OptionalLong snapshot(ReplicaState replica, BlockVersion version) {
        ReplicaExtents extents = replica.extents();
        long number = version.block() / Chunk.BLOCKS;
        if (isVersion(index.chunk(extents, number), version)) {
            return OptionalLong.of(SnapshotPoint.HEAD);
        }
        for (Map.Entry<Long, Lsn> snapshot : replica.ancestry().snapshots().entrySet()) {
            if (isVersion(index.chunk(extents, number, snapshot.getValue()), version)) {
                return OptionalLong.of(snapshot.getKey());
            }
        }
        return OptionalLong.empty();
    }

    private static boolean isVersion(Chunk chunk, BlockVersion version) {
        int i = (int) (version.block() % Chunk.BLOCKS);
        return chunk.isData(i)
                && chunk.epoch(i) == version.lsn().epoch()
                && chunk.seq(i) == version.lsn().seq();
    }
}
