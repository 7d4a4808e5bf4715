package io.gabion.store;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ExtentMap;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.log.LogPosition;
import io.gabion.store.log.Piece;
import io.gabion.store.log.StoredRecord;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The index of a disk: applies records of the log, in order, the same way live and in replay. What a batch of the log changes
 * goes to the metadata in one batch together with the position of the log. Belongs to the owner loop.
 */
final class DiskIndex implements AutoCloseable {
    private final MetadataStore metadata;
    private final BlockAllocator allocator;
    private final ExtentMap extents;
    private final MetadataStore.MetadataCursor cursor;
    private final IndexChanges changes = new IndexChanges();
    private final Collector collector;
    private final Lineage lineage;
    private final CopiedBlocks copies;
    private final BadPlaces badPlaces;
    private long bytesSinceCheckpoint;
    private LogPosition log;
    private long mutation;

    DiskIndex(MetadataStore metadata, BlockAllocator allocator, long extentCacheBytes, LogPosition log) {
        this.metadata = metadata;
        this.allocator = allocator;
        this.extents = new ExtentMap(metadata, allocator, extentCacheBytes);
        this.cursor = metadata.cursor();
        this.collector = new Collector(extents, allocator, cursor);
        this.lineage = new Lineage(collector, changes);
        this.copies = new CopiedBlocks(extents, allocator, changes);
        this.badPlaces = new BadPlaces(allocator);
        this.log = log;
    }

    // ---- loading
    /** Takes over what the metadata holds of heads; {@code applied} is its position. */
    void load(AppliedState applied) {
        log = applied.log();
        mutation = applied.mutation();
        List<ReplicaState> states = new ArrayList<>();
        for (cursor.seek(MetadataKeys.kind('H'));
                cursor.valid() && MetadataKeys.isNumbered(cursor.key(), 'H');
                cursor.next()) {
            states.add(ReplicaState.decodeHead(MetadataKeys.number(cursor.key()), cursor.value()));
        }
        for (ReplicaState state : states) {
            int number = state.extents().number();
            metadata.get(MetadataKeys.progress(number)).ifPresent(state::decodeProgress);
            metadata.get(MetadataKeys.ancestry(number)).ifPresent(state::loadAncestry);
            if (metadata.get(MetadataKeys.retired(number)).isPresent()) {
                state.loadRetired();
            } else {
                loadRegions(state);
            }
        }
        lineage.load(states, applied.nextReplica());
        collector.load();
    }

    /** For opening: once it is known which blocks hold data. */
    void loadBadPlaces() {
        badPlaces.load(cursor);
    }

    private void loadRegions(ReplicaState state) {
        int number = state.extents().number();
        for (cursor.seek(MetadataKeys.regionPage(number, 0));
                cursor.valid() && MetadataKeys.isOf(cursor.key(), 'R', number);
                cursor.next()) {
            state.extents().regions().loadPage(MetadataKeys.regionPageNumber(cursor.key()), cursor.value());
        }
    }

    // ---- applying
    /** Applies one record; {@code index} is its place in batch {@code number}. */
    void apply(StoredRecord record, long number, int index) {
        switch (record) {
            case StoredRecord.Written r -> written(replica(r.volume()), r);
            case StoredRecord.Trimmed r -> trimmed(replica(r.volume()), r);
            case StoredRecord.SessionOpened r -> {
                ReplicaState replica = replica(r.volume());
                replica.session(r.session());
                marked(replica, r.lsn());
            }
            case StoredRecord.Grown r -> marked(replica(r.volume()), r.lsn());
            case StoredRecord.Marked r -> marked(replica(r.volume()), r.lsn());
            case StoredRecord.Copied r -> {
                ReplicaState replica = replica(r.volume());
                copied(replica, r.liveEpoch(), (number << 16) + index + 1, copies.copied(replica, r));
            }
            case StoredRecord.CopiedUnder r -> {
                ReplicaState replica = replica(r.volume());
                copied(replica, r.liveEpoch(), (number << 16) + index + 1, copies.copiedUnder(replica, r));
            }
            case StoredRecord.Repaired r -> copies.repaired(lineage.chain(r.volume()), r);
            case StoredRecord.Quarantined r -> badPlaces.apply(r, changes.batch());
            case StoredRecord.ReplicaChanged r -> lineage.changed(r);
            case StoredRecord.ReplicaDeleted r -> lineage.deleted(r.volume());
            case StoredRecord.SnapshotTaken r -> {
                ReplicaState replica = replica(r.volume());
                lineage.snapshotTaken(replica, r);
                snapshotMarked(replica, r.lsn());
            }
            case StoredRecord.SnapshotDeleted r -> {
                ReplicaState replica = replica(r.volume());
                lineage.snapshotDeleted(replica, r);
                snapshotMarked(replica, r.lsn());
            }
            case StoredRecord.Cloned r -> lineage.cloned(r);
        }
    }

    private ReplicaState replica(VolumeId volume) {
        ReplicaState replica = lineage.get(volume);
        if (replica == null) {
            throw new IllegalStateException("a record for volume " + volume + " which has no replica on this disk");
        }
        changes.touched().add(replica);
        return replica;
    }

    private void written(ReplicaState replica, StoredRecord.Written r) {
        long block = r.range().firstBlock();
        for (Piece piece : r.pieces()) {
            for (int i = 0; i < piece.blocks(); i++) {
                extents.put(
                        replica.extents(),
                        block++,
                        r.lsn().epoch(),
                        r.lsn().seq(),
                        piece.place() + i,
                        piece.checksum(i));
            }
        }
        operation(replica, r.lsn(), r.committed(), r.range(), r.request());
    }

    private void trimmed(ReplicaState replica, StoredRecord.Trimmed r) {
        extents.trim(
                replica.extents(),
                r.range().firstBlock(),
                r.range().blockCount(),
                r.lsn().epoch(),
                r.lsn().seq());
        operation(replica, r.lsn(), r.committed(), r.range(), r.request());
    }

    private void operation(ReplicaState replica, Lsn lsn, Lsn committed, ByteRange range, RequestId request) {
        extents.touch(replica.extents(), range.firstBlock(), range.blockCount(), lsn.epoch(), lsn.seq());
        ChangeLog.add(changes.batch(), replica, lsn, 0, request, List.of(range));
        replica.logged(lsn);
        replica.committed(committed);
    }

    private void marked(ReplicaState replica, Lsn lsn) {
        ChangeLog.add(changes.batch(), replica, lsn, 0, RequestId.NONE, List.of());
        replica.logged(lsn);
    }

    /** Blocks that were copied stand behind all operations of the epoch before, under a number of their own. */
    private void copied(ReplicaState replica, long liveEpoch, long sub, List<ByteRange> ranges) {
        ChangeLog.add(changes.batch(), replica, new Lsn(liveEpoch, 0), sub, RequestId.NONE, ranges);
        replica.markProgressDirty();
    }

    /** What is made up for has no place of its own in the change log: another operation may stand there. */
    private void snapshotMarked(ReplicaState replica, Lsn lsn) {
        if (lsn.isAfter(replica.lastLsn())) {
            marked(replica, lsn);
        }
    }

    /** Ends a batch of the log: writes all it changed, with the new position of the log. */
    void commit(LogPosition position) {
        log = position;
        for (ReplicaState replica : changes.touched()) {
            writeState(replica);
            if (replica.takeProgressDirty()) {
                ChangeLog.trim(changes.batch(), replica, cursor);
                changes.batch().put(MetadataKeys.progress(replica.extents().number()), replica.encodeProgress());
                replica.takeProgressDirty();
            }
        }
        changes.touched().clear();
        write();
        changes.forgotten().forEach(extents::forget);
        changes.forgotten().clear();
        if (changes.takeInheritanceChanged()) {
            extents.forgetAll();
        }
    }

    private void writeState(ReplicaState replica) {
        int number = replica.extents().number();
        if (replica.takeRecordDirty()) {
            changes.batch().put(MetadataKeys.head(number), replica.encodeHead());
        }
        if (replica.takeAncestryDirty()) {
            changes.batch()
                    .put(MetadataKeys.ancestry(number), replica.ancestry().encode());
        }
    }

    private void write() {
        extents.flush(changes.batch());
        mutation++;
        changes.batch().put(MetadataKeys.applied(), applied().encode());
        bytesSinceCheckpoint += changes.batch().sizeBytes();
        metadata.write(changes.batch());
        changes.batch().clear();
        extents.trimCache();
    }

    private AppliedState applied() {
        return new AppliedState(log, mutation, lineage.nextNumber(), allocator.zeroedEnd());
    }

    // ---- checkpoints
    /** Writes the pages of bitmap and region tables that changed, marked with the present moment. Not yet durable. */
    void writePages() {
        mutation++;
        byte[] applied = applied().encode();
        allocator.takeDirtyPages((page, content) -> changes.batch().put(MetadataKeys.bitmapPage(page), content));
        for (ReplicaState replica : lineage.replicas()) {
            int number = replica.extents().number();
            replica.extents().regions().takeDirtyPages((page, content) -> changes.batch()
                    .put(MetadataKeys.regionPage(number, page), content));
        }
        changes.batch().put(MetadataKeys.applied(), applied);
        changes.batch().put(MetadataKeys.checkpointed(), applied);
        metadata.write(changes.batch());
        changes.batch().clear();
        bytesSinceCheckpoint = 0;
    }

    /** Bytes of changes that only the log holds durably. */
    long bytesSinceCheckpoint() {
        return bytesSinceCheckpoint;
    }

    /** For recovery: something that was durable is lost; nobody knows of which replica. */
    void damageAll() {
        for (ReplicaState replica : lineage.replicas()) {
            replica.damaged();
            changes.touched().add(replica);
        }
        commit(log);
    }

    /** For recovery: no batch of the log before this position is looked at any more. */
    void moveLog(LogPosition position) {
        log = position;
    }

    // ---- collection
    Set<Integer> deletedNumbers() {
        return collector.deletedNumbers();
    }

    boolean hasCollectable() {
        return collector.hasWork();
    }

    /** A step of collection that looks at about {@code most} entries. Only between two batches of the log. */
    void collect(int most) {
        collector.step(most, changes.batch());
        write();
    }

    // ---- reading
    Optional<ReplicaState> find(VolumeId volume) {
        return Optional.ofNullable(lineage.get(volume));
    }

    Collection<ReplicaState> replicas() {
        return lineage.replicas();
    }

    Collection<ReplicaState> retired() {
        return lineage.retired();
    }

    Lineage lineage() {
        return lineage;
    }

    BadPlaces badPlaces() {
        return badPlaces;
    }

    /** Blocks for which a good copy was put in place since the disk was opened. */
    long repairedBlocks() {
        return copies.repairedBlocks();
    }

    /** Under whose name this version of a block was written: of the volume, or of one it was cloned from. */
    VolumeId origin(VolumeId volume, BlockRun run) {
        for (ReplicaState replica : lineage.chain(volume)) {
            for (long block = run.firstBlock(); block < run.firstBlock() + run.blocks(); block++) {
                if (extents.has(replica.extents(), block, run.lsn())) {
                    return replica.extents().origin();
                }
            }
        }
        return volume;
    }

    Chunk chunk(ReplicaExtents replica, long number) {
        return extents.chunk(replica, number);
    }

    Chunk chunk(ReplicaExtents replica, long number, Lsn at) {
        return extents.chunk(replica, number, at);
    }

    LogPosition log() {
        return log;
    }

    MetadataStore metadata() {
        return metadata;
    }

    RecoveredReplica recovered(ReplicaState state, boolean unclean, boolean trusted) {
        int number = state.extents().number();
        return new RecoveredReplica(
                state.record(),
                unclean,
                trusted && state.intact(),
                state.lastLsn(),
                state.committed(),
                ChangeLog.tail(cursor, number, state.committed()),
                ChangeLog.requests(
                        cursor,
                        number,
                        state.record().position(),
                        state.record().session().generation(),
                        RecoveredReplica.MAX_REQUESTS),
                snapshotSet(state));
    }

    private static SnapshotSet snapshotSet(ReplicaState state) {
        List<SnapshotPoint> points = new ArrayList<>();
        state.ancestry().snapshots().forEach((number, lsn) -> points.add(new SnapshotPoint(number, lsn)));
        return new SnapshotSet(points, state.ancestry().highestSnapshot());
    }

    /** Bytes that the replica's data and what its snapshots keep take. */
    long mappedBytes(ReplicaState state) {
        return (state.extents().mappedBlocks() + state.extents().pinnedBlocks()) * BlockGeometry.BLOCK_BYTES;
    }

    @Override
    public void close() {
        cursor.close();
        extents.close();
    }
}
