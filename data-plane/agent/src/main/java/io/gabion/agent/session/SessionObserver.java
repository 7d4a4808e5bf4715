package io.gabion.agent.session;

import io.gabion.core.message.ClientMessage.PhaseTimes;
import io.gabion.core.session.BlockRequest;

/** Told what happens in a session, for metrics; on the session's loop. */
public interface SessionObserver {
    /** A request ended well or not; all times include the waits of failovers. */
    void finished(BlockRequest.Kind kind, long bytes, long totalNanos, PhaseTimes server);

    void failed(BlockRequest.Kind kind, String reason);

    /** The session was opened again after it had lost its primary for {@code pauseNanos}. */
    void failedOver(long pauseNanos);

    /** Another agent took the volume over. */
    void fenced();
}
