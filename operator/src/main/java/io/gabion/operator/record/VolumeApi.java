package io.gabion.operator.record;

import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.model.VolumeRecord;
import java.util.Optional;
import java.util.Set;

/** The Volumes of the API server. Every change names the state that it was decided on. */
public interface VolumeApi {
    /** A quorum read. */
    Optional<Volume> read(String name);

    /** Adds and takes away labels; lost when the record changed since {@code observed}. */
    SwapOutcome relabel(Volume observed, Set<String> add, Set<String> remove);

    /** Writes the first record; lost when the object changed since {@code observed}. */
    SwapOutcome create(Volume observed, VolumeRecord first);

    /** Replaces the record by its successor; lost when the one that stands is not {@code observed}'s. */
    SwapOutcome swap(Volume observed, VolumeRecord next);

    /** Writes what only the operator writes: conditions and what people read. Never the record. */
    void report(Volume observed, VolumeStatus report);
}
