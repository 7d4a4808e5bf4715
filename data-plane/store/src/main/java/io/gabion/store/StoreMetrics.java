package io.gabion.store;

import java.util.concurrent.atomic.LongAdder;

/** Counters of one disk since it was opened, readable from any thread, and one hook for latencies. */
public final class StoreMetrics {
    private final LongAdder batches = new LongAdder();
    private final LongAdder records = new LongAdder();
    private final LongAdder dataBytes = new LongAdder();
    private final LongAdder writtenBytes = new LongAdder();
    private final LongAdder scatteredBatches = new LongAdder();
    private final LongAdder reads = new LongAdder();
    private final LongAdder readBytes = new LongAdder();
    private final LongAdder checksumFailures = new LongAdder();
    private final LongAdder readErrors = new LongAdder();
    private final LongAdder checkpoints = new LongAdder();
    private volatile Observer observer = new Observer() {};

    /** Takes durations, in nanoseconds, on the owner loop. */
    public interface Observer {
        /** A batch became durable. */
        default void batchDurable(int recordCount, long nanos) {}

        default void readDone(long nanos) {}

        default void checkpointDone(long nanos) {}
    }

    public void observe(Observer newObserver) {
        observer = newObserver;
    }

    void batch(int recordCount, long data, long written, boolean scattered, long nanos) {
        batches.increment();
        records.add(recordCount);
        dataBytes.add(data);
        writtenBytes.add(written);
        if (scattered) {
            scatteredBatches.increment();
        }
        observer.batchDurable(recordCount, nanos);
    }

    void read(long bytes, long nanos) {
        reads.increment();
        readBytes.add(bytes);
        observer.readDone(nanos);
    }

    void blockBad(boolean unreadable) {
        (unreadable ? readErrors : checksumFailures).increment();
    }

    void checkpoint(long nanos) {
        checkpoints.increment();
        observer.checkpointDone(nanos);
    }

    public long batches() {
        return batches.sum();
    }

    public long records() {
        return records.sum();
    }

    /** Payload bytes made durable. */
    public long dataBytes() {
        return dataBytes.sum();
    }

    /** Bytes written to the data file for them, headers included. */
    public long writtenBytes() {
        return writtenBytes.sum();
    }

    /** Batches whose data had no room behind their header. */
    public long scatteredBatches() {
        return scatteredBatches.sum();
    }

    public long reads() {
        return reads.sum();
    }

    public long readBytes() {
        return readBytes.sum();
    }

    /** How often a block failed its checksum. */
    public long checksumFailures() {
        return checksumFailures.sum();
    }

    /** How often the disk could not read a block. */
    public long readErrors() {
        return readErrors.sum();
    }

    public long checkpoints() {
        return checkpoints.sum();
    }
}
