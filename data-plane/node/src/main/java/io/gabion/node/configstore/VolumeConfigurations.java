package io.gabion.node.configstore;

import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import java.util.function.Consumer;

/**
 * The volumes' records in the configuration store. Answers arrive on any thread, exactly once, within a bounded time; what is
 * not known is never guessed.
 */
public interface VolumeConfigurations {
    /** A quorum read that begins after this call. */
    void read(VolumeId volume, Consumer<ReadOutcome> answer);

    /**
     * Stores {@code next} if the version that stands is {@code next.config().version() - 1}.
     *
     * @param urgent client I/O waits for it: goes before others when swaps are throttled
     */
    void swap(VolumeRecord next, boolean urgent, Consumer<SwapOutcome> answer);

    /** Removes the record of a deleted volume without placements; {@code done} gets true when it is certainly gone. */
    void remove(VolumeRecord record, Consumer<Boolean> done);
}
