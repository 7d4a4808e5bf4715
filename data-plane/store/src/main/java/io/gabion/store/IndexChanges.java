package io.gabion.store;

import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.metadata.MetadataBatch;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What the batch of the log that is being applied changes, until it is written. Belongs to the owner loop. */
final class IndexChanges {
    private final MetadataBatch batch = new MetadataBatch();
    private final Set<ReplicaState> touched = new LinkedHashSet<>();
    private final List<ReplicaExtents> forgotten = new ArrayList<>();
    private boolean inheritanceChanged;

    MetadataBatch batch() {
        return batch;
    }

    /** Heads that have to be written. */
    Set<ReplicaState> touched() {
        return touched;
    }

    /** Replicas of which nothing may stay in caches. */
    List<ReplicaExtents> forgotten() {
        return forgotten;
    }

    /** What clones of the replica find may have changed. */
    void inheritanceOf(ReplicaState replica) {
        inheritanceChanged |= replica.ancestry().hasClones();
    }

    boolean takeInheritanceChanged() {
        boolean changed = inheritanceChanged;
        inheritanceChanged = false;
        return changed;
    }
}
