package io.gabion.core.port;

import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import java.util.Optional;

/** What became of a wish to take or delete a snapshot. */
public sealed interface SnapshotOutcome {
    /** Taken at this LSN, durably on all in-sync replicas. */
    record Taken(Lsn lsn) implements SnapshotOutcome {}

    /** There is no such snapshot on any in-sync replica, and never will be again. */
    record Deleted() implements SnapshotOutcome {}

    /** The number cannot be taken any more: it was deleted, or the epoch in which it was reserved is over. Reserve another. */
    record NumberUsed() implements SnapshotOutcome {}

    /** Ask again, first at {@code hint}. */
    record NotPrimary(Optional<NodeName> hint) implements SnapshotOutcome {}

    /** Not as things are. */
    record Refused(String reason) implements SnapshotOutcome {}
}
