package io.gabion.faults.powerloss;

import java.util.concurrent.atomic.LongAdder;

/** The running counts. */
final class IoCounters {
    final LongAdder reads = new LongAdder();
    final LongAdder writes = new LongAdder();
    final LongAdder syncs = new LongAdder();
    final LongAdder bytesRead = new LongAdder();
    final LongAdder bytesWritten = new LongAdder();
    final LongAdder swallowed = new LongAdder();
    final LongAdder ignoredSyncs = new LongAdder();
    final LongAdder failed = new LongAdder();
    final LongAdder writtenBack = new LongAdder();

    IoCounts snapshot(long unsyncedBytes) {
        return new IoCounts(
                reads.sum(),
                writes.sum(),
                syncs.sum(),
                bytesRead.sum(),
                bytesWritten.sum(),
                swallowed.sum(),
                ignoredSyncs.sum(),
                failed.sum(),
                writtenBack.sum(),
                unsyncedBytes);
    }
}
