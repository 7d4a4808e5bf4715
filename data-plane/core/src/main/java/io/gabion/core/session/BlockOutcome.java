package io.gabion.core.session;

import io.gabion.core.message.ClientMessage.Extent;
import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.message.Payload;
import java.util.List;

/** How a {@link BlockRequest} ended. Lost connections, failovers and waiting are never outcomes. */
public sealed interface BlockOutcome {
    /** Written, trimmed, zeroed or flushed: durable on every in-sync replica. */
    record Ok() implements BlockOutcome {}

    /** Owns the payload, exactly as long as the request's range. */
    record Data(Payload payload) implements BlockOutcome {}

    /** Covers the request's range exactly, in order. */
    record Extents(List<Extent> extents) implements BlockOutcome {
        public Extents {
            extents = List.copyOf(extents);
        }
    }

    record Failed(IoStatus status) implements BlockOutcome {}

    /** The session was fenced or closed for good; nothing that was under way is known to have happened. */
    record Stopped(String reason) implements BlockOutcome {}
}
