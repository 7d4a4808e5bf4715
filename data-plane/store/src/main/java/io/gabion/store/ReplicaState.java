package io.gabion.store;

import io.gabion.core.port.ReplicaRecord;
import io.gabion.model.Lsn;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.log.ReplicaRecordCodec;
import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;
import io.gabion.store.metadata.MalformedMetadataException;

/** The small head that a disk keeps in memory for each of its replicas. Belongs to the owner loop. */
final class ReplicaState {
    private static final int VERSION = 1;

    private final ReplicaExtents extents;
    private ReplicaRecord record;
    private Lsn lastLsn;
    private Lsn committed = Lsn.ZERO;
    /** The change log knows everything after this. */
    private Lsn changeFloor = Lsn.ZERO;

    private long changes;
    private boolean intact = true;
    private Ancestry ancestry = new Ancestry();
    private boolean recordDirty = true;
    private boolean ancestryDirty;
    private boolean retired;
    private boolean progressDirty = true;

    ReplicaState(int number, ReplicaRecord record) {
        this.extents = new ReplicaExtents(number, record.volume());
        this.record = record;
        this.lastLsn = record.position();
    }

    ReplicaExtents extents() {
        return extents;
    }

    ReplicaRecord record() {
        return record;
    }

    Lsn lastLsn() {
        return lastLsn;
    }

    Lsn committed() {
        return committed;
    }

    Lsn changeFloor() {
        return changeFloor;
    }

    long changes() {
        return changes;
    }

    boolean intact() {
        return intact;
    }

    Ancestry ancestry() {
        return ancestry;
    }

    /** For opening: what the index holds of snapshots and clones. */
    void loadAncestry(byte[] value) {
        ancestry = Ancestry.decode(value);
        pinsChanged();
        extents.setCollecting(ancestry.isCollecting());
    }

    /** Snapshots or clones are others than before. */
    void ancestryChanged() {
        pinsChanged();
        ancestryDirty = true;
        progressDirty = true;
    }

    /** Some versions may not be seen any more: all chunks are looked at again. */
    void collectAll() {
        ancestry.collectAll();
        extents.setCollecting(true);
    }

    /** All chunks were looked at. */
    void collected() {
        ancestry.collected();
        extents.setCollecting(false);
    }

    private void pinsChanged() {
        extents.setPins(ancestry.pins());
        extents.setNewestClone(ancestry.newestClone());
    }

    boolean takeAncestryDirty() {
        boolean dirty = ancestryDirty;
        ancestryDirty = false;
        return dirty;
    }

    /** For opening. */
    void loadRetired() {
        retired = true;
    }

    boolean isRetired() {
        return retired;
    }

    /** The volume is gone, but clones still read its blocks. */
    void retire() {
        retired = true;
        extents.addPinned(extents.mappedBlocks());
        extents.setMappedBlocks(0);
        progressDirty = true;
    }

    /** The replica's own record was replaced. A new incarnation is a new start: what was damaged before is known. */
    void change(ReplicaRecord newRecord) {
        if (newRecord.incarnation() != record.incarnation()) {
            intact = true;
        }
        record = newRecord;
        lastLsn = Lsn.max(lastLsn, newRecord.position());
        recordDirty = true;
        progressDirty = true;
    }

    /** Keeps the record but notes the session. */
    void session(io.gabion.model.SessionId session) {
        if (record.session().isLowerThan(session)) {
            record = new ReplicaRecord(
                    record.volume(),
                    record.replica(),
                    record.promisedEpoch(),
                    record.record(),
                    record.incarnation(),
                    record.status(),
                    record.epochStarts(),
                    record.position(),
                    session,
                    record.requests());
            recordDirty = true;
        }
    }

    void logged(Lsn lsn) {
        lastLsn = Lsn.max(lastLsn, lsn);
        progressDirty = true;
    }

    void committed(Lsn lsn) {
        committed = Lsn.max(committed, lsn);
        progressDirty = true;
    }

    void changeAdded() {
        changes++;
        progressDirty = true;
    }

    void changesRemoved(long count, Lsn newFloor) {
        changes -= count;
        changeFloor = Lsn.max(changeFloor, newFloor);
        progressDirty = true;
    }

    void damaged() {
        intact = false;
        recordDirty = true;
    }

    void markProgressDirty() {
        progressDirty = true;
    }

    boolean takeRecordDirty() {
        boolean dirty = recordDirty;
        recordDirty = false;
        return dirty;
    }

    boolean takeProgressDirty() {
        boolean dirty = progressDirty;
        progressDirty = false;
        return dirty;
    }

    // ---- stored form: version (1), then fields
    byte[] encodeHead() {
        BinaryOutput out = new BinaryOutput(512);
        out.putByte(VERSION).putBoolean(intact);
        ReplicaRecordCodec.encode(record, out);
        return out.toBytes();
    }

    byte[] encodeProgress() {
        BinaryOutput out = new BinaryOutput(80);
        out.putByte(VERSION);
        for (Lsn lsn : new Lsn[] {lastLsn, committed, changeFloor}) {
            out.putLong(lsn.epoch()).putLong(lsn.seq());
        }
        out.putLong(changes).putLong(extents.mappedBlocks()).putLong(extents.pinnedBlocks());
        return out.toBytes();
    }

    static ReplicaState decodeHead(int number, byte[] value) {
        BinaryInput in = new BinaryInput(value);
        checkVersion(in);
        boolean intact = in.getBoolean();
        ReplicaState state = new ReplicaState(number, ReplicaRecordCodec.decode(in));
        state.intact = intact;
        state.recordDirty = false;
        state.progressDirty = false;
        return state;
    }

    void decodeProgress(byte[] value) {
        BinaryInput in = new BinaryInput(value);
        checkVersion(in);
        lastLsn = new Lsn(in.getLong(), in.getLong());
        committed = new Lsn(in.getLong(), in.getLong());
        changeFloor = new Lsn(in.getLong(), in.getLong());
        changes = in.getLong();
        extents.setMappedBlocks(in.getLong());
        // The first disks were written without snapshots.
        extents.setPinnedBlocks(in.remaining() == 0 ? 0 : in.getLong());
    }

    private static void checkVersion(BinaryInput in) {
        int version = in.getByte();
        if (version != VERSION) {
            throw new MalformedMetadataException("replica head has version " + version + ", not " + VERSION);
        }
    }
}
