package io.gabion.operator.volume;

import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import java.util.List;

/** Questions about the copies in a record. */
final class Copies {
    /** Begins the writer of every record that an operator proposes. */
    static final String WRITER_PREFIX = "operator/";

    private Copies() {}

    /** Placements without a tombstone. */
    static List<ReplicaPlacement> kept(VolumeRecord record) {
        return without(record.placement(), record.removed());
    }

    static List<ReplicaPlacement> without(List<ReplicaPlacement> all, List<ReplicaPlacement> gone) {
        return all.stream().filter(c -> !gone.contains(c)).toList();
    }
}
