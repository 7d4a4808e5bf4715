package io.gabion.core.message;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** What an agent and a storage node say to each other about one volume. */
public sealed interface ClientMessage {
    VolumeId volume();

    /** Agent to node. */
    sealed interface Request extends ClientMessage {}

    /** Node to agent. */
    sealed interface Response extends ClientMessage {}

    /**
     * A request that belongs to an open session.
     *
     * <p>{@code lowestOutstanding} is the lowest request number that the agent still waits for: what is known about lower ones
     * may be forgotten.
     */
    sealed interface IoRequest extends Request {
        SessionId session();

        RequestId request();

        long lowestOutstanding();

        /** Block-aligned; empty for Flush. */
        ByteRange range();
    }

    // ---- session
    /**
     * Open the volume. {@code knownConnection} is the connection number that this instance held last, 0 for a new instance: a
     * node that knows a higher one of another instance refuses, so that an agent that was replaced cannot come back.
     */
    record Open(VolumeId volume, long generation, UUID instance, long knownConnection, long knownEpoch)
            implements Request {
        public Open {
            requireNonNull(instance, "instance is null");
        }
    }

    /** The session is open; answered only when it is durable on all in-sync replicas and all earlier requests are finished. */
    record Opened(
            VolumeId volume,
            long epoch,
            SessionId session,
            long sizeBytes,
            int maxOutstandingRequests,
            long maxOutstandingBytes)
            implements Response {}

    /** This node does not serve the volume (any more): re-open, first at {@code hint}. Also sent unasked. */
    record NotPrimary(VolumeId volume, long epoch, Optional<NodeName> hint, String reason) implements Response {}

    /** A higher session exists. An agent whose instance is another must stop for good. */
    record SessionFenced(VolumeId volume, SessionId highest, String reason) implements Response {}

    /** The volume's record grants this node no such session; {@code reason} names what is missing. */
    record NotAttached(VolumeId volume, String reason) implements Response {}

    /** The volume is unknown here. */
    record UnknownVolume(VolumeId volume) implements Response {}

    /** The agent leaves in good order; no reply. */
    record Close(VolumeId volume, SessionId session) implements Request {}

    // ---- I/O
    /** Replace whole blocks. Acknowledged only when durable on all in-sync replicas. */
    record Write(
            VolumeId volume,
            SessionId session,
            RequestId request,
            long lowestOutstanding,
            ByteRange range,
            Payload payload)
            implements IoRequest {}

    record Read(VolumeId volume, SessionId session, RequestId request, long lowestOutstanding, ByteRange range)
            implements IoRequest {}

    /** The range reads as zeros afterwards. */
    record Trim(VolumeId volume, SessionId session, RequestId request, long lowestOutstanding, ByteRange range)
            implements IoRequest {}

    /** Everything that was acknowledged before is durable (a barrier in durable mode). */
    record Flush(VolumeId volume, SessionId session, RequestId request, long lowestOutstanding) implements IoRequest {
        @Override
        public ByteRange range() {
            return Operation.NOTHING;
        }
    }

    /** Which parts of the range hold data? */
    record BlockStatus(VolumeId volume, SessionId session, RequestId request, long lowestOutstanding, ByteRange range)
            implements IoRequest {}

    /** Answer to Write, Trim, Flush, and to any request that failed. */
    record Done(VolumeId volume, RequestId request, long epoch, IoStatus status, PhaseTimes times)
            implements Response {}

    record ReadDone(VolumeId volume, RequestId request, long epoch, Payload payload, PhaseTimes times)
            implements Response {}

    record BlockStatusDone(VolumeId volume, RequestId request, long epoch, List<Extent> extents) implements Response {
        public BlockStatusDone {
            extents = List.copyOf(extents);
        }
    }

    /** A run of equal allocation state. */
    record Extent(long lengthBytes, boolean hole) {}

    /** Outcome of a request. Everything but OK is final: waiting and failing over are not outcomes. */
    enum IoStatus {
        OK,
        /** Outside the volume. */
        OUT_OF_RANGE,
        /** No space, and the volume's policy is to say so. */
        NO_SPACE,
        /** No copy can return the right bytes. */
        UNREADABLE,
        /** The session may only read. */
        READ_ONLY
    }

    /**
     * Where the time went at the primary, in microseconds.
     *
     * @param queueMicros from arrival to submission
     * @param localMicros from submission until the primary's own store was done
     * @param replicaMicros from submission until the slowest other in-sync replica was done
     */
    record PhaseTimes(long queueMicros, long localMicros, long replicaMicros) {
        public static final PhaseTimes NONE = new PhaseTimes(0, 0, 0);
    }
}
