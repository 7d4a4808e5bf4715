package io.gabion.node.control;

import io.gabion.model.VolumeId;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The results of the last verifications, until somebody has fetched them. Safe for any thread. */
public final class VerifyResults {
    /** A result holds 32 bytes per MiB of volume; who does not fetch it among so many verifies again. */
    static final int MAX_RESULTS = 32;

    private record Key(VolumeId volume, long id) {}

    // Guarded by this; oldest first.
    private final Map<Key, VerifyOutcome> results = new LinkedHashMap<>();

    public synchronized void put(VolumeId volume, long id, VerifyOutcome outcome) {
        results.remove(new Key(volume, id));
        results.put(new Key(volume, id), outcome);
        if (results.size() > MAX_RESULTS) {
            results.remove(results.keySet().iterator().next());
        }
    }

    /** Empty when the replica has not reached the point, or the result was forgotten. */
    public synchronized Optional<VerifyOutcome> find(VolumeId volume, long id) {
        return Optional.ofNullable(results.get(new Key(volume, id)));
    }
}
