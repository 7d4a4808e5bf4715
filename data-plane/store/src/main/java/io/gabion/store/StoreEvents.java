package io.gabion.store;

import io.gabion.core.port.Event;
import io.gabion.model.VolumeId;

/** Receives what a disk has to say. Always called on the owner loop, never from within a call to the store. */
public interface StoreEvents {
    /** An answer or news for one replica. */
    void accept(VolumeId volume, Event event);

    /** Answer to {@link io.gabion.core.port.Effect.Verify}. */
    void verified(VolumeId volume, VerifyResult result);

    /**
     * A read, a verification or the scrub met content that is not what was written, or cannot be read. Told each time, also of
     * what was told before.
     */
    default void damaged(VolumeId volume, Damage damage) {}

    /** The disk failed; each replica was told {@link Event.StoreFaulted} too. */
    default void faulted(String reason) {}
}
