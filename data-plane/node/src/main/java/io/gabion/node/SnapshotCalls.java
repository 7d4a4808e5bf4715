package io.gabion.node;

import io.gabion.core.port.SnapshotOutcome;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Who waits for what became of a snapshot. Safe for any thread. */
final class SnapshotCalls {
    /** Callers wait with a deadline of seconds; more at a time than this is a mistake of theirs. */
    static final int MAX_WAITING = 1024;

    private final AtomicLong last = new AtomicLong();
    private final Map<Long, CompletableFuture<SnapshotOutcome>> waiting = new ConcurrentHashMap<>();

    /** One call; {@code number} is never used again by this process. */
    record Call(long number, CompletableFuture<SnapshotOutcome> outcome) {}

    /** Null when too many wait. */
    @Nullable
    Call begin() {
        if (waiting.size() >= MAX_WAITING) {
            return null;
        }
        Call call = new Call(last.incrementAndGet(), new CompletableFuture<>());
        waiting.put(call.number(), call.outcome());
        return call;
    }

    /** Nothing when nobody waits any more. */
    void answered(long call, SnapshotOutcome outcome) {
        CompletableFuture<SnapshotOutcome> caller = waiting.remove(call);
        if (caller != null) {
            caller.complete(outcome);
        }
    }

    void forget(Call call) {
        waiting.remove(call.number());
    }
}
