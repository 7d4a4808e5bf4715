package io.gabion.core.volume;

import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.core.port.Notice;
import io.gabion.model.VolumeRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * This replica's dealings with the configuration store: quorum reads, and at most one change at a time, which is pursued until
 * its outcome is known. Whoever proposed looks at the record again afterwards; nobody is told "won" or "lost".
 */
final class ConfigAccess {
    /** Receives the outcome of a quorum read that began after it was asked for. */
    interface Reader {
        void read(ReadOutcome outcome);
    }

    private static final long MIN_BACKOFF_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long MAX_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(1);

    private enum Change {
        NONE,
        SWAPPING,
        CHECKING,
        WAITING_TO_CHECK,
        WAITING_TO_SWAP
    }

    private final Replica r;
    private final String writerPrefix;
    private long writers;

    private List<Reader> asked = new ArrayList<>();
    private List<Reader> next = new ArrayList<>();
    private long readTicket = -1;

    private boolean refreshWanted;
    private boolean refreshing;
    private long refreshAtNanos = Long.MAX_VALUE;

    private Change change = Change.NONE;
    private @Nullable VolumeRecord proposal;
    private long swapTicket = -1;
    private long changeAtNanos = Long.MAX_VALUE;
    private long notBeforeNanos = Long.MIN_VALUE;

    private long backoffNanos = MIN_BACKOFF_NANOS;
    private boolean outage;

    ConfigAccess(Replica replica, long unique) {
        this.r = replica;
        this.writerPrefix = replica.self.value() + "/" + Long.toHexString(unique) + ".";
    }

    String newWriter() {
        writers++;
        return writerPrefix + writers;
    }

    // ---- reads
    void read(Reader reader) {
        next.add(reader);
        startRead();
    }

    private void startRead() {
        if (readTicket >= 0 || next.isEmpty()) {
            return;
        }
        List<Reader> started = next;
        next = asked;
        asked = started;
        readTicket = r.ticket();
        r.emit(new Effect.ReadConfig(readTicket));
    }

    void onRead(Event.ConfigRead event) {
        if (event.ticket() != readTicket) {
            return;
        }
        readTicket = -1;
        List<Reader> readers = List.copyOf(asked);
        asked.clear();
        switch (event.outcome()) {
            case ReadOutcome.Found(VolumeRecord record) -> {
                reached();
                r.confirmed = true;
                r.learn(record);
                r.reconsider = true;
            }
            case ReadOutcome.Absent() -> reached();
            case ReadOutcome.Unavailable(String reason) -> unreachable("read", reason);
        }
        startRead();
        for (Reader reader : readers) {
            reader.read(event.outcome());
        }
    }

    /** Read until there is an answer. */
    void refresh() {
        if (refreshing) {
            refreshWanted = true;
            return;
        }
        refreshing = true;
        refreshWanted = false;
        refreshAtNanos = Long.MAX_VALUE;
        read(this::refreshed);
    }

    private void refreshed(ReadOutcome outcome) {
        refreshing = false;
        switch (outcome) {
            case ReadOutcome.Found _ -> {
                if (refreshWanted) {
                    refresh();
                }
            }
            case ReadOutcome.Absent _ -> refreshAtNanos = r.now + MAX_BACKOFF_NANOS;
            case ReadOutcome.Unavailable _ -> refreshAtNanos = r.now + backoff();
        }
    }

    private void reached() {
        outage = false;
        backoffNanos = MIN_BACKOFF_NANOS;
    }

    private void unreachable(String operation, String reason) {
        if (!outage) {
            outage = true;
            r.notice(new Notice.ConfigStoreUnavailable(operation, reason));
        }
    }

    private long backoff() {
        long wait = backoffNanos + r.jitter.below(backoffNanos / 2 + 1);
        backoffNanos = Math.min(MAX_BACKOFF_NANOS, backoffNanos * 2);
        return wait;
    }

    // ---- changes
    /** A change is under way, perhaps with an unknown outcome, or must not be tried again yet. */
    boolean busy() {
        return change != Change.NONE || r.now < notBeforeNanos;
    }

    /** What is proposed and not yet known to be or not to be. */
    @Nullable
    VolumeRecord proposal() {
        return proposal;
    }

    void propose(VolumeRecord nextRecord) {
        if (busy()) {
            return;
        }
        proposal = nextRecord;
        swap(nextRecord);
    }

    private void swap(VolumeRecord nextRecord) {
        change = Change.SWAPPING;
        changeAtNanos = Long.MAX_VALUE;
        swapTicket = r.ticket();
        r.emit(new Effect.SwapConfig(swapTicket, nextRecord));
    }

    void onSwapped(Event.ConfigSwapped event) {
        if (event.ticket() != swapTicket || change != Change.SWAPPING) {
            return;
        }
        switch (event.outcome()) {
            case SwapOutcome.Won(VolumeRecord record) -> {
                reached();
                resolved(record);
            }
            case SwapOutcome.Lost(VolumeRecord current) -> {
                reached();
                resolved(current);
            }
            case SwapOutcome.Refused _ -> {
                reached();
                notBeforeNanos = r.now + MAX_BACKOFF_NANOS;
                proposal = null;
                change = Change.NONE;
                refresh();
            }
            case SwapOutcome.Unknown(String reason) -> {
                unreachable("swap", reason);
                check();
            }
        }
    }

    private void check() {
        change = Change.CHECKING;
        changeAtNanos = Long.MAX_VALUE;
        read(this::checked);
    }

    private void checked(ReadOutcome outcome) {
        VolumeRecord wanted = proposal;
        if (change != Change.CHECKING || wanted == null) {
            return;
        }
        switch (outcome) {
            case ReadOutcome.Found(VolumeRecord record) -> {
                if (record.config().version() >= wanted.config().version()) {
                    resolved(record);
                } else {
                    // It may still land later: only trying the very same again can end the doubt.
                    change = Change.WAITING_TO_SWAP;
                    changeAtNanos = r.now + backoff();
                }
            }
            case ReadOutcome.Absent _, ReadOutcome.Unavailable _ -> {
                change = Change.WAITING_TO_CHECK;
                changeAtNanos = r.now + backoff();
            }
        }
    }

    private void resolved(VolumeRecord record) {
        proposal = null;
        change = Change.NONE;
        changeAtNanos = Long.MAX_VALUE;
        r.confirmed = true;
        r.learn(record);
        r.changeEnded();
    }

    // ---- time
    void tick() {
        if (r.now >= refreshAtNanos) {
            refresh();
        }
        if (r.now >= changeAtNanos) {
            VolumeRecord wanted = proposal;
            if (change == Change.WAITING_TO_CHECK) {
                check();
            } else if (change == Change.WAITING_TO_SWAP && wanted != null) {
                swap(wanted);
            }
        }
    }

    long deadline() {
        long deadline = Math.min(refreshAtNanos, changeAtNanos);
        return notBeforeNanos > r.now ? Math.min(deadline, notBeforeNanos) : deadline;
    }
}
