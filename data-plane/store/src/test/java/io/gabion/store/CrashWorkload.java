package io.gabion.store;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.port.LogRecord;
import io.gabion.model.Lsn;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** A few operations on a disk that holds one volume with some data; runs them on the real store and says what must come of it. */
final class CrashWorkload {
    static final VolumeId VOLUME = new VolumeId(new UUID(5, 1));
    private static final int BASE_BLOCKS = 6;
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
        FLUSH_INDEX;

        boolean writesData() {
            return this == WRITE || this == OVERWRITE || this == RESYNC_CHUNK;
        }
    }

    private final List<Operation> operations;
    private final boolean together;
    private final Random random;
    private final VolumeModel model = baseModel();
    private final int baseRecords = model.size();
    /** Records of the model after each number of operations. */
    private final List<Integer> recordsAfter = new ArrayList<>(List.of(baseRecords));

    private long epoch = 1;
    private long seq = 1;

    CrashWorkload(List<Operation> operations, boolean together, long seed) {
        this.operations = List.copyOf(operations);
        this.together = together;
        this.random = new Random(seed);
    }

    private static VolumeModel baseModel() {
        VolumeModel model = new VolumeModel(VOLUME);
        model.add(StoreRig.created(VOLUME, VolumeModel.SIZE), new byte[0]);
        byte[] content = StoreRig.filled(BASE_BLOCKS, 0x11);
        model.add(StoreRig.written(1, 1, 0, content), content);
        return model;
    }

    /** A disk that holds what every workload begins with, closed. */
    static TracedDisk.AtRest base(Path directory) throws IOException {
        TracedDisk disk = new TracedDisk(directory);
        try (StoreRig rig = StoreRig.open(StoreRig.quietOptions(), disk)) {
            rig.appendNow(VOLUME, StoreRig.created(VOLUME, VolumeModel.SIZE));
            rig.appendNow(VOLUME, StoreRig.written(1, 1, 0, StoreRig.filled(BASE_BLOCKS, 0x11)));
        }
        return disk.base();
    }

    List<Operation> operations() {
        return operations;
    }

    VolumeModel model() {
        return model;
    }

    /** How many records of the model an operation count stands for. */
    int records(int operationCount) {
        return recordsAfter.get(operationCount);
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
                rig.appendNow(VOLUME, next(operations.get(i)));
            }
            recordsAfter.add(model.size());
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
                    futures.add(rig.appendHere(VOLUME, next(operation)));
                }
                recordsAfter.add(model.size());
            }
            return futures;
        });
        open.forEach(StoreRig::get);
        disk.add(new TracedDisk.Step.Acknowledged(operations.size()));
    }

    private LogRecord next(Operation operation) {
        return switch (operation) {
            case WRITE -> write(40 + random.nextInt(20), 4);
            case OVERWRITE -> write(random.nextInt(3), 4);
            case TRIM -> model.add(StoreRig.trimmed(epoch, ++seq, 1 + random.nextInt(2), 3), new byte[0]);
            case GROW -> model.add(new LogRecord.Grown(new Lsn(epoch, ++seq), 2 * VolumeModel.SIZE), new byte[0]);
            case MARK -> model.add(new LogRecord.Marked(new Lsn(epoch, ++seq)), new byte[0]);
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
            case FLUSH_INDEX -> throw new IllegalStateException("not a record");
        };
    }

    private LogRecord write(long block, int blocks) {
        byte[] content = new byte[blocks * 4096];
        random.nextBytes(content);
        return model.add(StoreRig.written(epoch, ++seq, block, content), content);
    }

    /** Data over data, a hole over data, and data where nothing was. */
    private LogRecord copy() {
        byte[] content = new byte[4 * 4096];
        random.nextBytes(content);
        byte[] first = java.util.Arrays.copyOfRange(content, 0, 2 * 4096);
        byte[] second = java.util.Arrays.copyOfRange(content, 2 * 4096, 4 * 4096);
        Lsn lsn = new Lsn(1, 1 + random.nextInt(3));
        return model.add(
                new LogRecord.Copied(
                        epoch,
                        List.of(
                                new BlockRun(1, 2, lsn, Optional.of(HeapPayload.of(first))),
                                new BlockRun(4, 1, Lsn.ZERO, Optional.empty()),
                                new BlockRun(30, 2, lsn, Optional.of(HeapPayload.of(second))))),
                content);
    }
}
