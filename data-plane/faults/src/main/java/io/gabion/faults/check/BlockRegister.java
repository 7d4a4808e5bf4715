package io.gabion.faults.check;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The history of one block as an atomic register (Gibbons and Korach: with unique values this is decided by pairs).
 *
 * <p>Each write and the reads that saw it are one value with two times: from {@code effective} (the earliest return among
 * them) on it had certainly happened, and at {@code present} (the latest invocation among them) it was certainly still
 * there or to come. A must lie before B when {@code A.effective < B.present}; the history is wrong when two values must
 * each lie before the other.
 *
 * <p>Values that can never be read again are dropped, so memory follows the number of operations in flight.
 */
final class BlockRegister {
    private static final long NEVER = Long.MAX_VALUE;

    private static final class Value {
        final long operation;
        final long stamp;
        long effective;
        long present;

        Value(long operation, long stamp, long invoked, long effective) {
            this.operation = operation;
            this.stamp = stamp;
            this.present = invoked;
            this.effective = effective;
        }
    }

    private final List<Value> values = new ArrayList<>(2);

    /** The block is all zeros before anything happens. */
    BlockRegister() {
        values.add(new Value(0, StampedBlock.ZEROS, Long.MIN_VALUE, Long.MIN_VALUE));
    }

    /** A write or trim begins; unless it is finished it may take effect at any later time. */
    void begin(long operation, long stamp, long now) {
        values.add(new Value(operation, stamp, now, NEVER));
    }

    /** A write or trim was acknowledged. */
    void finish(long operation, long now, long oldestReadInvoked) {
        for (Value value : values) {
            if (value.operation == operation) {
                value.effective = Math.min(value.effective, now);
            }
        }
        forget(oldestReadInvoked);
    }

    /**
     * A read returned this stamp.
     *
     * @return null when that is possible, else what contradicts it
     */
    @Nullable
    String observe(long stamp, long invoked, long returned, long oldestReadInvoked) {
        Value only = null;
        int possible = 0;
        String contradiction = "acknowledged later writes had replaced it";
        for (Value value : values) {
            if (value.stamp == stamp) {
                Value later = contradicting(value, invoked, returned);
                if (later == null) {
                    only = value;
                    possible++;
                } else {
                    contradiction = "operation " + later.operation + " had replaced it";
                }
            }
        }
        if (possible == 0) {
            return contradiction;
        }
        // Two trims leave the same zeros: which one a read saw is then open, and it proves nothing about either.
        if (possible == 1 && only != null) {
            only.present = Math.max(only.present, invoked);
            only.effective = Math.min(only.effective, returned);
            forget(oldestReadInvoked);
        }
        return null;
    }

    private @Nullable Value contradicting(Value seen, long invoked, long returned) {
        long present = Math.max(seen.present, invoked);
        long effective = Math.min(seen.effective, returned);
        for (Value other : values) {
            if (other != seen && effective < other.present && other.effective < present) {
                return other;
            }
        }
        return null;
    }

    /** Drops every value that a newer one, effective before any read under way began, has replaced for good. */
    private void forget(long oldestReadInvoked) {
        if (values.size() < 2) {
            return;
        }
        values.removeIf(old -> {
            for (Value newer : values) {
                if (newer != old
                        && old.effective < newer.present
                        && old.present <= newer.present
                        && newer.effective < oldestReadInvoked) {
                    return true;
                }
            }
            return false;
        });
    }

    int size() {
        return values.size();
    }
}
