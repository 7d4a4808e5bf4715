package io.gabion.csi.controller;

import csi.v1.Volume;
import csi.v1.VolumeHealth;
import csi.v1.VolumeHealth.VolumeHealthEntry;
import csi.v1.VolumeHealthErrorType;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.StoredVolume.Holds;
import io.gabion.csi.backend.StoredVolume.Observation;
import io.gabion.model.Attachment;
import java.util.List;

/** Volumes in the words of the interface. */
final class VolumeMessages {
    private VolumeMessages() {}

    /** Without topology: every node reaches every volume. */
    static Volume volume(StoredVolume volume) {
        return Volume.newBuilder()
                .setVolumeId(volume.name())
                .setCapacityBytes(
                        volume.config().isPresent()
                                ? volume.reservedBytes()
                                : volume.settings().sizeBytes())
                .build();
    }

    static List<String> publishedNodes(StoredVolume volume) {
        return volume.attachments().stream()
                .map(Attachment::node)
                .map(Object::toString)
                .toList();
    }

    /** What is wrong with a volume; without entries when nothing is. */
    static VolumeHealth health(StoredVolume volume) {
        VolumeHealth.Builder health = VolumeHealth.newBuilder().setVolumeId(volume.name());
        for (Observation observation : volume.marks().observations()) {
            if (observation.holds() != Holds.NO) {
                continue;
            }
            if (observation.type().equals("Ready") && volume.config().isPresent()) {
                health.addHealthStatuses(entry(VolumeHealthErrorType.INACCESSIBLE, observation));
            } else if (observation.type().equals("Redundant")) {
                health.addHealthStatuses(entry(VolumeHealthErrorType.DEGRADED, observation));
            }
        }
        return health.build();
    }

    private static VolumeHealthEntry entry(VolumeHealthErrorType type, Observation observation) {
        return VolumeHealthEntry.newBuilder()
                .setStatus(type)
                .setReason(observation.reason().isEmpty() ? observation.type() + "False" : observation.reason())
                .setMessage(observation.message())
                .build();
    }
}
