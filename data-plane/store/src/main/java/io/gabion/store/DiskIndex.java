package io.gabion.store;

import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.message.SnapshotSet;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ExtentMap;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.extent.Version;
import io.gabion.store.log.LogPosition;
import io.gabion.store.log.Piece;
import io.gabion.store.log.StoredRecord;
import io.gabion.store.metadata.MalformedMetadataException;
import io.gabion.store.metadata.MetadataBatch;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The index of a disk: applies records of the log, in order, the same way live and in replay. What a batch of the log changes
 * goes to the metadata in one batch together with the position of the log. Belongs to the owner loop.
 */
final class DiskIndex implements AutoCloseable {
    /** Replicas that a read may have to look at, one behind the other. */
    static final int MAX_CHAIN = 128;

    private final MetadataStore metadata;
    private final BlockAllocator allocator;
    private final ExtentMap extents;
    private final MetadataStore.MetadataCursor cursor;
    private final Map<VolumeId, ReplicaState> replicas = new LinkedHashMap<>();
    /** Replicas without a volume, by local number: clones read from them. */
    private final TreeMap<Integer, ReplicaState> retired = new TreeMap<>();

    private final Collector collector;

    /** Changed by the batch of the log that is being applied. */
    private final Set<ReplicaState> touched = new LinkedHashSet<>();

    private final MetadataBatch batch = new MetadataBatch();
    private long bytesSinceCheckpoint;
    private LogPosition log;
    private long mutation;
    private int nextReplica = 1;
    /** Of replicas that the present batch deletes. */
    private final List<ReplicaExtents> forgotten = new ArrayList<>();

    private boolean inheritanceChanged;

    DiskIndex(MetadataStore metadata, BlockAllocator allocator, long extentCacheBytes, LogPosition log) {
        this.metadata = metadata;
        this.allocator = allocator;
        this.extents = new ExtentMap(metadata, allocator, extentCacheBytes);
        this.cursor = metadata.cursor();
        this.collector = new Collector(extents, allocator, cursor);
        this.log = log;
    }

    // ---- loading
    /** Takes over what the metadata holds of heads; {@code applied} is its position. */
    void load(AppliedState applied) {
        log = applied.log();
        mutation = applied.mutation();
        nextReplica = applied.nextReplica();
        List<ReplicaState> states = new ArrayList<>();
        for (cursor.seek(MetadataKeys.kind('H'));
                cursor.valid() && MetadataKeys.isNumbered(cursor.key(), 'H');
                cursor.next()) {
            states.add(ReplicaState.decodeHead(MetadataKeys.number(cursor.key()), cursor.value()));
        }
        Map<Integer, ReplicaState> byNumber = new HashMap<>();
        for (ReplicaState state : states) {
            int number = state.extents().number();
            byNumber.put(number, state);
            metadata.get(MetadataKeys.progress(number)).ifPresent(state::decodeProgress);
            metadata.get(MetadataKeys.ancestry(number)).ifPresent(state::loadAncestry);
            if (metadata.get(MetadataKeys.retired(number)).isPresent()) {
                state.loadRetired();
                retired.put(number, state);
            } else {
                replicas.put(state.record().volume(), state);
                loadRegions(state);
            }
            collector.resume(state);
        }
        states.forEach(state -> state.ancestry().parent().ifPresent(parent -> link(state, parent, byNumber)));
        collector.load();
    }

    private static void link(ReplicaState clone, Ancestry.Parent parent, Map<Integer, ReplicaState> byNumber) {
        ReplicaState from = byNumber.get(parent.replica());
        if (from == null) {
            throw new MalformedMetadataException("replica number "
                    + clone.extents().number() + " is a clone of number " + parent.replica() + " which does not exist");
        }
        clone.extents().setParent(new ReplicaExtents.Parent(from.extents(), parent.at()));
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
            case StoredRecord.Copied r -> copied(replica(r.volume()), r, (number << 16) + index + 1);
            case StoredRecord.CopiedUnder r -> copiedUnder(replica(r.volume()), r, (number << 16) + index + 1);
            case StoredRecord.ReplicaChanged r -> changed(r.record());
            case StoredRecord.ReplicaDeleted r -> deleted(r.volume());
            case StoredRecord.SnapshotTaken r -> snapshotTaken(replica(r.volume()), r);
            case StoredRecord.SnapshotDeleted r -> snapshotDeleted(replica(r.volume()), r);
            case StoredRecord.Cloned r -> cloned(r);
        }
    }

    private ReplicaState replica(VolumeId volume) {
        ReplicaState replica = replicas.get(volume);
        if (replica == null) {
            throw new IllegalStateException("a record for volume " + volume + " which has no replica on this disk");
        }
        touched.add(replica);
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
        ChangeLog.add(batch, replica, lsn, 0, request, List.of(range));
        replica.logged(lsn);
        replica.committed(committed);
    }

    private void marked(ReplicaState replica, Lsn lsn) {
        ChangeLog.add(batch, replica, lsn, 0, RequestId.NONE, List.of());
        replica.logged(lsn);
    }

    private void copied(ReplicaState replica, StoredRecord.Copied r, long sub) {
        List<ByteRange> ranges = new ArrayList<>(r.runs().size());
        for (StoredRecord.CopiedRun run : r.runs()) {
            dropDiverged(replica, r.liveEpoch(), run);
            if (run.pieces().isEmpty()) {
                for (long block = run.firstBlock(); block < run.firstBlock() + run.blocks(); block++) {
                    if (!cameLive(replica, block, r.liveEpoch(), run.lsn())) {
                        extents.trim(
                                replica.extents(),
                                block,
                                1,
                                run.lsn().epoch(),
                                run.lsn().seq());
                    }
                }
            } else {
                copiedData(replica, r.liveEpoch(), run);
            }
            extents.touch(
                    replica.extents(),
                    run.firstBlock(),
                    run.blocks(),
                    run.lsn().epoch(),
                    run.lsn().seq());
            ranges.add(ByteRange.ofBlocks(run.firstBlock(), run.blocks()));
        }
        ChangeLog.add(batch, replica, new Lsn(r.liveEpoch(), 0), sub, RequestId.NONE, ranges);
        replica.markProgressDirty();
    }

    private void copiedUnder(ReplicaState replica, StoredRecord.CopiedUnder r, long sub) {
        List<ByteRange> ranges = new ArrayList<>(r.runs().size());
        for (StoredRecord.CopiedRun run : r.runs()) {
            long epoch = run.lsn().epoch();
            long seq = run.lsn().seq();
            long end = run.firstBlock() + run.blocks();
            if (run.pieces().isEmpty()) {
                for (long block = run.firstBlock(); block < end; block++) {
                    extents.putUnder(replica.extents(), block, r.at(), new Version(false, epoch, seq, 0, 0));
                }
            }
            long block = run.firstBlock();
            for (Piece piece : run.pieces()) {
                for (int i = 0; i < piece.blocks(); i++, block++) {
                    Version copy = new Version(true, epoch, seq, piece.place() + i, piece.checksum(i));
                    extents.putUnder(replica.extents(), block, r.at(), copy);
                }
            }
            extents.touch(replica.extents(), run.firstBlock(), run.blocks(), epoch, seq);
            ranges.add(ByteRange.ofBlocks(run.firstBlock(), run.blocks()));
        }
        inheritanceChanged |= replica.ancestry().hasClones();
        ChangeLog.add(batch, replica, new Lsn(r.liveEpoch(), 0), sub, RequestId.NONE, ranges);
        replica.markProgressDirty();
    }

    private void dropDiverged(ReplicaState replica, long liveEpoch, StoredRecord.CopiedRun run) {
        if (!replica.extents().hasHistory()) {
            return;
        }
        for (long block = run.firstBlock(); block < run.firstBlock() + run.blocks(); block++) {
            if (!cameLive(replica, block, liveEpoch, run.lsn())) {
                extents.dropNewer(
                        replica.extents(), block, run.lsn().epoch(), run.lsn().seq());
            }
        }
        // What clones inherit may be among the dropped.
        inheritanceChanged |= replica.ancestry().hasClones();
    }

    private void copiedData(ReplicaState replica, long liveEpoch, StoredRecord.CopiedRun run) {
        long block = run.firstBlock();
        for (Piece piece : run.pieces()) {
            for (int i = 0; i < piece.blocks(); i++, block++) {
                if (cameLive(replica, block, liveEpoch, run.lsn())) {
                    allocator.makePending(piece.place() + i, 1);
                } else {
                    extents.put(
                            replica.extents(),
                            block,
                            run.lsn().epoch(),
                            run.lsn().seq(),
                            piece.place() + i,
                            piece.checksum(i));
                }
            }
        }
    }

    /** True when the block's present version came by the live stream and is newer than the copy. */
    private boolean cameLive(ReplicaState replica, long block, long liveEpoch, Lsn copy) {
        Chunk chunk = extents.chunk(replica.extents(), block / Chunk.BLOCKS);
        int i = (int) (block % Chunk.BLOCKS);
        return chunk.isOwn(i) && chunk.epoch(i) == liveEpoch && new Lsn(chunk.epoch(i), chunk.seq(i)).isAfter(copy);
    }

    private void changed(ReplicaRecord record) {
        ReplicaState replica = replicas.get(record.volume());
        if (replica == null) {
            replica = new ReplicaState(nextReplica++, record);
            replicas.put(record.volume(), replica);
        } else {
            replica.change(record);
        }
        touched.add(replica);
    }

    // ---- snapshots and clones
    private void snapshotTaken(ReplicaState replica, StoredRecord.SnapshotTaken r) {
        if (replica.ancestry().addSnapshot(r.snapshot(), r.lsn())) {
            replica.ancestryChanged();
        }
        snapshotMarked(replica, r.lsn());
    }

    private void snapshotDeleted(ReplicaState replica, StoredRecord.SnapshotDeleted r) {
        if (replica.ancestry().removeSnapshot(r.snapshot())) {
            collector.collectAll(replica);
        }
        replica.ancestryChanged();
        snapshotMarked(replica, r.lsn());
    }

    /** What is made up for has no place of its own in the change log: another operation may stand there. */
    private void snapshotMarked(ReplicaState replica, Lsn lsn) {
        if (lsn.isAfter(replica.lastLsn())) {
            marked(replica, lsn);
        }
    }

    private void cloned(StoredRecord.Cloned r) {
        ReplicaState parent = replicas.get(r.parent());
        if (parent == null || replicas.containsKey(r.volume()) || !canClone(parent, r.at())) {
            return;
        }
        ReplicaState clone = new ReplicaState(nextReplica++, r.record());
        clone.ancestry().setParent(new Ancestry.Parent(parent.extents().number(), r.at()));
        clone.extents().setParent(new ReplicaExtents.Parent(parent.extents(), r.at()));
        clone.ancestryChanged();
        parent.ancestry().addClone(clone.extents().number(), r.at());
        parent.ancestryChanged();
        replicas.put(r.volume(), clone);
        touched.add(parent);
        touched.add(clone);
    }

    private static boolean canClone(ReplicaState parent, Lsn at) {
        return parent.ancestry().hasRoomForClone()
                && (parent.lastLsn().equals(at) || parent.extents().pins().contains(at))
                && parent.extents().layers(at).size() < MAX_CHAIN;
    }

    private void deleted(VolumeId volume) {
        ReplicaState replica = replicas.remove(volume);
        if (replica == null) {
            return;
        }
        int number = replica.extents().number();
        // What waits to be written of its chunks still is: collection finds their places in the index, clones their
        // content.
        forgotten.add(replica.extents());
        replica.ancestry().removeAllSnapshots();
        if (replica.ancestry().hasClones()) {
            replica.retire();
            collector.collectAll(replica);
            replica.ancestryChanged();
            batch.put(MetadataKeys.retired(number), new byte[0]);
            retired.put(number, replica);
            touched.add(replica);
        } else {
            remove(replica);
        }
    }

    /** Nobody reads from the replica any more, which may free what it was cloned from. */
    private void remove(ReplicaState replica) {
        int number = replica.extents().number();
        touched.remove(replica);
        for (byte[] key : List.of(
                MetadataKeys.head(number),
                MetadataKeys.progress(number),
                MetadataKeys.ancestry(number),
                MetadataKeys.retired(number))) {
            batch.delete(key);
        }
        collector.replicaDeleted(replica, batch);
        retired.remove(number);
        replica.ancestry().parent().ifPresent(parent -> released(parent.replica(), number));
    }

    private void released(int parentNumber, int clone) {
        ReplicaState parent = byNumber(parentNumber);
        parent.ancestry().removeClone(clone);
        if (retired.containsKey(parentNumber) && !parent.ancestry().hasClones()) {
            remove(parent);
        } else {
            collector.collectAll(parent);
            parent.ancestryChanged();
            touched.add(parent);
        }
    }

    private ReplicaState byNumber(int number) {
        ReplicaState found = retired.get(number);
        if (found != null) {
            return found;
        }
        return replicas.values().stream()
                .filter(replica -> replica.extents().number() == number)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("there is no replica number " + number));
    }

    /** Ends a batch of the log: writes all it changed, with the new position of the log. */
    void commit(LogPosition position) {
        log = position;
        for (ReplicaState replica : touched) {
            writeState(replica);
            if (replica.takeProgressDirty()) {
                ChangeLog.trim(batch, replica, cursor);
                batch.put(MetadataKeys.progress(replica.extents().number()), replica.encodeProgress());
                replica.takeProgressDirty();
            }
        }
        touched.clear();
        write();
        forgotten.forEach(extents::forget);
        forgotten.clear();
        if (inheritanceChanged) {
            extents.forgetAll();
            inheritanceChanged = false;
        }
    }

    private void writeState(ReplicaState replica) {
        int number = replica.extents().number();
        if (replica.takeRecordDirty()) {
            batch.put(MetadataKeys.head(number), replica.encodeHead());
        }
        if (replica.takeAncestryDirty()) {
            batch.put(MetadataKeys.ancestry(number), replica.ancestry().encode());
        }
    }

    private void write() {
        extents.flush(batch);
        mutation++;
        batch.put(MetadataKeys.applied(), applied().encode());
        bytesSinceCheckpoint += batch.sizeBytes();
        metadata.write(batch);
        batch.clear();
        extents.trimCache();
    }

    private AppliedState applied() {
        return new AppliedState(log, mutation, nextReplica, allocator.zeroedEnd());
    }

    // ---- checkpoints
    /** Writes the pages of bitmap and region tables that changed, marked with the present moment. Not yet durable. */
    void writePages() {
        mutation++;
        byte[] applied = applied().encode();
        allocator.takeDirtyPages((page, content) -> batch.put(MetadataKeys.bitmapPage(page), content));
        for (ReplicaState replica : replicas.values()) {
            int number = replica.extents().number();
            replica.extents()
                    .regions()
                    .takeDirtyPages((page, content) -> batch.put(MetadataKeys.regionPage(number, page), content));
        }
        batch.put(MetadataKeys.applied(), applied);
        batch.put(MetadataKeys.checkpointed(), applied);
        metadata.write(batch);
        batch.clear();
        bytesSinceCheckpoint = 0;
    }

    /** Bytes of changes that only the log holds durably. */
    long bytesSinceCheckpoint() {
        return bytesSinceCheckpoint;
    }

    /** For recovery: something that was durable is lost; nobody knows of which replica. */
    void damageAll() {
        for (ReplicaState replica : replicas.values()) {
            replica.damaged();
            touched.add(replica);
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

    Collection<ReplicaState> retired() {
        return retired.values();
    }

    boolean hasCollectable() {
        return collector.hasWork();
    }

    /** A step of collection that looks at about {@code most} entries. Only between two batches of the log. */
    void collect(int most) {
        collector.step(most, batch);
        write();
    }

    // ---- reading
    Optional<ReplicaState> find(VolumeId volume) {
        return Optional.ofNullable(replicas.get(volume));
    }

    Collection<ReplicaState> replicas() {
        return replicas.values();
    }

    /** The replica with the lowest local number from {@code number} on, retired ones included. */
    Optional<ReplicaState> nextFrom(int number) {
        return Stream.concat(replicas.values().stream(), retired.values().stream())
                .filter(replica -> replica.extents().number() >= number)
                .min(Comparator.comparingInt(replica -> replica.extents().number()));
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
