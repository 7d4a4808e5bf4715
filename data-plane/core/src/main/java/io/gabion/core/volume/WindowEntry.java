package io.gabion.core.volume;

import io.gabion.core.message.Operation;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.TailEntry;
import io.gabion.model.Lsn;
import org.jspecify.annotations.Nullable;

/**
 * One operation of the primary, from its acceptance to the last acknowledgement. Owns one reference of the payload for as
 * long as a member may need it again.
 */
final class WindowEntry extends AppendQueue.Pending {
    final Operation operation;
    final RequestId request;
    /** Whom to answer, null for operations that no client asked for. */
    final @Nullable ClientSession session;

    final long arrivedNanos;
    final int payloadBytes;

    private final Primary primary;
    long epoch;
    long seq;
    long submittedNanos;
    long localNanos;
    long replicasNanos;
    private boolean holdsPayload;

    WindowEntry(Primary primary, Operation operation, @Nullable ClientSession session, long arrivedNanos) {
        this.primary = primary;
        this.operation = operation;
        this.request = operation.request();
        this.session = session;
        this.arrivedNanos = arrivedNanos;
        this.payloadBytes =
                operation instanceof Operation.Write write ? write.payload().length() : 0;
        this.holdsPayload = payloadBytes > 0;
    }

    @Override
    void durable() {
        primary.locallyDurable(this);
    }

    TailEntry asTail() {
        return new TailEntry(new Lsn(epoch, seq), operation.range(), request);
    }

    void letGo() {
        if (holdsPayload) {
            holdsPayload = false;
            Payloads.release(operation);
        }
    }
}
