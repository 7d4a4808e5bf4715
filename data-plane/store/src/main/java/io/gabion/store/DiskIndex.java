package io.gabion.store;

import io.gabion.core.message.RequestId;
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
import io.gabion.store.log.LogPosition;
import io.gabion.store.log.Piece;
import io.gabion.store.log.StoredRecord;
import io.gabion.store.metadata.MetadataBatch;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The index of a disk: applies records of the log, in order, the same way live and in replay. What a batch of the log changes
 * goes to the metadata in one batch together with the position of the log. Belongs to the owner loop.
 */
final class DiskIndex implements AutoCloseable {
    private final MetadataStore metadata;
    private final BlockAllocator allocator;
    private final ExtentMap extents;
    private final MetadataStore.MetadataCursor cursor;
    private final Map<VolumeId, ReplicaState> replicas = new LinkedHashMap<>();
    /** Local numbers of deleted replicas whose entries are still there. */
    private final TreeSet<Integer> deleted = new TreeSet<>();

    /** Changed by the batch of the log that is being applied. */
    private final Set<ReplicaState> touched = new LinkedHashSet<>();

    private final MetadataBatch batch = new MetadataBatch();
    private long bytesSinceCheckpoint;
    private LogPosition log;
    private long mutation;
    private int nextReplica = 1;

    DiskIndex(MetadataStore metadata, BlockAllocator allocator, long extentCacheBytes, LogPosition log) {
        this.metadata = metadata;
        this.allocator = allocator;
        this.extents = new ExtentMap(metadata, allocator, extentCacheBytes);
        this.cursor = metadata.cursor();
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
        for (ReplicaState state : states) {
            metadata.get(MetadataKeys.progress(state.extents().number())).ifPresent(state::decodeProgress);
            replicas.put(state.record().volume(), state);
            loadRegions(state);
        }
        for (cursor.seek(MetadataKeys.kind('D'));
                cursor.valid() && MetadataKeys.isNumbered(cursor.key(), 'D');
                cursor.next()) {
            deleted.add(MetadataKeys.number(cursor.key()));
        }
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
            case StoredRecord.ReplicaChanged r -> changed(r.record());
            case StoredRecord.ReplicaDeleted r -> deleted(r.volume());
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
        return chunk.state(i) != Chunk.ABSENT
                && chunk.epoch(i) == liveEpoch
                && new Lsn(chunk.epoch(i), chunk.seq(i)).isAfter(copy);
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

    private void deleted(VolumeId volume) {
        ReplicaState replica = replicas.remove(volume);
        if (replica == null) {
            return;
        }
        int number = replica.extents().number();
        touched.remove(replica);
        extents.flush(batch);
        extents.forget(replica.extents());
        batch.delete(MetadataKeys.head(number));
        batch.delete(MetadataKeys.progress(number));
        batch.put(MetadataKeys.deleted(number), new byte[0]);
        deleted.add(number);
    }

    /** Ends a batch of the log: writes all it changed, with the new position of the log. */
    void commit(LogPosition position) {
        log = position;
        for (ReplicaState replica : touched) {
            if (replica.takeRecordDirty()) {
                batch.put(MetadataKeys.head(replica.extents().number()), replica.encodeHead());
            }
            if (replica.takeProgressDirty()) {
                ChangeLog.trim(batch, replica, cursor);
                batch.put(MetadataKeys.progress(replica.extents().number()), replica.encodeProgress());
                replica.takeProgressDirty();
            }
        }
        touched.clear();
        write();
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

    // ---- collection of deleted replicas
    Set<Integer> deletedNumbers() {
        return deleted;
    }

    boolean hasDeleted() {
        return !deleted.isEmpty();
    }

    /** Removes at most {@code most} entries of deleted replicas. */
    void collectDeleted(int most) {
        int number = deleted.first();
        int left = most;
        for (char kind : new char[] {'E', 'L', 'R'}) {
            cursor.seek(MetadataKeys.numbered(kind, number));
            while (left > 0 && cursor.valid() && MetadataKeys.isOf(cursor.key(), kind, number)) {
                if (kind == 'E') {
                    freeExtent(cursor.key(), cursor.value(), number);
                }
                batch.delete(cursor.key());
                left--;
                cursor.next();
            }
        }
        if (left > 0) {
            batch.delete(MetadataKeys.deleted(number));
            deleted.remove(number);
        }
        write();
    }

    private void freeExtent(byte[] key, byte[] value, int number) {
        Chunk single = ExtentMap.decode(key, value, number);
        for (int i = 0; i < Chunk.BLOCKS; i++) {
            if (single.isData(i)) {
                allocator.free(single.place(i), 1);
            }
        }
    }

    // ---- reading
    Optional<ReplicaState> find(VolumeId volume) {
        return Optional.ofNullable(replicas.get(volume));
    }

    Collection<ReplicaState> replicas() {
        return replicas.values();
    }

    Chunk chunk(ReplicaExtents replica, long number) {
        return extents.chunk(replica, number);
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
                        RecoveredReplica.MAX_REQUESTS));
    }

    /** Bytes that the replica's data takes. */
    long mappedBytes(ReplicaState state) {
        return state.extents().mappedBlocks() * BlockGeometry.BLOCK_BYTES;
    }

    @Override
    public void close() {
        cursor.close();
        extents.close();
    }
}
