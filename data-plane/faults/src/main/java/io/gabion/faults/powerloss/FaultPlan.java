package io.gabion.faults.powerloss;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * What all injected faults together do to one operation.
 *
 * @param delayNanos to wait first
 * @param gates to be passed before it is done; empty when nothing hangs
 * @param errno fails the operation; 0 when not
 * @param syncErrno fails the sync, or the sync part of the write; 0 when not
 * @param swallow the write is not done
 * @param misdirectBytes the write is done so far away
 * @param flipBit the answer of the read is damaged
 */
record FaultPlan(
        long delayNanos,
        List<CompletableFuture<Void>> gates,
        int errno,
        int syncErrno,
        boolean swallow,
        long misdirectBytes,
        boolean flipBit) {
    static final FaultPlan NONE = new FaultPlan(0, List.of(), 0, 0, false, 0, false);

    boolean waits() {
        return delayNanos > 0 || !gates.isEmpty();
    }
}
