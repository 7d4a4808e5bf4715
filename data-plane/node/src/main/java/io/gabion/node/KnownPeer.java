package io.gabion.node;

import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.wire.Connection;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What {@link PeerLinks} remembers of one other node. Belongs to the links' loop. */
final class KnownPeer {
    static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    final NodeName name;

    @Nullable
    NodeRecord address;

    @Nullable
    Connection connection;
    /** An attempt to connect is under way. */
    boolean dialling;
    /** The next attempt is scheduled. */
    boolean retrySet;
    /** Volumes know that the process is gone. */
    boolean goneTold;
    /** One line per outage. */
    boolean failureLogged;
    /** Of the last heartbeat or acknowledgement, {@link Long#MIN_VALUE} if none came. */
    long heardNanos = Long.MIN_VALUE;

    private long pauseNanos = FIRST_PAUSE_NANOS;

    KnownPeer(NodeName name) {
        this.name = name;
    }

    /** How long to wait before the next attempt; longer each time. */
    long nextPauseNanos() {
        long pause = pauseNanos;
        pauseNanos = Math.min(LONGEST_PAUSE_NANOS, pause * 2);
        return pause;
    }

    void shortPauseAgain() {
        pauseNanos = FIRST_PAUSE_NANOS;
    }
}
