package io.gabion.store;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.port.LogRecord;
import io.gabion.model.Lsn;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import io.gabion.store.log.BatchBuilder.Item;
import io.gabion.store.log.StoredRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * A few operations on a disk that holds a volume with some data, a snapshot of it, newer data, and a clone of the snapshot; runs
 * them on the real store and says what must come of it.
 */
final class CrashWorkload {
    private static final VolumeId VOLUME = new VolumeId(new UUID(5, 1));
    private static final VolumeId CLONE = new VolumeId(new UUID(5, 2));
    private static final int FIRST_BLOCKS = 6;
    /** After those of all parents. */
    private static final long CLONE_EPOCH = 1000;

    private static final UUID CLIENT = new UUID(8, 8);

    /** What a workload consists of. */
    enum Operation {
        WRITE,
        OVERWRITE,
        TRIM,
        GROW,
        MARK,
        PROMISE,
        OPEN_SESSION,
        RESYNC_CHUNK,
        RESYNC_SNAPSHOT,
        REPAIR,
        QUARANTINE,
        FLUSH_INDEX,
        SNAPSHOT,
        DELETE_SNAPSHOT,
        CLONE,
        WRITE_CLONE,
        DELETE_CLONE;

        boolean writesData() {
            return this == WRITE || this == OVERWRITE || this == RESYNC_CHUNK;
        }
    }

    private final List<Operation> operations;
    private final boolean together;
    private final Random random;
    /** Parents stand before their clones. */
    private final Map<VolumeId, VolumeModel> models = new LinkedHashMap<>();

    private final VolumeModel model;
    private final List<Item> first;
    /** Clones that exist, the newest last. */
    private final Deque<VolumeModel> clones = new ArrayDeque<>();
    /** Number of records of each volume after each number of operations. */
    private final List<Map<VolumeId, Integer>> recordsAfter = new ArrayList<>();

    private long epoch = 1;
    private long seq = 3;
    private long cloneSeq;
    private long snapshot = 1;

    CrashWorkload(List<Operation> operations, boolean together, long seed) {
        this.operations = List.copyOf(operations);
        this.together = together;
        this.random = new Random(seed);
        this.model = new VolumeModel(VOLUME);
        models.put(VOLUME, model);
        first = first();
        noteRecords();
    }

    private List<Item> first() {
        List<Item> items = new ArrayList<>();
        items.add(model.add(StoreRig.created(VOLUME, VolumeModel.SIZE), new byte[0]));
        byte[] content = StoreRig.filled(FIRST_BLOCKS, 0x11);
        items.add(model.add(StoreRig.written(1, 1, 0, content), content));
        items.add(model.add(new StoredRecord.SnapshotTaken(VOLUME, new Lsn(1, 2), 1)));
        byte[] newer = StoreRig.filled(2, 0x22);
        items.add(model.add(StoreRig.written(1, 3, 1, newer), newer));
        VolumeModel clone = model.cloned(CLONE, new Lsn(1, 2));
        models.put(CLONE, clone);
        clones.add(clone);
        items.add(clone.first());
        return items;
    }

    /** A disk that holds what every workload begins with, closed. */
    static TracedDisk.AtRest base(Path directory) throws IOException {
        TracedDisk disk = new TracedDisk(directory);
        try (StoreRig rig = StoreRig.open(StoreRig.quietOptions(), disk)) {
            // Payloads can be read once: these are not those of the workloads' models.
            new CrashWorkload(List.of(), false, 0).first.forEach(rig::appendNow);
        }
        return disk.base();
    }

    Collection<VolumeModel> models() {
        return models.values();
    }

    /** How many records of the volume an operation count stands for. */
    int records(VolumeId volume, int operationCount) {
        return recordsAfter.get(operationCount).getOrDefault(volume, 0);
    }

    private void noteRecords() {
        Map<VolumeId, Integer> records = new HashMap<>();
        models.forEach((volume, each) -> records.put(volume, each.size()));
        recordsAfter.add(records);
    }

    boolean contains(List<Operation> wanted) {
        return operations.containsAll(wanted);
    }

    boolean writesData() {
        return operations.stream().anyMatch(Operation::writesData);
    }

    @Override
    public String toString() {
        return operations + (together ? " together" : "");
    }

    /** Runs on a copy of the base; returns what happened to the disk. */
    List<TracedDisk.Step> run(TracedDisk disk) throws IOException {
        StoreRig rig = StoreRig.open(StoreRig.quietOptions(), disk);
        try {
            if (together) {
                runTogether(rig, disk);
            } else {
                runInTurn(rig, disk);
            }
        } finally {
            rig.abandon();
        }
        return disk.trace();
    }

    private void runInTurn(StoreRig rig, TracedDisk disk) {
        for (int i = 0; i < operations.size(); i++) {
            disk.add(new TracedDisk.Step.Submitted(i + 1));
            if (operations.get(i) == Operation.FLUSH_INDEX) {
                rig.checkpoint();
            } else {
                rig.appendNow(next(operations.get(i)));
            }
            noteRecords();
            disk.add(new TracedDisk.Step.Acknowledged(i + 1));
        }
    }

    /** All in one batch of the log, as far as they are records. */
    private void runTogether(StoreRig rig, TracedDisk disk) {
        disk.add(new TracedDisk.Step.Submitted(operations.size()));
        List<CompletableFuture<?>> open = rig.onLoop(() -> {
            List<CompletableFuture<?>> futures = new ArrayList<>();
            for (Operation operation : operations) {
                if (operation == Operation.FLUSH_INDEX) {
                    futures.add(rig.store.checkpoint().toCompletableFuture());
                } else {
                    futures.add(rig.appendHere(next(operation)));
                }
                noteRecords();
            }
            return futures;
        });
        open.forEach(StoreRig::get);
        disk.add(new TracedDisk.Step.Acknowledged(operations.size()));
    }

    private Item next(Operation operation) {
        return switch (operation) {
            case WRITE -> write(40 + random.nextInt(20), 4);
            case OVERWRITE -> write(random.nextInt(3), 4);
            case TRIM -> model.add(StoreRig.trimmed(epoch, ++seq, 1 + random.nextInt(2), 3), new byte[0]);
            case GROW -> model.add(new LogRecord.Grown(new Lsn(epoch, ++seq), 2 * VolumeModel.SIZE), new byte[0]);
            case MARK -> mark();
            case PROMISE -> {
                epoch++;
                seq = 0;
                yield model.add(
                        new LogRecord.ReplicaChanged(
                                StoreRig.record(VOLUME, VolumeModel.SIZE, epoch, 0, new Lsn(epoch, 0))),
                        new byte[0]);
            }
            case OPEN_SESSION ->
                model.add(
                        new LogRecord.SessionOpened(new Lsn(epoch, ++seq), new SessionId(1, seq, CLIENT)), new byte[0]);
            case RESYNC_CHUNK -> copy();
            case RESYNC_SNAPSHOT -> copyUnder();
            case REPAIR -> repair();
            case QUARANTINE -> quarantine();
            case FLUSH_INDEX -> throw new IllegalStateException("not a record");
            case SNAPSHOT -> model.add(new StoredRecord.SnapshotTaken(VOLUME, new Lsn(epoch, ++seq), ++snapshot));
            case DELETE_SNAPSHOT ->
                // After the last one: of one that is not there.
                model.add(new StoredRecord.SnapshotDeleted(
                        VOLUME, new Lsn(epoch, ++seq), snapshot == 0 ? 1 : snapshot--));
            case CLONE -> cloneNewest();
            case WRITE_CLONE -> clones.isEmpty() ? mark() : writeClone(clones.getLast());
            case DELETE_CLONE ->
                clones.isEmpty() ? mark() : clones.removeLast().add(new LogRecord.ReplicaDeleted(), new byte[0]);
        };
    }

    private Item mark() {
        return model.add(new LogRecord.Marked(new Lsn(epoch, ++seq)), new byte[0]);
    }

    private Item cloneNewest() {
        VolumeId id = new VolumeId(new UUID(5, 2 + models.size()));
        VolumeModel clone = model.cloned(id, model.stateAfter(model.size()).lastLsn);
        models.put(id, clone);
        clones.add(clone);
        return clone.first();
    }

    private Item writeClone(VolumeModel clone) {
        byte[] content = new byte[3 * 4096];
        random.nextBytes(content);
        return clone.add(StoreRig.written(CLONE_EPOCH, ++cloneSeq, random.nextInt(4), content), content);
    }

    private Item write(long block, int blocks) {
        byte[] content = new byte[blocks * 4096];
        random.nextBytes(content);
        return model.add(StoreRig.written(epoch, ++seq, block, content), content);
    }

    /** As a replica that was away receives snapshot 1: some blocks of it were others, one was a hole. */
    private Item copyUnder() {
        byte[] content = new byte[3 * 4096];
        random.nextBytes(content);
        return model.add(
                new LogRecord.CopiedUnder(
                        epoch,
                        new Lsn(1, 2),
                        List.of(
                                new BlockRun(
                                        random.nextInt(3),
                                        3,
                                        new Lsn(1, 1 + random.nextInt(2)),
                                        Optional.of(HeapPayload.of(content))),
                                new BlockRun(5, 1, Lsn.ZERO, Optional.empty()))),
                content);
    }

    /** The right content of a block, whether it is at the head, only under a snapshot, or was overwritten. */
    private Item repair() {
        int block = random.nextInt(FIRST_BLOCKS);
        byte[] content = StoreRig.filled(1, 0x11);
        return model.add(
                new LogRecord.Repaired(new BlockRun(block, 1, new Lsn(1, 1), Optional.of(HeapPayload.of(content)))),
                new byte[0]);
    }

    /** One of the first places, which hold the first blocks or batches of the log. */
    private Item quarantine() {
        long place = 1L + random.nextInt(24);
        return model.add(new Item.Ready(new StoredRecord.Quarantined(VOLUME, 0, new Lsn(1, 1), place, 1)), new byte[0]);
    }

    /** Data over data, a hole over data, and data where nothing was. */
    private Item copy() {
        byte[] content = new byte[4 * 4096];
        random.nextBytes(content);
        byte[] first = Arrays.copyOfRange(content, 0, 2 * 4096);
        byte[] second = Arrays.copyOfRange(content, 2 * 4096, 4 * 4096);
        // Nothing is copied that the stream has not reached.
        Lsn lsn = new Lsn(1, 1 + random.nextInt(3));
        // Where an older hole goes depends on the clones that are left, which the model of one volume does not know.
        boolean cloneDeleted = clones.size() < models.size() - 1;
        Lsn hole = cloneDeleted ? new Lsn(epoch, seq) : Lsn.ZERO;
        return model.add(
                new LogRecord.Copied(
                        epoch,
                        List.of(
                                new BlockRun(1, 2, lsn, Optional.of(HeapPayload.of(first))),
                                new BlockRun(4, 1, hole, Optional.empty()),
                                new BlockRun(30, 2, lsn, Optional.of(HeapPayload.of(second))))),
                content);
    }
}
