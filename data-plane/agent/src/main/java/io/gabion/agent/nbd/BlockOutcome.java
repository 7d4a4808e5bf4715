package io.gabion.agent.nbd;

import io.gabion.core.message.ClientMessage.Extent;
import io.gabion.core.message.Payload;
import java.util.List;

/** How a command ended. */
public sealed interface BlockOutcome {
    /** A write, trim, zero or flush is done and durable. */
    record Done() implements BlockOutcome {
        public static final Done DONE = new Done();
    }

    /** What a read found; one reference goes to the receiver. */
    record Found(Payload payload) implements BlockOutcome {}

    /** What a status query found; covers its range exactly, in order. */
    record Allocation(List<Extent> extents) implements BlockOutcome {
        public Allocation {
            extents = List.copyOf(extents);
        }
    }

    record Failed(BlockFailure failure) implements BlockOutcome {}
}
