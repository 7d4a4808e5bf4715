package io.gabion.operator.volume;

import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;

/**
 * When the progress of a rebuild is worth an Event: at every quarter of the way, once. What was told is remembered by this process
 * only; another one may tell a quarter again. Safe for any thread.
 */
final class RebuildNews {
    private static final int QUARTER_PERCENT = 25;
    private static final int WHOLE_PERCENT = 100;

    private final Map<String, Integer> told = new ConcurrentHashMap<>();

    /** The percentage to tell of the volume with this UID; empty when there is no news. */
    OptionalInt news(String uid, OptionalInt percent) {
        if (percent.isEmpty()) {
            told.remove(uid);
            return OptionalInt.empty();
        }
        int quarter = percent.getAsInt() / QUARTER_PERCENT * QUARTER_PERCENT;
        Integer before = told.put(uid, quarter);
        boolean isNew = quarter > 0 && quarter < WHOLE_PERCENT && (before == null || before < quarter);
        return isNew ? OptionalInt.of(quarter) : OptionalInt.empty();
    }

    void forget(String uid) {
        told.remove(uid);
    }
}
