package io.gabion.core.message;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;

/** One operation in the replication stream of a volume; every replica applies them in the order of their LSNs. */
public sealed interface Operation {
    /** Block-aligned bytes that the operation changes; empty for operations that change no block. */
    default ByteRange range() {
        return NOTHING;
    }

    /** The client's request behind it, {@link RequestId#NONE} where there is none. */
    default RequestId request() {
        return RequestId.NONE;
    }

    ByteRange NOTHING = new ByteRange(0, 0);

    /** New content for whole blocks; payload length equals the range's. */
    record Write(ByteRange range, RequestId request, Payload payload) implements Operation {
        public Write {
            requireNonNull(range, "range is null");
            requireNonNull(request, "request is null");
            if (!range.isBlockAligned() || range.isEmpty() || payload.length() != range.length()) {
                throw new IllegalArgumentException(
                        "write of " + payload.length() + " bytes to " + range + " is not whole blocks");
            }
        }
    }

    /** The range reads as zeros from here on (trim and write-zeroes alike). */
    record Trim(ByteRange range, RequestId request) implements Operation {
        public Trim {
            requireNonNull(range, "range is null");
            requireNonNull(request, "request is null");
            if (!range.isBlockAligned() || range.isEmpty()) {
                throw new IllegalArgumentException("trim of " + range + " is not whole blocks");
            }
        }
    }

    /** {@code session} may write from here on, every lower one may not. */
    record OpenSession(SessionId session, NodeName node) implements Operation {
        public OpenSession {
            requireNonNull(session, "session is null");
            requireNonNull(node, "node is null");
        }
    }

    /** Every member reserves what a volume of {@code sizeBytes} needs; the size becomes visible by the configuration. */
    record Grow(long sizeBytes) implements Operation {}

    /** Every member keeps its content readable as it is at exactly this point. No block changes until it is committed. */
    record TakeSnapshot(long number) implements Operation {}

    /** Every member forgets the snapshot; nobody takes that back. */
    record DeleteSnapshot(long number) implements Operation {}

    /** Each member takes a view of its content at exactly this point and digests it for verification {@code id}. */
    record VerifyPoint(long id) implements Operation {}

    /** Joiner and primary take their region tables at exactly this point, to be compared; {@code round} counts the tries. */
    record ComparePoint(long round) implements Operation {}
}
