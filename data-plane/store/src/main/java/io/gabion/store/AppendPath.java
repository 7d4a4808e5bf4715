package io.gabion.store;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.Payload;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.model.BlockGeometry;
import io.gabion.model.VolumeId;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.log.BatchBuilder;
import io.gabion.store.log.BatchHeader;
import io.gabion.store.log.StoredRecord;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Group commit. At most one batch is in flight; what arrives meanwhile forms the next one, without a timer. Belongs to the owner
 * loop.
 */
final class AppendPath {
    /** A batch that trimmed this much is not made longer: applying it takes milliseconds of the loop. */
    private static final long MAX_TRIMMED_BYTES = BlockGeometry.MAX_TRIM_BYTES;

    /** Of an append that nobody waits for. */
    static final long NO_TICKET = -1;

    private final Executor loop;
    private final BlockDevice device;
    private final BatchBuilder builder;
    private final BlockAllocator allocator;
    private final DiskIndex index;
    private final StoreEvents events;
    private final StoreMetrics metrics;
    private final Fault fault;
    private final HealthWatch health;
    private final Listener listener;

    private final Deque<Queued> queue = new ArrayDeque<>();
    private long queuedDataBytes;
    private boolean turnScheduled;
    private boolean inFlight;
    private boolean waitsForSpace;

    /** What else happens after a batch. */
    interface Listener {
        /** The batch is durable and applied; {@code volumes} had records in it. */
        void applied(Iterable<VolumeId> volumes, long writtenBytes);

        /** No room for the next batch. False: nothing will make room. */
        boolean spaceNeeded();
    }

    private sealed interface Queued {
        record Append(VolumeId volume, long ticket, BatchBuilder.Item item, int dataBlocks, int recordBytes)
                implements Queued {}

        record Barrier(Runnable action) implements Queued {}
    }

    AppendPath(Engine engine, BatchBuilder builder, HealthWatch health, Listener listener) {
        this.loop = engine.loop();
        this.device = engine.device();
        this.builder = builder;
        this.allocator = engine.allocator();
        this.index = engine.index();
        this.events = engine.notifier().events();
        this.metrics = engine.notifier().metrics();
        this.fault = engine.notifier().fault();
        this.health = health;
        this.listener = listener;
    }

    /** Takes the payloads of the record over. */
    void append(VolumeId volume, long ticket, BatchBuilder.Item item) {
        if (fault.isSet()) {
            release(item);
            loop.execute(() -> events.accept(volume, new Event.StoreFaulted(fault.reason())));
            return;
        }
        int dataBlocks = BatchBuilder.dataBlocks(item);
        int recordBytes = builder.maxRecordBytes(item);
        if (dataBlocks > BatchBuilder.MAX_DATA_BLOCKS || recordBytes > BatchHeader.MAX_RECORD_BYTES) {
            release(item);
            throw new IllegalArgumentException("a record of " + dataBlocks + " blocks of data and " + recordBytes
                    + " bytes is larger than a batch may be");
        }
        queue.add(new Queued.Append(volume, ticket, item, dataBlocks, recordBytes));
        queuedDataBytes += (long) dataBlocks * BlockGeometry.BLOCK_BYTES;
        schedule();
    }

    /** Runs {@code action} when everything appended before is applied and nothing appended later. */
    void afterQueued(Runnable action) {
        queue.add(new Queued.Barrier(action));
        schedule();
    }

    /** Bytes of data that wait for their batch. */
    long queuedDataBytes() {
        return queuedDataBytes;
    }

    boolean isIdle() {
        return queue.isEmpty() && !inFlight;
    }

    /** A checkpoint or a reader has ended. */
    void spaceMayHaveCome() {
        if (waitsForSpace) {
            waitsForSpace = false;
            schedule();
        }
    }

    private void schedule() {
        if (!turnScheduled && !inFlight && !waitsForSpace) {
            turnScheduled = true;
            // Not at once: what the present turn of the loop still appends goes into the same batch.
            loop.execute(() -> {
                turnScheduled = false;
                turn();
            });
        }
    }

    private void turn() {
        if (inFlight || waitsForSpace || fault.isSet()) {
            return;
        }
        while (queue.peek() instanceof Queued.Barrier barrier) {
            queue.remove();
            barrier.action().run();
        }
        if (queue.isEmpty()) {
            return;
        }
        try {
            submit();
        } catch (RuntimeException e) {
            fault.set("a batch could not be written", e);
        }
    }

    private void submit() {
        List<Queued.Append> taken = new ArrayList<>();
        int blocks = 0;
        int bytes = 0;
        long trimmed = 0;
        for (Queued queued : queue) {
            if (!(queued instanceof Queued.Append append)
                    || blocks + append.dataBlocks() > BatchBuilder.MAX_DATA_BLOCKS
                    || bytes + append.recordBytes() > BatchHeader.MAX_RECORD_BYTES
                    || trimmed > MAX_TRIMMED_BYTES) {
                break;
            }
            taken.add(append);
            blocks += append.dataBlocks();
            bytes += append.recordBytes();
            trimmed += append.item() instanceof BatchBuilder.Item.Change(var _, LogRecord.Trimmed trim)
                    ? trim.range().length()
                    : 0;
        }
        List<BatchBuilder.Item> items = new ArrayList<>(taken.size());
        for (Queued.Append append : taken) {
            items.add(append.item());
        }
        Optional<BatchBuilder.Batch> built = builder.build(index.log(), items);
        if (built.isEmpty()) {
            waitsForSpace = true;
            if (!listener.spaceNeeded()) {
                fault.set("the disk is full: " + allocator.freeBlocks() + " blocks are free, " + blocks
                        + " and room for the log are needed");
            }
            return;
        }
        Map<VolumeId, Long> tickets = new LinkedHashMap<>();
        for (Queued.Append append : taken) {
            queue.remove();
            release(append.item());
            if (append.ticket() != NO_TICKET) {
                tickets.merge(append.volume(), append.ticket(), Math::max);
            }
        }
        queuedDataBytes -= (long) blocks * BlockGeometry.BLOCK_BYTES;
        inFlight = true;
        long operation = health.begin();
        BatchBuilder.Batch batch = built.get();
        device.writeDurably(batch.pieces(), failure -> loop.execute(() -> durable(batch, tickets, operation, failure)));
    }

    private void durable(
            BatchBuilder.Batch batch, Map<VolumeId, Long> tickets, long operation, @Nullable IOException failure) {
        inFlight = false;
        long nanos = health.endOfWrite(operation);
        if (failure != null) {
            fault.set("writing the log failed: " + failure.getMessage());
            return;
        }
        if (fault.isSet()) {
            return;
        }
        try {
            apply(batch);
        } catch (RuntimeException e) {
            fault.set("applying batch " + batch.after().batch() + " failed", e);
            return;
        }
        long written = (long) (batch.headerBlocks() + batch.dataBlocks()) * BlockGeometry.BLOCK_BYTES;
        long data = (long) batch.dataBlocks() * BlockGeometry.BLOCK_BYTES;
        metrics.batch(batch.records().size(), data, written, batch.pieces().size() > 1, nanos);
        listener.applied(tickets.keySet(), written);
        // The device should not wait while the events are handled.
        turn();
        for (Map.Entry<VolumeId, Long> ticket : tickets.entrySet()) {
            events.accept(ticket.getKey(), new Event.Appended(ticket.getValue()));
        }
    }

    private void apply(BatchBuilder.Batch batch) {
        allocator.makePending(batch.headerPlace(), batch.headerBlocks());
        List<StoredRecord> records = batch.records();
        for (int i = 0; i < records.size(); i++) {
            index.apply(records.get(i), batch.after().batch(), i);
        }
        index.commit(batch.after());
    }

    /** Lets go of everything that waits; for a disk that failed. */
    void dropQueue() {
        for (Queued queued : queue) {
            if (queued instanceof Queued.Append append) {
                release(append.item());
            }
        }
        queue.clear();
        queuedDataBytes = 0;
    }

    private static void release(BatchBuilder.Item item) {
        switch (item) {
            case BatchBuilder.Item.Change change -> release(change.record());
            case BatchBuilder.Item.Ready _ -> {}
        }
    }

    static void release(LogRecord record) {
        switch (record) {
            case LogRecord.Written r -> r.payload().release();
            case LogRecord.Copied r -> release(r.runs());
            case LogRecord.CopiedUnder r -> release(r.runs());
            case LogRecord.Repaired r -> release(List.of(r.run()));
            case LogRecord.Trimmed _,
                    LogRecord.SessionOpened _,
                    LogRecord.Grown _,
                    LogRecord.Marked _,
                    LogRecord.SnapshotTaken _,
                    LogRecord.SnapshotDeleted _,
                    LogRecord.ReplicaChanged _,
                    LogRecord.ReplicaDeleted _ -> {}
        }
    }

    private static void release(List<BlockRun> runs) {
        for (BlockRun run : runs) {
            run.payload().ifPresent(Payload::release);
        }
    }
}
