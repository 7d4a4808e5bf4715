package io.gabion.core.session;

import io.gabion.core.message.ClientMessage.PhaseTimes;
import org.jspecify.annotations.Nullable;

/** A request of the front end until it is completed. */
final class Pending {
    final BlockRequest request;
    final long arrivedNanos;
    int partsLeft;
    /** First failure of a part; the others still run to their end. */
    @Nullable
    BlockOutcome failure;

    PhaseTimes slowest = PhaseTimes.NONE;

    Pending(BlockRequest request, long arrivedNanos) {
        this.request = request;
        this.arrivedNanos = arrivedNanos;
    }

    void took(PhaseTimes times) {
        if (times.localMicros() + times.replicaMicros() >= slowest.localMicros() + slowest.replicaMicros()) {
            slowest = times;
        }
    }

    void releasePayload() {
        request.payload().ifPresent(payload -> payload.release());
    }
}
