package io.gabion.faults.powerloss;

import java.time.Duration;

/** What an injected fault does to an operation. */
public sealed interface FaultEffect {
    /**
     * The operation fails with this error number and does nothing. A SYNC that fails also makes the unsynced data of
     * the file unsyncable for ever, though it stays readable: so does Linux, and retrying must not help.
     */
    record Fail(int errno) implements FaultEffect {}

    /** The operation waits before it is done. */
    record Delay(Duration duration) implements FaultEffect {}

    /** The operation waits until the fault is closed or the power is cut. */
    record Hang() implements FaultEffect {}

    /** WRITE only: answered as done, but nothing was written: a phantom write. */
    record Swallow() implements FaultEffect {}

    /** WRITE only: written at another place; negative places become 0. */
    record Misdirect(long distanceBytes) implements FaultEffect {}

    /** READ only: one bit in the middle of the data is wrong in the answer. */
    record FlipBit() implements FaultEffect {}
}
