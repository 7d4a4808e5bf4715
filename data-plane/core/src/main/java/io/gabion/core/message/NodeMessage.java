package io.gabion.core.message;

import static java.util.Objects.requireNonNull;

import io.gabion.model.VolumeId;
import java.util.List;
import java.util.UUID;

/** What two storage nodes say to each other about themselves: one pair of messages per interval, however many volumes they share. */
public sealed interface NodeMessage {
    /**
     * Sent every interval in both directions.
     *
     * @param number rises by one per heartbeat of this link
     * @param bootId of the sender's machine; another one means that its memory was lost
     * @param probeAgeMillis age of the last successful probe of the sender's disk
     * @param promised volumes whose promised epoch changed since the last heartbeat
     */
    record Heartbeat(long number, UUID bootId, long probeAgeMillis, List<PromisedEpoch> promised)
            implements NodeMessage {
        public Heartbeat {
            requireNonNull(bootId, "bootId is null");
            promised = List.copyOf(promised);
        }
    }

    /** Answer to heartbeat {@code number}: renews the lease counted from when that heartbeat was sent. */
    record HeartbeatAck(long number, List<PromisedEpoch> promised) implements NodeMessage {
        public HeartbeatAck {
            promised = List.copyOf(promised);
        }
    }

    record PromisedEpoch(VolumeId volume, long epoch) {}
}
