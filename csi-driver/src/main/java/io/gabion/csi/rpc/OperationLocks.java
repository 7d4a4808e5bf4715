package io.gabion.csi.rpc;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * At most one operation per volume at a time. A second call does not wait: its caller is told ABORTED and comes again, by which
 * time the first one is done and the repetition finds its work.
 */
public final class OperationLocks {
    private final Set<String> held = ConcurrentHashMap.newKeySet();

    /** Runs the operation alone for {@code volume}. */
    public <T> T alone(String volume, Supplier<T> operation) {
        if (!held.add(volume)) {
            throw CsiFailure.aborted("another operation on volume \"" + volume + "\" is still under way; try again");
        }
        try {
            return operation.get();
        } finally {
            held.remove(volume);
        }
    }
}
