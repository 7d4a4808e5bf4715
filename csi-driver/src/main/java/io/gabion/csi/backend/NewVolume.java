package io.gabion.csi.backend;

import io.gabion.csi.backend.StoredVolume.Origin;
import java.util.Optional;

/** A volume to be made. */
public record NewVolume(String name, VolumeSettings settings, Origin origin, Optional<Claim> claim) {

    /** The claim that it is for. */
    public record Claim(String namespace, String name, Optional<String> uid) {}
}
