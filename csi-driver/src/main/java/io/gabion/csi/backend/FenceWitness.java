package io.gabion.csi.backend;

import io.gabion.model.NodeName;
import java.time.Duration;
import java.util.List;

/** Asks the acting primary of a volume whom it serves: only its word proves that a session is refused. */
public interface FenceWitness {
    /**
     * What a storage node says about its copy of a volume.
     *
     * @param primary it acts as primary
     * @param promisedEpoch it refuses every lower one, whoever asks
     * @param recordVersion of the configuration that it obeys; 0 when it knows none
     * @param generations of the sessions that it serves
     */
    record Testimony(boolean primary, long promisedEpoch, long recordVersion, List<Long> generations) {}

    /** Throws {@link BackendUnavailableException} when the node does not answer. */
    Testimony ask(NodeName node, StoredVolume volume, Duration limit);
}
