package io.gabion.core.volume;

import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import org.jspecify.annotations.Nullable;

/** What a primary knows of one other replica that takes part in its stream. */
final class Member {
    /** How far the replica is on its way into the epoch. */
    enum Stage {
        NONE,
        ASKED,
        PROMISED,
        ENDED,
        EQUAL
    }

    final ReplicaId replica;
    final NodeName node;
    final long incarnation;

    Stage stage = Stage.NONE;
    long askedAtNanos;
    /** Numbers the attempts to make the member equal, so that late reads of an earlier attempt are dropped. */
    int attempt;
    /** New operations are sent at once. */
    boolean streaming;
    /** When the window is sent again unless the member asks before; {@link Long#MAX_VALUE} when not wanted. */
    long resendAtNanos = Long.MAX_VALUE;

    long durableSeq;
    long sentBytes;
    long creditBytes = Long.MAX_VALUE;
    long starvedSinceNanos = Long.MAX_VALUE;
    /** Why this incarnation can never come back, null while it can. */
    @Nullable
    String lostForGood;
    /** The peer promised a higher epoch: its lease means nothing to this epoch. */
    boolean promisedHigher;
    /** A joiner whose acknowledgements are needed already. */
    boolean counted = true;

    Member(ReplicaId replica, NodeName node, long incarnation) {
        this.replica = replica;
        this.node = node;
        this.incarnation = incarnation;
    }

    InSyncMember asInSync() {
        return new InSyncMember(replica, incarnation);
    }
}
