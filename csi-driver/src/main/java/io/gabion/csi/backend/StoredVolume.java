package io.gabion.csi.backend;

import static java.util.Objects.requireNonNull;

import io.gabion.model.Attachment;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import java.util.List;
import java.util.Optional;

/**
 * A volume as the cluster knows it.
 *
 * @param name its handle towards the orchestrator
 * @param id what the data plane calls it
 * @param origin how it came to be, empty for one that people made
 * @param config empty until it has its place
 */
public record StoredVolume(
        String name,
        VolumeId id,
        Optional<Origin> origin,
        VolumeSettings settings,
        List<ReplicaPlacement> placement,
        Optional<VolumeConfig> config,
        Marks marks) {

    /** How a volume was asked for: kept with it so that a repeated call is told from another one of the same name. */
    public record Origin(String requestedName, String parameters) {}

    /**
     * What is observed of a volume.
     *
     * @param deleting asked for or under way
     * @param everWritten something was written to it once
     * @param deletionProtection deletion is refused
     */
    public record Marks(
            boolean deleting, boolean everWritten, boolean deletionProtection, List<Observation> observations) {
        public Marks {
            observations = List.copyOf(observations);
        }
    }

    /** One condition of the volume: whether {@code type} holds is yes, no or not known. */
    public record Observation(String type, Holds holds, String reason, String message) {}

    /** Three-valued truth. */
    public enum Holds {
        YES,
        NO,
        UNKNOWN
    }

    public StoredVolume {
        requireNonNull(id, "id is null");
        requireNonNull(settings, "settings is null");
        placement = List.copyOf(placement);
    }

    public List<Attachment> attachments() {
        return config.map(VolumeConfig::attachments).orElse(List.of());
    }

    /** What every in-sync copy has reserved; 0 until there is a copy. */
    public long reservedBytes() {
        return config.map(VolumeConfig::sizeBytes).orElse(0L);
    }

    public Optional<NodeName> primaryNode() {
        return config.flatMap(c -> placement.stream()
                .filter(p -> p.replica().equals(c.primary()))
                .map(ReplicaPlacement::node)
                .findFirst());
    }

    public Optional<Observation> observation(String type) {
        return marks.observations().stream().filter(o -> o.type().equals(type)).findFirst();
    }
}
