package io.gabion.core.session;

import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import java.util.Optional;

/**
 * A session as people see it.
 *
 * @param state connecting, open, reopening, fenced or closed
 * @param reason why it is not open, empty when it is
 * @param oldestSinceNanos monotonic time since which the oldest request waits, {@link Long#MAX_VALUE} when none does
 */
public record SessionView(
        String state,
        Optional<NodeName> primary,
        Optional<SessionId> session,
        long epoch,
        long sizeBytes,
        int outstanding,
        int queued,
        long oldestSinceNanos,
        String reason) {}
