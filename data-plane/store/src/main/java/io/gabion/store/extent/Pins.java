package io.gabion.store.extent;

import io.gabion.model.Lsn;
import java.util.Collection;

/** The LSNs at which a replica must stay readable: its snapshots, and the points from which clones were taken. */
public final class Pins {
    public static final Pins NONE = new Pins(new Lsn[0]);

    private final Lsn[] rising;

    private Pins(Lsn[] rising) {
        this.rising = rising;
    }

    public static Pins of(Collection<Lsn> lsns) {
        return lsns.isEmpty()
                ? NONE
                : new Pins(lsns.stream().distinct().sorted().toArray(Lsn[]::new));
    }

    public boolean isEmpty() {
        return rising.length == 0;
    }

    public boolean contains(Lsn lsn) {
        int at = firstFrom(lsn.epoch(), lsn.seq());
        return at < rising.length && rising[at].equals(lsn);
    }

    /** True when a pinned reader finds a version that was the newest from its own LSN up to that of its successor. */
    public boolean see(long epoch, long seq, long nextEpoch, long nextSeq) {
        if (rising.length == 0 || isBefore(rising[rising.length - 1], epoch, seq)) {
            return false;
        }
        return isBefore(rising[firstFrom(epoch, seq)], nextEpoch, nextSeq);
    }

    /** As above, for a version that nothing followed. */
    public boolean seeNewest(long epoch, long seq) {
        return see(epoch, seq, Long.MAX_VALUE, Long.MAX_VALUE);
    }

    /** Number of pins that find the version, at most {@code most}. */
    public int count(Lsn version, Lsn next, int most) {
        int found = 0;
        for (int at = firstFrom(version.epoch(), version.seq());
                found < most && at < rising.length && next.isAfter(rising[at]);
                at++) {
            found++;
        }
        return found;
    }

    private int firstFrom(long epoch, long seq) {
        int low = 0;
        int high = rising.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (isBefore(rising[middle], epoch, seq)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private static boolean isBefore(Lsn lsn, long epoch, long seq) {
        return lsn.epoch() < epoch || (lsn.epoch() == epoch && lsn.seq() < seq);
    }
}
