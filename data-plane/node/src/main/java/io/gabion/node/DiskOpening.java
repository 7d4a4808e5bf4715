package io.gabion.node;

import io.gabion.core.port.Event;
import io.gabion.model.VolumeId;
import io.gabion.node.control.VerifyOutcome;

/** Opens the node's disk; a seam for tests. */
@FunctionalInterface
interface DiskOpening {
    /** @param loop the disk's owner loop */
    ReplicaDisk open(NodeOptions options, Loop loop, Listener listener) throws StartException;

    /** What the disk reports; called on the owner loop. */
    interface Listener {
        /** Hands over the payload references in the event. */
        void accept(VolumeId volume, Event event);

        void verified(VolumeId volume, long id, VerifyOutcome outcome);

        /** Content of the volume here is not what was written, or cannot be read; its replica is told by an event too. */
        void damaged(VolumeId volume, String damage);

        /** The disk failed; every replica is told by an event of its own. */
        void faulted(String reason);

        /** A batch of appends became durable, so long after it was submitted. */
        void batchDurable(long nanos);
    }
}
