package io.gabion.core.session;

import io.gabion.core.message.ClientMessage;
import io.gabion.model.NodeName;

/** What an agent's session asks of its surroundings; carried out in order. */
public sealed interface SessionEffect {
    /** Connect and stay connected: answered by LinkUp or LinkDown, and by LinkUp again after every later loss. */
    record Connect(NodeName node) implements SessionEffect {}

    /** Lost if there is no link. Owns the payload in the message. */
    record Send(NodeName node, ClientMessage.Request message) implements SessionEffect {}

    record Complete(long requestId, BlockOutcome outcome) implements SessionEffect {}

    /** The session is open at {@code node}; {@code pauseNanos} is how long it was not, 0 the first time. */
    record Open(NodeName node, long epoch, long sizeBytes, long pauseNanos) implements SessionEffect {}

    /** No primary answers; requests wait. */
    record Seeking(String reason) implements SessionEffect {}

    /** For good: another agent took the session over, or it was closed. Every request from now on ends with Stopped. */
    record Stopped(String reason) implements SessionEffect {}

    /** Times of one finished request, for histograms. */
    record Timed(BlockRequest.Kind kind, long bytes, long totalNanos, ClientMessage.PhaseTimes server)
            implements SessionEffect {}
}
